"""``python -m benchmarks.benchstat``: our comparisons beside those of Go's benchstat.

The samples are those that benchstat's own repository publishes (``benchmarks/data/benchstat``, with
their licence and origin), and so is what it says of them. Writes a line a comparison to
``results/benchmarks/benchstat.csv`` and the table in ``docs/method.md``.
"""

from __future__ import annotations

import csv
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click

from benchmarks.gobench import Result, read
from benchmarks.page import fill, grid
from spikebench.stats import Comparison, compare, holm
from spikebench.stats.comparison import ALPHA, FEWEST_TRIALS

ROOT = Path(__file__).parents[1]
DATA = Path(__file__).parent / "data" / "benchstat"
RESULT = ROOT / "results" / "benchmarks" / "benchstat.csv"
PAGE = ROOT / "docs" / "method.md"
MARK = "benchstat"

DELTA = 0.01
"""A change of 1 % is the smallest that may matter here: benchstat has no such bound."""

Key = Callable[[Result], str]


@dataclass(frozen=True)
class Published:
    """A data set: its files, how benchstat is asked for it, and how we gather the same samples.

    ``told`` is the file of benchstat's CSV output, ``units`` those that are compared.
    """

    name: str
    told: str
    files: tuple[str, ...]
    arguments: tuple[str, ...]
    column: Key
    row: Key
    keep: Callable[[Result], bool] = lambda _: True
    units: tuple[str, ...] = ("sec/op", "B/s")


SETS = (
    Published(
        "Encode, old and new",
        "encode.csv",
        ("old.txt", "new.txt"),
        (),
        lambda r: r.file,
        lambda r: r.name,
    ),
    Published(
        "CRC-32, old and new",
        "crc.csv",
        ("crc-old.txt", "crc-new.txt"),
        ("-ignore", "note"),
        lambda r: r.file,
        lambda r: r.name,
    ),
    Published(
        "CRC-32, polynomials",
        "crc-poly.csv",
        ("crc-new.txt",),
        ("-filter", "/align:0", "-row", "/size", "-col", "/poly"),
        lambda r: r.part("poly"),
        lambda r: r.part("size"),
        lambda r: r.part("align") == "0",
    ),
    Published(
        "suffix array, 32 and 64 bits",
        "suffix-array.csv",
        ("suffixarray.bench",),
        ("-col", "/bits"),
        lambda r: r.part("bits"),
        lambda r: r.without("bits"),
    ),
    Published(
        "FloatSub, 5 samples",
        "float-sub.csv",
        ("issue19634.txt",),
        ("-col", "note"),
        lambda r: r.note,
        lambda r: r.name,
    ),
)


@dataclass(frozen=True)
class Told:
    """What benchstat says of one benchmark: medians of base and other, and the p of its test."""

    unit: str
    row: str
    column: str
    medians: tuple[float, float]
    changed: bool
    p: float
    n: int


@dataclass(frozen=True)
class Pair:
    """One benchmark as benchstat and as we see it; ``ours`` is other against base, after Holm."""

    published: str
    told: Told
    medians: tuple[float, float]
    alone: Comparison
    ours: Comparison

    @property
    def agrees(self) -> bool:
        """Whether both see a change, the same way, or neither does."""
        return self.ours.verdict in ("A", "B") if self.told.changed else not self._differs

    @property
    def reason(self) -> str:
        """Why we differ from benchstat; empty where we do not."""
        if self.agrees:
            return ""
        if not self.told.changed:
            return "we see a change and benchstat does not"
        if min(self.ours.n_a, self.ours.n_b) < FEWEST_TRIALS:
            return f"stricter: under {FEWEST_TRIALS} trials a side"
        if self.ours.verdict == "equivalent":
            return f"real, and within {DELTA:.0%}: equivalent"
        if self.alone.p_mann_whitney is not None and self.alone.p_mann_whitney >= ALPHA:
            return "ties: the rank test's p is on the other side of 0.05"
        if self.alone.p_welch is not None and self.alone.p_welch >= ALPHA:
            return "stricter: Welch's test does not agree"
        return "stricter: Holm"

    @property
    def _differs(self) -> bool:
        return self.ours.verdict in ("A", "B")


def pairs(published: Published) -> list[Pair]:
    """Compare a data set as benchstat did; Holm goes over each of its tables (a unit, a column)."""
    samples = _samples(published)
    found = list(told(DATA / published.told, published.units))
    base = {one.unit: next(iter(samples[one.unit, one.row])) for one in found}
    sides = [
        (samples[one.unit, one.row][one.column], samples[one.unit, one.row][base[one.unit]])
        for one in found
    ]
    alone = [
        compare(other, first, DELTA, "higher" if one.unit == "B/s" else "lower")
        for one, (other, first) in zip(found, sides, strict=True)
    ]
    together = _by_table(found, alone)
    return [
        Pair(published.name, one, (median(first), median(other)), single, family)
        for one, (other, first), single, family in zip(found, sides, alone, together, strict=True)
    ]


def _samples(published: Published) -> dict[tuple[str, str], dict[str, list[float]]]:
    """Values by unit and row, and then by column in order of appearance."""
    samples: dict[tuple[str, str], dict[str, list[float]]] = {}
    for file in published.files:
        for result in filter(published.keep, read(DATA / file)):
            for unit, value in result.values.items():
                columns = samples.setdefault((unit, published.row(result)), {})
                columns.setdefault(published.column(result), []).append(value)
    return samples


def _by_table(found: Sequence[Told], alone: Sequence[Comparison]) -> list[Comparison]:
    families: dict[tuple[str, str], list[int]] = {}
    for place, one in enumerate(found):
        families.setdefault((one.unit, one.column), []).append(place)
    together = list(alone)
    for places in families.values():
        for place, comparison in zip(places, holm([alone[p] for p in places]), strict=True):
            together[place] = comparison
    return together


def told(path: Path, units: Sequence[str]) -> Iterator[Told]:
    """Read benchstat's CSV: a table has a line of columns, one of units, and one a benchmark."""
    columns: list[str] = []
    unit = ""
    for cells in csv.reader(path.read_text(encoding="utf-8").splitlines()):
        if len(cells) > 1 and not cells[0] and "CI" not in cells:
            columns = [Path(cell).name for cell in cells if cell]
        elif len(cells) > 1 and not cells[0]:
            unit = cells[1]
        elif len(cells) > 5 and cells[0] != "geomean" and unit in units:
            yield from _told(unit, columns, cells)


def _told(unit: str, columns: Sequence[str], cells: Sequence[str]) -> Iterator[Told]:
    for number, column in enumerate(columns[1:]):
        middle, _, change, judged = cells[3 + 4 * number : 7 + 4 * number]
        p, n = re.findall(r"p=([\d.]+) n=(\d+)", judged)[0]
        medians = float(cells[1]), float(middle)
        yield Told(unit, cells[0], column, medians, change != "~", float(p), int(n))


def table(found: Sequence[Pair]) -> str:
    """The table of agreement, a row a data set, and the exceptions by name under it."""
    reasons = list(dict.fromkeys(pair.reason for pair in found if pair.reason))
    header = ["data set", "comparisons", "medians agree", "verdicts agree", *reasons]
    sets = dict.fromkeys(pair.published for pair in found)
    rows = [
        _row(name, [pair for pair in found if pair.published == name], reasons) for name in sets
    ]
    listed = [f"- {reason}: {_names(found, reason)}" for reason in reasons]
    exceptions = "The exceptions, each with benchstat's p:\n\n" + "\n".join(listed)
    return f"\n{grid(header, rows)}\n\n{exceptions}\n\n"


def _row(name: str, found: Sequence[Pair], reasons: Sequence[str]) -> list[str]:
    agreeing = [sum(same(pair) for pair in found), sum(pair.agrees for pair in found)]
    differing = [sum(pair.reason == reason for pair in found) for reason in reasons]
    return [name, *map(str, [len(found), *agreeing, *differing])]


def _names(found: Sequence[Pair], reason: str) -> str:
    """The benchmarks that differ for a reason, with the p in each unit."""
    named: dict[str, list[str]] = {}
    for pair in found:
        if pair.reason == reason:
            named.setdefault(pair.told.row, []).append(f"{pair.told.unit} {pair.told.p:.3f}")
    return ", ".join(f"`{name}` ({', '.join(ps)})" for name, ps in named.items())


def same(pair: Pair) -> bool:
    """Whether both medians are benchstat's, but for rounding."""
    ours, theirs = pair.medians, pair.told.medians
    return all(abs(a - b) <= 1e-9 * abs(b) for a, b in zip(ours, theirs, strict=True))


def write(found: Iterable[Pair], path: Path) -> None:
    """Write a line a comparison: both sides' figures, verdicts, and why they differ."""
    header = ["set", "unit", "benchmark", "column", "n", "median_base", "median_other"]
    header += ["p_benchstat", "p_mann_whitney", "p_welch", "p_holm", "benchstat", "ours", "reason"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(_line(pair) for pair in found)


def _line(pair: Pair) -> list[str]:
    one, ours = pair.told, pair.ours
    words = {"A": "better", "B": "worse"}
    ps = (pair.alone.p_mann_whitney, pair.alone.p_welch, ours.p_different)
    return [
        *(pair.published, one.unit, one.row, one.column, str(one.n)),
        *(f"{middle:.6g}" for middle in pair.medians),
        f"{one.p:.3f}",
        *("" if p is None else f"{p:.4f}" for p in ps),
        "changed" if one.changed else "~",
        words.get(ours.verdict, ours.verdict),
        pair.reason,
    ]


@click.command()
@click.option(
    "--run",
    "tool",
    metavar="BENCHSTAT",
    help="Ask this program anew (go install golang.org/x/perf/cmd/benchstat@latest).",
)
def main(tool: str | None) -> None:
    """Compare published benchmark data with our tests and with benchstat's, and write both."""
    if tool:
        for published in SETS:
            _ask(tool, published)
    found = [pair for published in SETS for pair in pairs(published)]
    write(found, RESULT)
    fill(PAGE, MARK, table(found))
    click.echo(table(found))
    click.echo(f"written to {RESULT} and {PAGE}")


def _ask(tool: str, published: Published) -> None:
    command = [tool, "-format", "csv", *published.arguments, *published.files]
    ended = subprocess.run(command, cwd=DATA, capture_output=True, text=True, check=True)
    (DATA / published.told).write_text(ended.stdout, encoding="utf-8")


if __name__ == "__main__":
    main()
