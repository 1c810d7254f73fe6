"""``python -m benchmarks.simulation``: do verdicts, intervals and percentiles keep their promises?

Runs of known truth are simulated by the thousand and judged by the code that judges real ones. A
trial's value is log-normal around its cell's truth with 5 % spread, as a machine is uneven from
trial to trial. Seeds are fixed, so that a figure is the same each time. Writes
``results/benchmarks/simulation.csv`` and the table in ``docs/method.md``; the tests assert the same
figures.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import NormalDist

import click
import numpy as np
from scipy.stats import binomtest

from benchmarks.page import fill, grid
from spikebench.measure.latency import quantiles
from spikebench.stats import Comparison, compare, holm, interval
from spikebench.stats.comparison import ALPHA, FEWEST_TRIALS
from spikebench.stats.drift import trend

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "results" / "benchmarks" / "simulation.csv"
PAGE = ROOT / "docs" / "method.md"
MARK = "simulation"

RUNS = 2_000
SPREAD = 0.05
DELTA = 0.05
SEED = 20261125

COMPARISONS = 8
"""Comparisons of one run that share Holm's adjustment, where a family is simulated."""

SAMPLES = 2_000_000
STALL_SHARE = 1 / 500
SHOWN = (0.5, 0.99, 0.999)


@dataclass(frozen=True)
class Simulation:
    """A share of simulated runs, or a relative error where ``runs`` is 0, and its bounds."""

    name: str
    said: str
    least: float
    most: float
    simulate: Callable[[], float]
    runs: int = RUNS


@dataclass(frozen=True)
class Figure:
    """What a simulation came to."""

    asked: Simulation
    value: float

    @property
    def kept(self) -> bool:
        """Whether the promise holds."""
        return self.asked.least <= self.value <= self.asked.most

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of a share; None of an error."""
        if not self.asked.runs:
            return None
        counted = binomtest(round(self.value * self.asked.runs), self.asked.runs)
        found = counted.proportion_ci(method="wilson")
        return float(found.low), float(found.high)

    @property
    def promise(self) -> str:
        """The bounds in words; empty for a figure that only informs."""
        low, high = self.asked.least, self.asked.most
        if low <= 0 and high >= 1:
            return ""
        if low <= 0:
            return f"at most {high:.0%}"
        return f"at least {low:.0%}" if high >= 1 else f"{low:.0%} to {high:.0%}"


def trials(generator: np.random.Generator, truth: float, n: int) -> list[float]:
    """Per-trial values of a cell."""
    drawn: list[float] = (truth * np.exp(generator.normal(0.0, SPREAD, n))).tolist()
    return drawn


def comparisons(ratio: float, n: int, delta: float = DELTA) -> Iterator[Comparison]:
    """Compare two cells whose true ratio is known, once a simulated run; smaller is better."""
    generator = np.random.default_rng(SEED)
    for _ in range(RUNS):
        a, b = trials(generator, 100 * ratio, n), trials(generator, 100, n)
        yield compare(a, b, delta, "lower")


def verdicts(ratio: float, n: int, *wanted: str) -> float:
    """The share of runs that end with one of the verdicts."""
    return float(np.mean([each.verdict in wanted for each in comparisons(ratio, n)]))


def below(test: str, ratio: float, n: int) -> float:
    """The share of runs in which one of the two tests alone finds a difference."""
    return float(np.mean([getattr(each, test) < ALPHA for each in comparisons(ratio, n)]))


def family() -> float:
    """The share of runs of eight comparisons of identical cells with a difference among them."""
    generator = np.random.default_rng(SEED)

    def pair() -> Comparison:
        a, b = (trials(generator, 9, FEWEST_TRIALS) for _ in range(2))
        return compare(a, b, DELTA, "lower")

    runs = [holm([pair() for _ in range(COMPARISONS)]) for _ in range(RUNS)]
    return float(np.mean([any(one.verdict in ("A", "B") for one in run) for run in runs]))


def ratio_covered(n: int, truth: float = 1.3) -> float:
    """The share of runs whose interval of a ratio holds the truth."""
    found = comparisons(truth, n)
    return float(np.mean([(c.ci_low or 0) <= truth <= (c.ci_high or 0) for c in found]))


def cell_covered(n: int, truth: float = 42.0) -> float:
    """The share of cells whose interval holds the truth."""
    generator = np.random.default_rng(SEED)
    found = [interval(trials(generator, truth, n)) for _ in range(RUNS)]
    return float(np.mean([(one.low or 0) <= truth <= (one.high or 0) for one in found]))


def drifting(blocks: int, per_block: float = 0.0, shared: float = 0.0, cells: int = 4) -> float:
    """The share of runs that show a drift; ``shared`` is what the cells of a block have alike."""
    generator = np.random.default_rng(SEED)

    def shown() -> bool:
        common = generator.normal(0, shared, blocks) + np.log1p(per_block) * np.arange(blocks)
        logs = common + generator.normal(0, SPREAD, (cells, blocks))
        return trend(np.arange(blocks, dtype=np.float64), logs, "lower").shown

    return float(np.mean([shown() for _ in range(RUNS)]))


def log_normal(q: float) -> float:
    """Quantile of a log-normal latency around 2 ms, in nanoseconds."""
    return 2e6 * float(np.exp(0.6 * NormalDist().inv_cdf(q)))


def with_stalls(q: float) -> float:
    """Quantile where 1 message in 500 waits evenly between 0.5 and 1.5 s, others 1 to 3 ms."""
    quick = 1 - STALL_SHARE
    if q <= quick:
        return 1e6 + 2e6 * q / quick
    return 0.5e9 + 1e9 * (q - quick) / STALL_SHARE


def quantile_error(inverse: Callable[[float], float]) -> float:
    """The largest relative error of p50, p99 and p99.9.

    The samples are spread evenly over the distribution: there is no sampling error, and what is
    left is what the harness adds (rounding, binning, interpolation).
    """
    draws = np.random.default_rng(SEED).permutation((np.arange(SAMPLES) + 0.5) / SAMPLES)
    shown = quantiles(np.vectorize(inverse, otypes=[float])(draws).astype(np.int64))
    return max(abs((shown[str(q)] or 0.0) / inverse(q) - 1) for q in SHOWN)


def _coverage(n: int) -> list[Simulation]:
    ratio, cell = partial(ratio_covered, n), partial(cell_covered, n)
    return [
        Simulation(f"coverage-ratio-{n}", f"interval of a ratio, n {n}", 0.93, 0.97, ratio),
        Simulation(f"coverage-cell-{n}", f"interval of a cell, n {n}", 0.93, 0.97, cell),
    ]


def _no_drift(blocks: int, shared: float) -> Simulation:
    said = f"no drift, {blocks} blocks, {shared:.0%} from block to block: one is shown"
    name = f"drift-false-{blocks}-{shared:.2f}"
    return Simulation(name, said, 0, 0.05, partial(drifting, blocks, shared=shared))


SIMULATIONS: Sequence[Simulation] = (
    *(
        Simulation(
            f"false-positives-{n}",
            f"A/A, n {n}: a difference",
            0,
            0.05,
            partial(verdicts, 1.0, n, "A", "B"),
        )
        for n in (6, 10)
    ),
    Simulation("false-positives-family", "A/A, n 6, eight with Holm: any", 0, 0.05, family),
    Simulation("power-6", "10 % more, n 6: found", 0.8, 1, partial(verdicts, 1.1, 6, "B")),
    Simulation("power-less-6", "10 % less, n 6: found", 0.8, 1, partial(verdicts, 0.9, 6, "A")),
    Simulation("power-7", "10 % more, n 7: found", 0.8, 1, partial(verdicts, 1.1, 7, "B")),
    Simulation("power-10", "10 % more, n 10: found", 0.8, 1, partial(verdicts, 1.1, 10, "B")),
    Simulation("power-welch-6", "… by Welch alone, n 6", 0, 1, partial(below, "p_welch", 1.1, 6)),
    Simulation(
        "power-mann-whitney-6",
        "… by Mann-Whitney alone, n 6",
        0,
        1,
        partial(below, "p_mann_whitney", 1.1, 6),
    ),
    Simulation("wrong-way", "10 % more, n 6: the wrong side", 0, 0, partial(verdicts, 1.1, 6, "A")),
    Simulation(
        "equivalent-at-margin",
        "different by δ, n 10: equivalent",
        0,
        0.05,
        partial(verdicts, 1 + DELTA, 10, "equivalent"),
    ),
    *_coverage(6),
    *_coverage(10),
    *(_no_drift(blocks, shared) for blocks in (6, 10) for shared in (0.0, 0.10)),
    Simulation("drift-power-6", "3 % a block, 6 blocks: shown", 0, 1, partial(drifting, 6, 0.03)),
    Simulation(
        "drift-power-10", "3 % a block, 10 blocks: shown", 0, 1, partial(drifting, 10, 0.03)
    ),
    Simulation(
        "quantiles-log-normal",
        "p50, p99, p99.9 of a log-normal: error",
        0,
        0.01,
        partial(quantile_error, log_normal),
        runs=0,
    ),
    Simulation(
        "quantiles-stalls",
        "the same with a stall 1 in 500: error",
        0,
        0.01,
        partial(quantile_error, with_stalls),
        runs=0,
    ),
)


def table(found: Iterable[Figure]) -> str:
    """The table of all figures."""
    header = ["simulated", "share of runs [95 %]", "promised", "kept"]
    return f"\n{grid(header, map(_row, found))}\n\n"


def _row(figure: Figure) -> list[str]:
    kept = ("yes" if figure.kept else "**no**") if figure.promise else ""
    bounds = figure.interval
    if bounds is None:
        return [figure.asked.said, f"{figure.value:.1g}", figure.promise, kept]
    share = f"{figure.value:.1%} [{bounds[0]:.1%}, {bounds[1]:.1%}]"
    return [figure.asked.said, share, figure.promise, kept]


def write(found: Iterable[Figure], path: Path) -> None:
    """Write a line a figure."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("name", "value", "ci_low", "ci_high", "runs", "promised", "kept", "said"))
        writer.writerows(_line(figure) for figure in found)


def _line(figure: Figure) -> list[str]:
    bounds = figure.interval or ()
    return [
        figure.asked.name,
        f"{figure.value:.4g}",
        *([f"{bound:.4f}" for bound in bounds] or ["", ""]),
        str(figure.asked.runs),
        figure.promise,
        ("yes" if figure.kept else "no") if figure.promise else "",
        figure.asked.said,
    ]


@click.command()
def main() -> None:
    """Simulate runs of known truth and write what the verdicts made of them."""
    found = []
    for asked in SIMULATIONS:
        found.append(Figure(asked, asked.simulate()))
        click.echo("  ".join(_row(found[-1])))
    write(found, RESULT)
    fill(PAGE, MARK, table(found))
    click.echo(f"written to {RESULT} and {PAGE}")


if __name__ == "__main__":
    main()
