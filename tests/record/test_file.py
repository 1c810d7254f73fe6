"""Record files: what is written comes back, and what a crash leaves behind harms nothing else."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from spikebench.errors import RecordError
from spikebench.record import (
    Event,
    Ledger,
    Metric,
    Record,
    RecordFile,
    Resources,
    TornLineWarning,
    read_records,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
seconds = st.floats(-1e15, 1e15)
counts = st.integers(min_value=0, max_value=10**15)
words = st.text(max_size=20)
LEDGER = [field.name for field in fields(Ledger)]


@st.composite
def any_record(draw: st.DrawFn) -> Record:
    metric = st.builds(
        Metric, value=st.none() | st.floats(-1e15, 1e15), unit=words, n=st.none() | counts
    )
    event = st.builds(Event, what=words, began_s=seconds, ended_s=seconds)
    return Record(
        schema=1,
        run_id=draw(words),
        spike=draw(words),
        scenario=draw(words),
        candidate=draw(words),
        client=draw(words),
        target=draw(words),
        fidelity=draw(st.sampled_from(["service", "software", "emulator"])),
        params=draw(st.dictionaries(words, words | st.integers() | finite, max_size=3)),
        cell=draw(words),
        block=draw(st.integers(-1, 100)),
        trial=draw(counts),
        seed=draw(counts),
        started_at=draw(words),
        duration_s=draw(finite),
        status=draw(st.sampled_from(["valid", "void", "failed", "unavailable"])),
        reason=draw(words),
        metrics=draw(st.dictionaries(words, metric, max_size=3)),
        quantiles=draw(
            st.dictionaries(
                words, st.dictionaries(words, st.none() | finite, max_size=2), max_size=2
            )
        ),
        ledger=draw(st.none() | st.builds(Ledger, **dict.fromkeys(LEDGER, counts))),
        resources=Resources(peak_rss=draw(st.none() | counts)),
        series=draw(st.dictionaries(words, st.lists(finite, max_size=3), max_size=2)),
        events=tuple(draw(st.lists(event, max_size=2))),
        environment=draw(st.dictionaries(words, words, max_size=2)),
    )


def a_record(**changes: object) -> Record:
    values: dict[str, object] = dict.fromkeys(
        ("run_id", "spike", "scenario", "candidate", "client", "target", "cell", "started_at"), "x"
    )
    values |= {"schema": 1, "fidelity": "software", "params": {}, "status": "valid"}
    values |= {"block": 0, "trial": 1, "seed": 2, "duration_s": 1.5}
    return Record.model_validate(values | changes)


def write(path: Path, *records: Record) -> None:
    with RecordFile(path) as file:
        for record in records:
            file.append(record)


@settings(max_examples=60, deadline=None)
@given(records=st.lists(any_record(), max_size=4))
def test_what_is_appended_is_read_back(
    records: list[Record], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("runs") / "deep" / "run.jsonl"
    write(path, *records)
    assert read_records(path) == records


def test_every_trial_is_on_disk_when_append_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bytes] = []
    path = tmp_path / "run.jsonl"
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(path.read_bytes()))
    write(path, a_record(trial=1), a_record(trial=2))
    assert [data.count(b"\n") for data in synced] == [1, 2]


def test_a_torn_last_line_is_left_out_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    write(path, a_record(trial=1), a_record(trial=2))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.warns(TornLineWarning, match=r"run\.jsonl:2: half-written"):
        records = read_records(path)
    assert [record.trial for record in records] == [1]


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_a_file_cut_anywhere_keeps_every_whole_trial(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("runs") / "run.jsonl"
    trials = [a_record(trial=trial, reason="ü") for trial in range(3)]
    write(path, *trials)
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    kept = sum(cut >= end for end in _ends(whole))
    with RecordFile(path) as file:
        file.append(a_record(trial=99))
    assert read_records(path) == [*trials[:kept], a_record(trial=99)]


def _ends(whole: bytes) -> list[int]:
    """Where each trial is complete: its line's end may be missing."""
    return [place for place, byte in enumerate(whole) if byte == ord("\n")]


def test_a_whole_last_line_without_its_end_counts(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    write(path, a_record(trial=1))
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert [record.trial for record in read_records(path)] == [1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": "fine"}, "status"),
        ({"colour": "red"}, "colour"),
        ({"metrics": {"rate": {"value": "fast", "unit": "msg/s"}}}, "metrics.rate.value"),
        ({"metrics": {"rate": {"value": 1e16, "unit": "msg/s"}}}, "metrics.rate.value"),
        ({"metrics": {"rate": {"value": 1, "unit": "msg/s", "n": 10**400}}}, "metrics.rate.n"),
        ({"resources": {"peak_rss": -1}}, "resources.peak_rss"),
        ({"ledger": {"sent": 1}}, "ledger.confirmed"),
        ({"block": None}, "block"),
        ({"block": "0"}, "block"),
        ({"duration_s": True}, "duration_s"),
        ({"metrics": {"a\nb": {"value": 1, "unit": []}}}, r"metrics.'a\nb'.unit"),
    ],
)
def test_a_malformed_line_is_named_with_its_key(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    path = tmp_path / "run.jsonl"
    write(path, a_record(), a_record(), a_record())
    lines = path.read_text().splitlines()
    lines[1] = json.dumps(json.loads(lines[1]) | change)
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(RecordError) as caught:
        read_records(path)
    assert str(caught.value).startswith(f"{path}:2: {said}: ")


def test_a_line_that_does_not_say_its_schema_is_none_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    values = a_record().model_dump(by_alias=True)
    del values["schema"]
    path.write_text(json.dumps(values) + "\n")
    with pytest.raises(RecordError, match=r"run\.jsonl:1: schema: missing; "):
        read_records(path)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_metric_that_is_no_finite_number_is_refused(tmp_path: Path, number: str) -> None:
    path = tmp_path / "run.jsonl"
    write(path, a_record(metrics={"rate": Metric(value=12345.0, unit="msg/s")}))
    path.write_text(path.read_text().replace("12345.0", number))
    with pytest.raises(RecordError, match=r"run\.jsonl:1: metrics\.rate\.value: "):
        read_records(path)


def test_the_place_of_a_syntax_error_is_told_within_the_line(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    write(path, a_record(), a_record())
    lines = path.read_text().splitlines()
    path.write_text(f"{lines[0]}\n{lines[1][:30]}!\n")
    with pytest.raises(RecordError) as caught:
        read_records(path)
    assert str(caught.value).startswith(f"{path}:2: line: Invalid JSON: ")
    assert re.search(r" at character \d+; mend the line", str(caught.value))
    assert "line 1" not in str(caught.value)


def test_another_schema_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    for values in ({"schema": 2}, a_record().model_dump(by_alias=True) | {"schema": 2}):
        path.write_text(json.dumps(values) + "\n")
        with pytest.raises(RecordError, match=r"run\.jsonl:1: schema: .* version 2, .* version 1"):
            read_records(path)


def test_a_whole_last_line_of_another_version_is_not_thrown_away(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    line = json.dumps({"schema": 2, "colour": "red"})
    path.write_text(line)
    with pytest.raises(RecordError, match="version 2"):
        read_records(path)
    RecordFile(path).close()
    assert path.read_text() == line + "\n"


nested = st.recursive(st.none() | words, st.lists, max_leaves=10)


@settings(max_examples=150, deadline=None)
@given(junk=st.binary(max_size=200) | nested.map(lambda value: json.dumps(value).encode()))
def test_whatever_stands_in_a_file_there_is_one_clear_error(
    junk: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("runs") / "run.jsonl"
    path.write_bytes(junk + b"\n")
    with pytest.raises(RecordError, match=r"run\.jsonl:\d+: "):
        read_records(path)


def test_deep_nesting_is_an_error_and_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(b"[" * 100_000 + b"\n")
    with pytest.raises(RecordError, match=r"run\.jsonl:1: "):
        read_records(path)


def test_missing_and_unreadable_files_are_record_errors(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"none\.jsonl: cannot be read: No such file"):
        read_records(tmp_path / "none.jsonl")
    with pytest.raises(RecordError, match="Is a directory"):
        read_records(tmp_path)


def test_a_full_disk_keeps_earlier_trials_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.jsonl"
    pwrite = os.pwrite

    def half(fd: int, data: bytes, offset: int) -> int:
        if offset > size + 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(fd, data[:30], offset)

    with RecordFile(path) as file:
        file.append(a_record(trial=1))
        size = path.stat().st_size
        monkeypatch.setattr(os, "pwrite", half)
        with pytest.raises(RecordError, match=r"No space left.*earlier are intact.*--resume"):
            file.append(a_record(trial=2))
        assert [record.trial for record in read_records(path)] == [1]
        monkeypatch.undo()
        file.append(a_record(trial=3))
    assert [record.trial for record in read_records(path)] == [1, 3]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_device_that_is_full_refuses(tmp_path: Path) -> None:
    link = tmp_path / "run.jsonl"
    link.symlink_to("/dev/full")
    with pytest.raises(RecordError, match=r"run\.jsonl: "), RecordFile(link) as file:
        file.append(a_record())


def test_a_folder_that_cannot_be_made_is_a_record_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="cannot be opened for writing"):
        RecordFile(tmp_path / "file" / "run.jsonl")


def test_one_writer_at_a_time_across_processes(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    code = (
        "import sys; from pathlib import Path; from spikebench.record import RecordFile\n"
        "from spikebench.errors import RecordError\n"
        "try: RecordFile(Path(sys.argv[1])).close(); print('written')\n"
        "except RecordError as error: print(error)"
    )
    ask = [sys.executable, "-c", code, str(path)]
    with RecordFile(path):
        refused = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
    allowed = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
    assert "another process is writing" in refused
    assert allowed.strip() == "written"


def test_close_twice_is_safe(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "run.jsonl")
    file.close()
    file.close()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused_where_it_is_made(value: float) -> None:
    with pytest.raises(ValidationError):
        a_record(duration_s=value)
    with pytest.raises(ValidationError):
        a_record(series={"rate": [1.0, value]})
