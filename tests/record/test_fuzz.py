"""Whatever a record file holds, it is read, or refused in one line with file, line and key."""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from spikebench.errors import RecordError
from spikebench.record import Record, TornLineWarning, read_records
from spikebench.report.markdown import to_markdown
from spikebench.report.screen import show
from spikebench.report.table import tabulate
from spikebench.report.tidy import to_csv
from tests.report.synthetic import candidates, run, scenario

FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
GOOD = [
    record.model_dump_json(by_alias=True)
    for record in run(blocks=2)
    if record.candidate in ("kafka", "rabbitmq-quorum", "kinesis")
]
HIT = 4
"""The line that is damaged, from 1; there are others before and after it."""

Key = tuple[str | int, ...]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "run.jsonl"


def read(path: Path, damaged: bytes) -> list[Record] | str:
    """The records of a file whose line ``HIT`` is ``damaged``, or the error it is refused with."""
    lines = [line.encode() for line in GOOD]
    path.write_bytes(b"\n".join([*lines[: HIT - 1], damaged, *lines[HIT:]]) + b"\n")
    try:
        return read_records(path)
    except RecordError as error:
        return str(error)


def assert_named(path: Path, error: str) -> str:
    """Check that an error is one line with file, line and key, and return what follows the line."""
    assert error.startswith(f"{path}:{HIT}: "), error
    assert error.isprintable(), error
    told = error.removeprefix(f"{path}:{HIT}: ")
    assert re.match(r".+: .+; .+", told), error
    return told


def places(value: Any, key: Key = ()) -> Iterator[Key]:
    """Every key of a record, at any depth."""
    members: Any = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        members = enumerate(value)
    for name, member in members:
        yield (*key, name)
        yield from places(member, (*key, name))


def changed(key: Key, new: Any, drop: bool) -> bytes:
    """The damaged line's record with one value replaced, or dropped."""
    whole = json.loads(GOOD[HIT - 1])
    at = whole
    for name in key[:-1]:
        at = at[name]
    if drop:
        del at[key[-1]]
    else:
        at[key[-1]] = new
    return json.dumps(whole).encode()


KEYS = list(places(json.loads(GOOD[HIT - 1])))
NUMBERS = (
    st.integers()
    | st.floats()
    | st.sampled_from([1e308, -1e308, 5e-324, 10**18, 10**400, -(10**30)])
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@FUZZ
@given(st.sampled_from(KEYS), VALUES)
def test_a_value_of_any_kind_is_read_or_refused_by_its_key(
    path: Path, key: Key, value: Any
) -> None:
    found = read(path, changed(key, value, drop=False))
    if isinstance(found, str):
        assert assert_named(path, found).startswith(str(key[0])), found
    else:
        tabulated(found)


@FUZZ
@given(st.sampled_from(KEYS))
def test_a_key_that_is_missing_is_named(path: Path, key: Key) -> None:
    found = read(path, changed(key, None, drop=True))
    if isinstance(found, str):
        assert assert_named(path, found).startswith(".".join(map(str, key)) + ": missing; "), found


@FUZZ
@given(st.text(max_size=80), VALUES)
def test_a_key_that_nobody_knows_is_named(path: Path, name: str, value: Any) -> None:
    found = read(path, changed((name,), value, drop=False))
    if isinstance(found, str):
        assert_named(path, found)
    else:
        assert name in Record.model_fields or name == "schema"


def tabulated(records: list[Record]) -> None:
    """What was read can be shown, however odd it is."""
    table = tabulate(records, {"change-data": scenario()}, candidates())
    to_markdown(table)
    to_csv(table)
    show(table, Console(file=io.StringIO()))


FRAGMENTS = st.binary(max_size=8) | st.sampled_from(
    [
        b"{",
        b"}",
        b"[" * 5_000,
        b"]",
        b'"',
        b"\\",
        b"\xff",
        b"\\ud800",
        b"NaN",
        b"1e999",
        b"9" * 5_000,
    ]
)


@FUZZ
@given(st.integers(0, len(GOOD[HIT - 1].encode())), st.integers(0, 20), FRAGMENTS)
def test_a_line_damaged_anywhere_is_read_or_refused_with_its_place(
    path: Path, at: int, removed: int, added: bytes
) -> None:
    line = GOOD[HIT - 1].encode()
    found = read(path, (line[:at] + added + line[at + removed :]).replace(b"\n", b" "))
    if isinstance(found, str):
        assert_named(path, found)


@FUZZ
@given(st.binary(max_size=200))
@example(b"")
@example(b"\x00" * 512)
@example(b"{" * 5_000)
@example(b'{"a":' * 5_000)
@example(b"[" * 950 + b"]" * 950)
@example(b'{"schema":' + b"[" * 950 + b"]" * 950 + b"}")
@example(b'{"schema":' + b"9" * 5_000 + b"}")
@example(b"\xfe\xff{}")
def test_a_line_of_any_bytes_is_refused_with_its_place(path: Path, line: bytes) -> None:
    found = read(path, line.replace(b"\n", b" "))
    assert isinstance(found, str)
    assert_named(path, found)


@FUZZ
@given(st.integers(0, sum(len(line.encode()) + 1 for line in GOOD)))
def test_a_file_cut_off_anywhere_has_all_its_whole_lines(path: Path, end: int) -> None:
    whole = ("\n".join(GOOD) + "\n").encode()[:end]
    path.write_bytes(whole)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TornLineWarning)
        records = read_records(path)
    complete = whole.count(b"\n")
    assert len(records) - complete in (0, 1)  # the last line's end alone may be missing
    assert [r.model_dump_json(by_alias=True) for r in records] == GOOD[: len(records)]


def test_of_a_key_given_twice_the_last_counts_as_everywhere_in_json(path: Path) -> None:
    found = read(path, GOOD[HIT - 1].replace('"block":', '"block":77,"block":').encode())
    assert not isinstance(found, str)
    assert found[HIT - 1].block != 77
