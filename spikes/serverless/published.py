"""Cold starts as others published them, as records of their own beside ours.

The file gives, per runtime, package, architecture and memory, the median and 95th percentile of
Init Duration, the *mean* Duration of the first invoke, and how many starts there were. A published
figure is one value: it has no trials of ours, and so no interval.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spikebench.errors import ScenarioError
from spikebench.measure.outcome import Metric
from spikebench.record.model import Record

CLIENT = "lambda-perf"
"""What drove the functions: the published benchmark's own caller."""

PUBLISHED = Path(__file__).parents[2] / "scenarios/serverless/published/lambda-cold-starts.csv"

_COLUMNS = (
    "runtime",
    "package",
    "architecture",
    "memory_mb",
    "init_ms_median",
    "init_ms_p95",
    "first_ms_mean",
    "memory_used_mb",
    "n",
)

# Where the operating system is the runtime, the file has both; Amazon Linux 2023 is the current.
_RUNTIMES = {
    ("java-11", "baseline"): r"java(11)",
    ("java-17", "baseline"): r"java(17)",
    ("java-21", "baseline"): r"java(21)",
    ("java-25", "baseline"): r"java(25)",
    ("java-11", "snapstart"): r"java(11) snapstart",
    ("java-17", "snapstart"): r"java(17) snapstart",
    ("java-21", "snapstart"): r"java(21) snapstart",
    ("java-25", "snapstart"): r"java(25) snapstart",
    ("java-17", "native"): r"graalvm java(17) \(prov\.\w+\)",
    ("java-21", "native"): r"graalvm java(21) \(prov\.\w+\)",
    ("java-25", "native"): r"graalvm java(25) \(prov\.\w+\)",
    ("python", "baseline"): r"python(\d+\.\d+)",
    ("node", "baseline"): r"nodejs(\d+)\.x",
    ("go", "baseline"): r"go \(prov\.al(2023)\)",
    ("rust", "baseline"): r"rust \(prov\.al(2023)\)",
}
"""From candidate and lever to the file's names of runtimes, the version in brackets."""

_VERSIONED = {"python": "Python", "node": "Node.js"}
"""Candidates whose version is that of the machine, so that the nearest published one stands in."""


@dataclass(frozen=True)
class Row:
    """One line of the file; durations in whole ms, memory in MB, ``n`` cold starts."""

    runtime: str
    package: str
    architecture: str
    memory_mb: int
    init_ms_median: int
    init_ms_p95: int
    first_ms_mean: int
    memory_used_mb: int
    n: int


@dataclass(frozen=True)
class Published:
    """The file: its rows, and the first line of its header, which says where they are from."""

    source: str
    rows: tuple[Row, ...]

    def find(self, runtime: str, package: str, architecture: str, memory_mb: int) -> Row | None:
        """Return the row of just that, or None."""
        wanted = (runtime, package, architecture, memory_mb)
        for row in self.rows:
            if (row.runtime, row.package, row.architecture, row.memory_mb) == wanted:
                return row
        return None


@dataclass(frozen=True)
class Wanted:
    """A cell of ours that a published row is looked for.

    ``version`` is that of the local runtime, such as ``3.11.2``; empty where it is not known. What
    is swept goes into ``params``, under the names that our own rows have.
    """

    candidate: str
    memory_mb: int
    lever: str = "baseline"
    version: str = ""
    package: str = "zip"
    architecture: str = "x86_64"
    params: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Match:
    """The published row for a cell, or None, and why: which version stands in, or what lacks."""

    row: Row | None
    why: str = ""


def read_published(path: Path = PUBLISHED) -> Published:
    """Return the file's rows; raise ScenarioError naming file, line and column."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}:1: cannot be read ({error}); check the path") from None
    head = [line for line in lines if line.startswith("#")]
    body = [(at, line) for at, line in enumerate(lines, 1) if line and not line.startswith("#")]
    if not head or not body:
        raise ScenarioError(f"{path}:1: has no source in a comment, or no rows; restore the file")
    (at, names), *rest = body
    if tuple(names.split(",")) != _COLUMNS:
        raise ScenarioError(f"{path}:{at}: columns have to be {','.join(_COLUMNS)}; mend the file")
    rows = tuple(_row(path, at, line) for at, line in rest)
    _refuse_twice(path, rest, rows)
    return Published(head[0].lstrip("# "), rows)


def _row(path: Path, at: int, line: str) -> Row:
    cells = next(csv.reader([line]))
    if len(cells) != len(_COLUMNS):
        what = f"{len(cells)} columns where {len(_COLUMNS)} are; mend the line"
        raise ScenarioError(f"{path}:{at}: {what}")
    for name, cell in zip(_COLUMNS[3:], cells[3:], strict=True):
        if not re.fullmatch(r"\d{1,9}", cell):
            raise ScenarioError(f"{path}:{at}: {name}: {cell!r} is no number; mend the line")
    runtime, package, architecture, *numbers = cells
    return Row(runtime, package, architecture, *map(int, numbers))


def _refuse_twice(path: Path, lines: list[tuple[int, str]], rows: tuple[Row, ...]) -> None:
    seen: dict[tuple[str, str, str, int], int] = {}
    for (at, _), row in zip(lines, rows, strict=True):
        key = (row.runtime, row.package, row.architecture, row.memory_mb)
        first = seen.setdefault(key, at)
        if first != at:
            raise ScenarioError(f"{path}:{at}: as on line {first}; keep one of them")


def match(published: Published, wanted: Wanted) -> Match:
    """Return the published row of a cell; memory, package and architecture are never bent.

    Java's and the compiled languages' versions are never bent either; of Python and Node.js the
    nearest published version stands in, the newer of two as near, and the newest for a version that
    is not known. ``why`` says so.
    """
    pattern = _RUNTIMES.get((wanted.candidate, wanted.lever))
    found = _versions(published, pattern) if pattern else {}
    if not found:
        return Match(None, f"nothing published for {wanted.candidate} {wanted.lever}")
    version, why = _nearest(wanted, list(found))
    runtime = found[version]
    row = published.find(runtime, wanted.package, wanted.architecture, wanted.memory_mb)
    if row is not None:
        return Match(row, why)
    sizes = sorted({r.memory_mb for r in published.rows if r.runtime == runtime})
    where = f"{wanted.memory_mb} MB, {wanted.package}, {wanted.architecture}"
    return Match(
        None, f"{runtime} not published at {where}; sizes are {', '.join(map(str, sizes))}"
    )


def _versions(published: Published, pattern: str) -> dict[str, str]:
    """The runtimes that a pattern names, by version."""
    names = dict.fromkeys(row.runtime for row in published.rows)
    matches = ((re.fullmatch(pattern, name), name) for name in names)
    return {matched[1]: name for matched, name in matches if matched}


def _nearest(wanted: Wanted, versions: list[str]) -> tuple[str, str]:
    language = _VERSIONED.get(wanted.candidate)
    if language is None:
        return versions[0], ""
    if not re.fullmatch(r"v?\d+(\.\d+)*", wanted.version):  # none, or none that has a place
        newest = max(versions, key=_ordinal)
        return newest, f"{language} {newest}, the newest published; the local version is not known"
    depth = versions[0].count(".") + 1
    local = ".".join(wanted.version.lstrip("v").split(".")[:depth])
    if local in versions:
        return local, ""
    nearest = min(versions, key=lambda v: (abs(_ordinal(v) - _ordinal(local)), -_ordinal(v)))
    return nearest, f"{language} {nearest} stands in for {local}, which was not published"


def _ordinal(version: str) -> int:
    """A version as one number: 3.11 → 3011, 20 → 20."""
    number = 0
    for part in version.split("."):
        number = number * 1000 + int(part)
    return number


def record(
    published: Published,
    wanted: Wanted,
    *,
    run_id: str,
    scenario: str,
    started_at: str,
    spike: str = "serverless",
) -> tuple[Record | None, str]:
    """Return a published row as a record, or None, and why (see ``match``).

    ``started_at`` is that of the run it is shown in: runs are put in order by it. The machine is
    not ours, so the record has no environment; its region is named in ``versions``.
    """
    found = match(published, wanted)
    if found.row is None:
        return None, found.why
    swept = [f"{name}={value}" for name, value in wanted.params.items()]
    key = "-".join([scenario, wanted.candidate, CLIENT, "published", *swept]).replace(" ", "")
    made = Record(
        run_id=run_id,
        spike=spike,
        scenario=scenario,
        candidate=wanted.candidate,
        client=CLIENT,
        target="published",
        fidelity="published",
        params=dict(wanted.params),
        cell=key,
        block=0,
        trial=0,
        seed=0,
        started_at=started_at,
        duration_s=0.0,
        status="valid",
        metrics=metrics(published.source, found.row, found.why),
        versions={"runtime": found.row.runtime, "source": published.source},
    )
    return made, found.why


def metrics(source: str, row: Row, why: str = "") -> dict[str, Metric]:
    """Return a row as metrics in ms, each saying what it is of how many starts, and whose."""
    of = f"{row.n} cold starts of {row.runtime} ({row.package}, {row.architecture}, "
    told = "; ".join(filter(None, (f"of {of}{row.memory_mb} MB)", why, source)))

    def metric(value: float, what: str) -> Metric:
        return Metric(value=value, unit="ms", better="lower", n=row.n, note=f"{what} {told}")

    total = row.init_ms_median + row.first_ms_mean
    return {
        "init": metric(row.init_ms_median, "median Init Duration"),
        "first_invoke": metric(row.first_ms_mean, "mean Duration of the first invoke"),
        "cold_start": metric(
            total, "sum of a median (Init Duration) and a mean (first invoke), so neither,"
        ),
    }


def records(
    published: Published,
    cells: Iterable[Wanted],
    *,
    run_id: str,
    scenario: str,
    started_at: str,
) -> tuple[list[Record], list[str]]:
    """Return a record for each cell that has a published row, and why others have none."""
    made: list[Record] = []
    lacking: dict[str, None] = {}
    for wanted in cells:
        found, why = record(
            published, wanted, run_id=run_id, scenario=scenario, started_at=started_at
        )
        if found is None:
            lacking[why] = None
        else:
            made.append(found)
    return made, list(lacking)
