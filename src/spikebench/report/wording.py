"""The words tables share: verdicts, requirements and footnotes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from spikebench.record.trials import ParamsKey
from spikebench.report.column import NOTHING
from spikebench.report.declared import CEILING, Declared
from spikebench.report.requirement import NO_TRIAL, Headroom, Judgement
from spikebench.report.source import source
from spikebench.report.table import Row
from spikebench.scenario.model import Analysis
from spikebench.stats import Comparison, Drift

EMULATOR_NOTE = "emulator: shows behaviour; its timings say nothing of AWS"

CEILING_NOTE = "in memory: what the load generator itself can do"


@dataclass
class Footnotes:
    """Reasons collected while a table is written; the same reason has one number."""

    reasons: list[str] = field(default_factory=list)

    def mark(self, *reasons: str) -> str:
        """Return the marks of ``reasons`` as superscripts, empty for none."""
        plain = [printable(reason) for reason in reasons]
        for reason in plain:
            if reason not in self.reasons:
                self.reasons.append(reason)
        return "˒".join(_superscript(self.reasons.index(reason) + 1) for reason in plain)

    def lines(self) -> list[str]:
        """The footnotes themselves, ``¹ reason``."""
        return [f"{_superscript(number)} {reason}" for number, reason in enumerate(self.reasons, 1)]


def printable(text: str) -> str:
    """The text in one line without what would steer a terminal: a reason may quote a log."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _superscript(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def trials(row: Row) -> str:
    """How many trials count, and how many were void."""
    return f"{len(row.cell.valid)} ({row.cell.void})"


def about(row: Row) -> list[str]:
    """What a reader must know of a row before reading its figures."""
    ceiling = [CEILING_NOTE] if row.cell.candidate == CEILING else []
    emulator = [EMULATOR_NOTE] if row.cell.fidelity == "emulator" else []
    return [*ceiling, *emulator, *filter(None, [source(row.cell)])]


def params(key: ParamsKey) -> str:
    """Parameters as text, empty where there are none."""
    return ", ".join(f"{name}={value}" for name, value in key)


def baseline(analysis: Analysis) -> str:
    """What rows are compared with: a candidate, or a parameter's value and then a candidate."""
    own = params(tuple(analysis.baseline_params.items()))
    return f"{own}, that against {analysis.baseline}," if own else analysis.baseline


def why_void(row: Row) -> list[str]:
    """The reasons of trials that do not count."""
    return [f"{reason} ({n}×)" if n > 1 else reason for reason, n in row.cell.reasons.items()]


def requirement(judgement: Judgement | None) -> str:
    """``met``, ``not met`` or ``not shown``, with the measured headroom where there is one."""
    if judgement is None:
        return NOTHING
    if judgement.headroom is None:
        return judgement.outcome
    return f"{judgement.outcome} {headroom(judgement.headroom)}"


def headroom(found: Headroom) -> str:
    """Capacity over the required rate, to two digits: a figure, a least one, or both its bounds."""
    if found.exact:
        return f"{_digits(found.held)}×"
    if found.failed is None:
        return f"≥{_digits(found.held)}×"
    return f"{_digits(found.held)}–{_digits(found.failed)}×"


def _digits(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"


def why_judged(judgement: Judgement | None) -> tuple[str, ...]:
    """What a requirement turned on; that a cell has no trial is said beside their number."""
    return _of_trials(() if judgement is None else judgement.reasons)


def bounds(judgement: Judgement | None) -> tuple[str, ...]:
    """The same without the intervals, which stand in the row."""
    return _of_trials(() if judgement is None else judgement.bounds)


def _of_trials(reasons: Iterable[str]) -> tuple[str, ...]:
    return tuple(reason for reason in reasons if not reason.startswith(NO_TRIAL))


def ratio(comparison: Comparison) -> str:
    """The ratio with its 95 % interval; ``—`` where there is none."""
    if comparison.ratio is None:
        return NOTHING
    return f"{comparison.ratio:.2f}× [{comparison.ci_low:.2f}, {comparison.ci_high:.2f}]"


def in_short(comparison: Comparison) -> str:
    """The ratio and what it comes to in a word; ``—`` where no verdict was to be had."""
    words = {"A": "better", "B": "worse", "equivalent": "same", "unresolved": "open"}
    if comparison.verdict not in words:
        return NOTHING
    shown = "" if comparison.ratio is None else f"{_short(comparison.ratio)} "
    return shown + words[comparison.verdict]


def _short(ratio: float) -> str:
    """Two decimals where there is room for them; never a ratio of 0, which there is not."""
    if ratio < 0.005:
        return "<.01"
    return f"{ratio:.{2 if ratio < 9.995 else 1 if ratio < 99.95 else 0}f}"


def verdict(declared: Declared, names: tuple[str, str] | None = None) -> str:
    """Who is better in words (by ``names``, else by candidate), or why that is not said."""
    comparison = declared.comparison
    told = f": {comparison.reason}" if comparison.reason else ""
    if comparison.verdict == "equivalent":
        return f"equivalent within ±{comparison.delta:.0%}{told}"
    if comparison.verdict in ("A", "B"):
        a, b = names or declared.names
        return f"{a if comparison.verdict == 'A' else b} better{told}"
    return f"{comparison.verdict}{told}"


def itself(one: Declared) -> str:
    """Which cell was measured against itself."""
    swept = "".join(f", {name}={value}" for name, value in one.a.params)
    return f"{one.a.scenario}{swept}: {one.a.candidate} ({one.a.client})"


def drift(found: Drift, interleaved: bool = True) -> str:
    """What a test of drift came to: its change a block, and what that means for comparisons.

    ``interleaved`` is whether what is compared lies in the same blocks, as it does within a run.
    """
    if found.p is None:
        return f"drift: {NOTHING}, {found.blocks} blocks are too few to tell"
    figures = f"drift: {_change(found)}, p {p_value(found.p)}"
    if not found.shown:
        return f"{figures}: none is shown"
    told = "the machine slowed down" if found.worse else "the machine got faster"
    stands = (
        "blocks are interleaved, so comparisons stand"
        if interleaved
        else "two runs are not interleaved: a difference between them may be drift"
    )
    return f"{figures}: {told}; {stands}"


def drifts(row: Row) -> list[str]:
    """That a cell got slower or faster by itself as the run went on."""
    if row.drift is None:
        return []
    way = "worse" if row.drift.worse else "better"
    return [
        f"drifts by itself: {_change(row.drift)}, got {way} beside the others from block to block, "
        "so that its figures depend on how long it ran"
    ]


def _change(found: Drift) -> str:
    """The change a block in per cent, with its interval."""
    change, low, high = (100 * (part or 0.0) for part in (found.per_block, found.low, found.high))
    return f"{change:+.1f} % a block [{low:.1f}, {high:.1f}]"


def p_value(p: float | None) -> str:
    """A p value with three digits, never 0."""
    if p is None:
        return NOTHING
    return "<0.001" if p < 0.001 else f"{p:.3f}"
