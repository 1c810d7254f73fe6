from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from spikebench.errors import ScenarioError
from spikebench.scenario.messages import MessageScenario
from spikebench.scenario.read import read_scenario, read_scenarios

GOOD = """\
scenario: good
title: A title
question: A question?
experiment: latency
payload:
  kind: filler
  size_bytes: 1024
arrivals:
  rate_per_s: 500
consumers:
  subscribers: 1
timing:
  measure_s: 1.0
analysis:
  metric: end_to_end_p50
  baseline: rabbitmq-quorum
sweep:
  consumers.competing: [1, 2]
emulator:
  arrivals.rate_per_s: 100
"""


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "good.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def error_of(path: Path) -> str:
    with pytest.raises(ScenarioError) as caught:
        read_scenario(path, MessageScenario)
    return str(caught.value).replace(f"{path}:", "")


def refused(folder: Path, old: str, new: str) -> str:
    assert old in GOOD
    return error_of(written(folder, GOOD.replace(old, new)))


def test_a_good_file_is_read(tmp_path: Path) -> None:
    scenario = read_scenario(written(tmp_path, GOOD), MessageScenario)
    assert scenario.payload.size_bytes == 1024
    assert scenario.arrivals.fixed_rate_per_s == 500
    assert scenario.producer.confirm_window == 1000
    assert scenario.sweep == {"consumers.competing": [1, 2]}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "size_bytes: 1024",
            "size_byte: 1024",
            "7: payload.size_byte: unknown key; did you mean 'size_bytes'?",
        ),
        (
            "payload:",
            "zzz:",
            "5: zzz: unknown key; known are scenario, title, question, analysis, sweep, "
            "full_sweep, emulator, experiment, payload, arrivals, promise, producer, consumers, "
            "fault, timing, slo_p99_ms, requires",
        ),
        (
            "  kind: filler\n",
            "  kind: filler\n  kind: filler\n",
            "7: payload.kind: given twice, first on line 6; keep one",
        ),
        (
            "size_bytes: 1024",
            "size_bytes: big",
            "7: payload.size_bytes: 'big' does not fit; it should be a valid integer",
        ),
        (
            "size_bytes: 1024",
            "size_bytes: true",
            "7: payload.size_bytes: True does not fit; it should be a valid integer",
        ),
        (
            "measure_s: 1.0",
            "measure_s: -1",
            "13: timing.measure_s: -1 does not fit; it should be greater than 0",
        ),
        (
            "measure_s: 1.0",
            "measure_s: .nan",
            "13: timing.measure_s: nan does not fit; it should be a finite number",
        ),
        (
            "measure_s: 1.0",
            'measure_s: "1.0"',
            "13: timing.measure_s: '1.0' does not fit; it should be a valid number",
        ),
        ("  measure_s: 1.0", "  warmup_s: 1.0", "12: timing.measure_s: missing; add it"),
        (
            "kind: filler",
            "kind: fillet",
            "6: payload.kind: 'fillet' is not known; write 'filler' or 'row-events'",
        ),
        (
            "consumers:",
            "promise:\n  delivery: at-most-once\nconsumers:",
            "11: promise.delivery: 'at-most-once' is not known; write 'at-least-once'",
        ),
        (
            "experiment: latency",
            "experiment: capacity",
            "19: emulator: the capacity of an emulator says nothing, and is not measured; remove "
            "it",
        ),
        (
            "rate_per_s: 500",
            "rate_per_s: 0",
            "9: arrivals.rate_per_s: 0 is not a rate; write messages a second, above 0 and at "
            "most 10000000, or a share of measured capacity such as 30 %",
        ),
        (
            "consumers:\n  subscribers: 1",
            "consumers: 1",
            "10: consumers: 1 does not fit; write its keys, indented, on the lines below it",
        ),
        (
            "size_bytes: 1024",
            "size_bytes: 1024\n  largest_bytes: 2048",
            "8: payload.largest_bytes: filler has one size; remove it, or use row-events",
        ),
        (
            "experiment: latency",
            "experiment: backlog",
            "10: consumers.away_s: a backlog needs consumers away for a part of measure_s; "
            "choose in between",
        ),
        (
            "experiment: latency",
            "experiment: latency\nrequires: {ordering: key}",
            "5: requires.ordering: key is more than promise.ordering asks of candidates; make "
            "them agree",
        ),
        (
            "rate_per_s: 500",
            "rate_per_s: 500\n  burst_min: 3",
            "8: arrivals.burst_max: below burst_min; make it the larger of the two",
        ),
        (
            "scenario: good",
            "scenario: other",
            "1: scenario: must be the file's name; write 'scenario: good' or rename the file",
        ),
        (
            "consumers.competing: [1, 2]",
            "consumers.competing: [1, 0]",
            "18: sweep.consumers.competing.1: 0 does not fit; it should be greater than or equal "
            "to 1",
        ),
        (
            "consumers.competing: [1, 2]",
            "consumer.competing: [1]",
            "18: sweep.consumer.competing: no such key of the scenario to set; did you mean "
            "'consumers.competing'?",
        ),
        (
            "consumers.competing: [1, 2]",
            "consumers.competing: 1",
            "18: sweep.consumers.competing: 1 does not fit; it should be a valid list",
        ),
        (
            "consumers.competing: [1, 2]",
            "consumers.competing: []",
            "18: sweep.consumers.competing: no values; list at least one, or remove the key",
        ),
        (
            "consumers.competing: [1, 2]",
            "consumers.competing: [1, 1]",
            "18: sweep.consumers.competing.1: 1 is listed twice; keep one",
        ),
        (
            "consumers.competing: [1, 2]",
            "consumers.competing: [1, {}]",
            "18: sweep.consumers.competing.1: {} can't be swept; list numbers and words",
        ),
        (
            "arrivals.rate_per_s: 100",
            "arrivals.rate_per_s: none",
            "20: emulator.arrivals.rate_per_s: 'none' is not a rate; write messages a second, "
            "above 0 and at most 10000000, or a share of measured capacity such as 30 %",
        ),
        (
            "arrivals.rate_per_s: 100",
            "arrivals.rate: 100",
            "20: emulator.arrivals.rate: no such key of the scenario to set; did you mean "
            "'arrivals.rate_per_s'?",
        ),
        (
            "title: A title",
            "title: &a A title",
            "2: 'a': anchors and aliases are not read; write the value out",
        ),
        (
            "title: A title",
            "title: !!python/object:os.system x",
            "2: title: tag tag:yaml.org,2002:python/object:os.system is not read; write a plain "
            "value",
        ),
        ("title: A title", "<<: {title: A}", "2: a key must be a word; write 'name: value'"),
        ("title: A title", "[title]: A", "2: a key must be a word; write 'name: value'"),
        (
            "title: A title",
            "title: [",
            "4: not YAML: expected ',' or ']', but got ':' (while parsing a flow sequence from "
            "line 2); mend the syntax",
        ),
        (
            "measure_s: 1.0",
            "measure_s: !!int one",
            "13: timing.measure_s: 'one' cannot be read as int; mend it",
        ),
    ],
)
def test_what_is_wrong_is_named_with_line_and_key(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert refused(tmp_path, old, new) == message


def test_a_value_that_clashes_in_one_combination_is_named_where_it_is_swept(tmp_path: Path) -> None:
    swept = "consumers.competing: [1, 2]\n  consumers.ack_batch: [1, 500]"
    error = refused(tmp_path, "consumers.competing: [1, 2]", swept)
    assert error == (
        "19: sweep.consumers.ack_batch.1: above prefetch, so that a consumer would wait for ever; "
        "lower it"
    )


def test_too_many_combinations_are_refused_before_they_are_made(tmp_path: Path) -> None:
    many = [f"  {key}: {list(range(1, 60))}" for key in ("consumers.prefetch", "payload.keys")]
    error = refused(tmp_path, "  consumers.competing: [1, 2]", "\n".join(many))
    assert error == "17: sweep: over 200 combinations; sweep fewer values"


def test_all_that_is_wrong_is_told_at_once_in_order(tmp_path: Path) -> None:
    text = GOOD.replace("kind: filler", "kind: 1").replace("subscribers: 1", "subscribers: 0")
    path = written(tmp_path, text.replace("rate_per_s: 500", "rate: 500"))
    with pytest.raises(ScenarioError) as caught:
        read_scenario(path, MessageScenario)
    places = [line.split(": ")[:2] for line in str(caught.value).splitlines()]
    assert places == [
        [f"{path}:6", "payload.kind"],
        [f"{path}:8", "arrivals.rate_per_s"],
        [f"{path}:9", "arrivals.rate"],
        [f"{path}:11", "consumers.subscribers"],
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "1: the file is not a mapping; start it with 'scenario: <name>'"),
        (b"# only a comment\n", "1: the file is not a mapping; start it with 'scenario: <name>'"),
        (b"- a\n- b\n", "1: the file is not a mapping; start it with 'scenario: <name>'"),
        (b"scenario: good\ntitle: \xff\n", "2: not UTF-8 text; save the file as UTF-8"),
        (b"x" * 70_000, "1: over 65536 bytes long; a scenario is a page: shorten it"),
        (
            b"a: 1\n---\nb: 1\n",
            "2: not YAML: but found another document (expected a single document in the stream "
            "from line 1); mend the syntax",
        ),
        (b"a: " + b"[" * 60_000, "1: nested deeper than 8 levels; flatten it"),
        (b"a:\n - " + b"{b: " * 10_000, "2: nested deeper than 8 levels; flatten it"),
        (b"&a [*a]", "1: 'a': anchors and aliases are not read; write the value out"),
        (b"a: 1\nb: *a\n", "2: 'a': anchors and aliases are not read; write the value out"),
    ],
)
def test_a_file_that_is_no_scenario_at_all_is_told_what_it_is(
    tmp_path: Path, content: bytes, message: str
) -> None:
    assert error_of(written(tmp_path, content)) == message


def test_aliases_that_would_grow_without_end_are_refused_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    assert "anchors and aliases" in error_of(written(tmp_path, "\n".join(lines)))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert error_of(tmp_path / "none.yaml") == (
        "1: no such file; check the name, or see 'spikebench list'"
    )


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    assert "cannot be read" in error_of(tmp_path)


def test_a_folder_is_read_in_order_of_names(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.yaml").write_text(GOOD.replace("scenario: good", f"scenario: {name}"))
    assert list(read_scenarios(tmp_path, MessageScenario)) == ["a", "b", "c"]


def test_a_folder_without_scenarios_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no scenario here; add one"):
        read_scenarios(tmp_path, MessageScenario)


POSITION = re.compile(r".*good\.yaml:[1-9][0-9]*: \S")
NAMED = re.compile(r".*good\.yaml:[1-9][0-9]*: [^:]*\w[^:]*: .+")


def read_or_refuse(path: Path, text: bytes) -> str | None:
    path.write_bytes(text)
    try:
        read_scenario(path, MessageScenario)
    except ScenarioError as error:
        return str(error)
    return None


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "good.yaml"


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FUZZ
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda t: t.encode("utf-8", "replace")))
@example(b"\x00")
@example(b"%YAML 9.9\n---\na: 1")
@example(b"a: 0x" + b"f" * 9000)
@example(b"9" * 9000 + b": 1")
@example(b"? ? ?")
@example(b"!!set {a}")
@example(b"a: 2026-13-45")
def test_any_bytes_are_refused_with_file_and_line(path: Path, text: bytes) -> None:
    error = read_or_refuse(path, text)
    assert error is not None
    assert all(POSITION.match(line) for line in error.splitlines()), error


FRAGMENTS = (
    st.sampled_from(["[", "]", "{", "}", ":", "- ", "&a ", "*a", "!!int ", "'", '"', "|", "%", "~"])
    | st.sampled_from(["0x" + "f" * 5000, "9" * 5000, "1e999", ".inf", "30 %", "-1", "true", "#"])
    | st.text(max_size=5)
)


@FUZZ
@given(st.integers(0, len(GOOD)), st.integers(0, 20), FRAGMENTS)
def test_a_good_file_damaged_anywhere_is_read_or_refused_with_file_and_line(
    path: Path, at: int, removed: int, added: str
) -> None:
    damaged = GOOD[:at] + added + GOOD[at + removed :]
    error = read_or_refuse(path, damaged.encode("utf-8", "replace"))
    if error is not None:
        assert all(POSITION.match(line) for line in error.splitlines()), error


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("abc %.-", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=4,
)


def flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}": {flow(item)}' for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        return f'"{value}"'
    return {"None": "~", "nan": ".nan", "inf": ".inf", "-inf": "-.inf"}.get(str(value), str(value))


LINES = [n for n, line in enumerate(GOOD.splitlines()) if not line.endswith(":")]


@FUZZ
@given(st.sampled_from(LINES), VALUES)
def test_any_value_of_any_key_is_read_or_refused_by_name(
    path: Path, number: int, value: object
) -> None:
    lines = GOOD.splitlines()
    name, _, _ = lines[number].partition(": ")
    lines[number] = f"{name}: {flow(value)}"
    error = read_or_refuse(path, "\n".join(lines).encode())
    if error is not None:
        assert all(NAMED.match(line) for line in error.splitlines()), error
        assert name.strip() in error or "deeper" in error


def test_a_size_that_is_too_large_for_so_many_bodies_is_named_with_their_number(
    tmp_path: Path,
) -> None:
    error = refused(tmp_path, "size_bytes: 1024", "size_bytes: 524289")
    assert "payload.templates: bodies of size_bytes each would take over" in error
