"""Whatever is done to a real scenario file, it is read, or refused with file, line and key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from spikebench.errors import ScenarioError
from spikebench.scenario.messages import MessageScenario
from spikebench.scenario.read import DECISION, read_scenario

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FOLDER = Path(__file__).parents[2] / "scenarios" / "messaging"
FILES = sorted(path for path in FOLDER.glob("*.yaml") if path.name != DECISION)
TEXTS = {path.name: path.read_bytes() for path in FILES}
LINE = re.compile(r".+\.yaml:[1-9][0-9]*: \S.*")

SYNTAX = [
    b"[",
    b"]",
    b"{",
    b"}",
    b": ",
    b"- ",
    b"? ",
    b"&a ",
    b"*a",
    b"<<: ",
    b"'",
    b'"',
    b"|",
    b">",
]
TAGS = [
    b"!!int ",
    b'!!int ""',
    b"!!float ",
    b"!!bool x",
    b"!!null x",
    b"!!set ",
    b"!!binary ",
    b"!x ",
]
DOCUMENTS = [b"%YAML 1.1\n---\n", b"---\n", b"...\n"]
BYTES = [b"\xff", b"\xc3", b"\x00", b"\t", b"\xef\xbb\xbf"]
NUMBERS = [b"0x" + b"f" * 5_000, b"9" * 5_000, b"1e999", b".inf", b".nan", b"-1", b"30 %"]
DAMAGE = st.binary(max_size=4) | st.sampled_from(
    [*SYNTAX, *TAGS, *DOCUMENTS, *BYTES, *NUMBERS, b"[" * 9]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def read(folder: Path, name: str, text: bytes) -> list[str]:
    """The lines of the error that a file is refused with; none where it is read."""
    (folder / name).write_bytes(text)
    told = refused(folder / name)
    for line in told:
        assert LINE.fullmatch(line), line
        assert line.isprintable(), line
    return told


def refused(path: Path) -> list[str]:
    try:
        read_scenario(path, MessageScenario)
    except ScenarioError as error:
        return str(error).split("\n")
    return []


def numbered(name: str) -> st.SearchStrategy[tuple[str, int]]:
    return st.tuples(st.just(name), st.integers(0, len(TEXTS[name])))


PLACES = st.sampled_from(sorted(TEXTS)).flatmap(numbered)


@FUZZ
@given(PLACES, st.integers(0, 30), DAMAGE)
def test_bytes_taken_out_or_put_in(
    folder: Path, place: tuple[str, int], removed: int, added: bytes
) -> None:
    name, at = place
    read(folder, name, TEXTS[name][:at] + added + TEXTS[name][at + removed :])


@FUZZ
@given(PLACES)
def test_cut_off_at_any_byte(folder: Path, place: tuple[str, int]) -> None:
    name, at = place
    read(folder, name, TEXTS[name][:at])


@FUZZ
@given(PLACES, DAMAGE)
@example(("change-data.yaml", 0), b"!!int ")
@example(("change-data.yaml", 0), b"!!float ")
def test_a_value_of_any_kind(folder: Path, place: tuple[str, int], value: bytes) -> None:
    name, at = place
    lines = TEXTS[name].split(b"\n")
    number = TEXTS[name].count(b"\n", 0, at)
    lines[number] = lines[number].partition(b": ")[0] + b": " + value
    read(folder, name, b"\n".join(lines))


@FUZZ
@given(PLACES, PLACES)
def test_a_line_given_twice_is_named_by_its_key(
    folder: Path, source: tuple[str, int], target: tuple[str, int]
) -> None:
    name, at = source
    lines = TEXTS[name].split(b"\n")
    line = lines[TEXTS[name].count(b"\n", 0, at)]
    lines.insert(min(target[1], len(lines)), line)
    told = read(folder, name, b"\n".join(lines))
    if len(told) == 1 and "given twice" in told[0]:
        assert line.decode().partition(":")[0].strip() in told[0]


@FUZZ
@given(PLACES)
def test_a_line_left_out(folder: Path, place: tuple[str, int]) -> None:
    name, at = place
    lines = TEXTS[name].split(b"\n")
    del lines[TEXTS[name].count(b"\n", 0, at)]
    read(folder, name, b"\n".join(lines))
