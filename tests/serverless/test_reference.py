"""The reference names every key, lever and profile there is, with defaults, options and blocks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from spikes.serverless.java.archive import archive_options
from spikes.serverless.java.options import ARCHIVE_LEVERS, jvm_options
from spikes.serverless.profiles import PROFILES
from spikes.serverless.scenario import SMOKE_INVOKES, ColdStart, Handler, Lever, Metric
from tests.scenario.test_reference import leaves, shown

REFERENCE = (Path(__file__).parents[2] / "docs" / "serverless.md").read_text(encoding="utf-8")
ROWS: dict[str, str] = dict(
    re.findall(r"^\| `([a-z0-9_.+-]+)` \| (.*) \|$", REFERENCE, re.MULTILINE)
)
MEMORY = re.findall(r"^\| (\d+) \| (\d+k) \| (\d+k) \| (\d+k) \|$", REFERENCE, re.MULTILINE)
KEYS = leaves(ColdStart)
LEVERS = get_args(Lever)


def cells(name: str) -> list[str]:
    return ROWS[name].split(" | ")


def test_nothing_is_explained_that_does_not_exist() -> None:
    assert set(ROWS) == {*KEYS, *LEVERS, *PROFILES}


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_key_is_explained_with_its_default(key: str) -> None:
    field = KEYS[key]
    assert cells(key)[1] == ("required" if field.is_required() else shown(field.default))


def test_bounds_are_those_of_the_model() -> None:
    bounds = {key: KEYS[key].metadata for key in ("memory_mb", "invokes.after_first")}
    for key, (least, most) in bounds.items():
        assert f"{least.ge:,} to {most.le:,}" in cells(key)[0]
    for key in ("invokes.init_s", "invokes.invoke_s", "invokes.about_s"):
        assert cells(key)[0] == f"s, up to {KEYS[key].metadata[1].le}"


def test_every_handler_and_metric_is_named() -> None:
    assert re.findall(r"`([^`]+)`", cells("handler")[0]) == list(get_args(Handler))
    (named,) = re.findall(r"^Metrics: ((?:.|\n)*?)\.$", REFERENCE, re.MULTILINE)
    assert re.findall(r"`([^`]+)`", named) == list(get_args(Metric))


def test_what_can_be_swept_is_named() -> None:
    (named,) = re.findall(r"^(`.*`) can be swept\.$", REFERENCE, re.MULTILINE)
    assert re.findall(r"`([^`]+)`", named) == list(ColdStart.SWEPT)


@pytest.mark.parametrize("lever", LEVERS)
@pytest.mark.parametrize("major", [11, 17, 21, 25])
def test_every_option_of_a_lever_is_told(lever: str, major: int) -> None:
    row = ROWS[lever] + "".join(ROWS[part] for part in _built_on(lever))
    plain = jvm_options(major, "baseline", 1024)
    given = [o for o in jvm_options(major, lever, 1024) if o not in plain]
    if lever.split("+")[0] in ARCHIVE_LEVERS:
        given += archive_options(lever, Path("/archive"))
    for option in given:
        # Sizes and places are not part of the words.
        name = re.sub(r"=(\d+k|/.*)$", "", option)
        assert f"`{name}`" in row, f"{lever} of Java {major}: {option}"


def _built_on(lever: str) -> list[str]:
    if lever == "lambda-runtime":
        return ["lambda-flags"]
    return [lever.split("+")[0]] if "+" in lever else []


@pytest.mark.parametrize("row", MEMORY, ids=[row[0] for row in MEMORY])
def test_memory_is_divided_as_told(row: tuple[str, str, str, str]) -> None:
    memory_mb, heap, classes, code = row
    options = jvm_options(11, "lambda-flags", int(memory_mb))
    assert f"-XX:MaxHeapSize={heap}" in options
    assert f"-XX:MaxMetaspaceSize={classes}" in options
    assert f"-XX:ReservedCodeCacheSize={code}" in options


def test_every_size_is_told_that_scenarios_sweep() -> None:
    assert [int(row[0]) for row in MEMORY] == [256, 512, 1024, 1769, 3008]


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_profile_is_explained_with_scenarios_and_blocks(name: str) -> None:
    profile = PROFILES[name]
    scenarios, blocks, parameters, verdicts = cells(name)
    named = re.findall(r"`([^`]+)`", scenarios)
    assert named == list(profile.scenarios or ())
    assert scenarios.startswith("all") is (profile.scenarios is None)
    assert blocks == str(profile.blocks)
    assert ("`full_sweep`" in parameters) is profile.full_sweep
    assert verdicts == ("yes" if profile.verdicts else "no")


def test_the_shortest_profile_has_as_many_invokes_as_told() -> None:
    assert f"{SMOKE_INVOKES} invokes after the first" in ROWS["smoke"]
