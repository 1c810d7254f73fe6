"""What a person sees while a run goes on: a line a trial, and a running figure on a terminal."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from shutil import get_terminal_size

import pytest
from _pytest.capture import CaptureManager

from spikebench.cell import Cell
from spikebench.record import Metric, Record

SHOWN = {
    "throughput": "",
    "publish_p50": "publish p50 ",
    "end_to_end_p50": "end to end p50 ",
    "end_to_end_p99": "p99 ",
}
"""The metrics of a trial's line, and what stands before each."""

QUIET_S = 5.0
"""Off a terminal, how long lines of one kind (alike up to a colon) are kept back after one."""


@dataclass
class Progress:
    """Writes to pytest's terminal; on anything but a terminal only whole lines.

    ``expected_s`` is the first estimate of what is to be measured, without what an earlier start
    of the run has measured already; what is left is then scaled by how long the trials so far took.
    """

    terminal: pytest.TerminalReporter
    capture: CaptureManager | None = None
    total: int = 0
    expected_s: float = 0.0
    _done: int = 0
    _passed_over: int = 0
    _expected_done_s: float = 0.0
    _began: float = field(default_factory=time.monotonic)
    _head: str = ""
    _open_line: bool = False
    _said: str = ""
    _said_at: float = 0.0

    def begin(self, trials: int, expected_s: float) -> None:
        """Start counting."""
        self.total, self.expected_s = trials, expected_s
        self._began = time.monotonic()

    def start(self, cell: Cell, block: int) -> None:
        """Say which trial is being measured."""
        self._head = f"[{self._done + 1}/{self.total}] block {block + 1} {_name(cell)}"
        self._rewrite(self._head)

    def running(self, figures: str) -> None:
        """Show the running figures of the trial in hand."""
        self._rewrite(f"{self._head}: {figures}")

    def say(self, text: str) -> None:
        """Report a step that is not a trial: fetching, starting, searching."""
        if self.terminal.isatty:
            self._rewrite(f"{self._head} · {text}" if self._head else text)
        elif not self._again(text):
            self._line(f"  · {text}")

    def end(self, cell: Cell, record: Record | None) -> None:
        """Write the line of a trial that has ended."""
        self._done += 1
        if record is None:
            self._passed_over += 1
        else:
            self._expected_done_s += cell.seconds
        figures = _figures(cell, record) if record else "already measured"
        self._line(f"{self._head}: {figures} · {self._clock()}")

    def _again(self, text: str) -> bool:
        """Whether this only counts on from a line of moments ago, as downloads do."""
        kind, _, _ = text.partition(":")
        counts_on = kind == self._said and time.monotonic() - self._said_at < QUIET_S
        if not counts_on:
            self._said, self._said_at = kind, time.monotonic()
        return counts_on and ":" in text

    def _clock(self) -> str:
        elapsed = time.monotonic() - self._began
        return f"{_span(elapsed)} elapsed, {_span(self._left(elapsed))} left"

    def _left(self, elapsed: float) -> float:
        """Estimate what is left, trusting the pace so far the more of the run is behind.

        What was measured before this run went on with it took no time, and says nothing of pace.
        """
        ahead = max(self.expected_s - self._expected_done_s, 0.0)
        measured = self._done - self._passed_over
        if not measured:
            return ahead
        share = measured / (self.total - self._passed_over)
        return (1 - share) * ahead + share * elapsed / measured * (self.total - self._done)

    def _rewrite(self, text: str) -> None:
        if not self.terminal.isatty:
            return
        with self._uncaptured():
            self.terminal.rewrite(text[: get_terminal_size().columns - 1], erase=True)
        self._open_line = True

    def _line(self, text: str) -> None:
        with self._uncaptured():
            if self._open_line:
                self.terminal.rewrite(text, erase=True)
                self.terminal.write("\n", flush=True)
            else:
                self.terminal.write_line(text, flush=True)
        self._open_line = False

    def _uncaptured(self) -> AbstractContextManager[None]:
        """While a test runs, what is written to the terminal would be kept as the test's output."""
        return self.capture.global_and_fixture_disabled() if self.capture else nullcontext()


def _name(cell: Cell) -> str:
    """The cell in the words of the command line."""
    params = [f"{name}={value}" for name, value in cell.params.items()]
    parts = [cell.scenario.scenario, cell.candidate.name, cell.client.name, cell.berth.target]
    return " ".join([*parts, *params, *filter(None, [cell.arm])])


def _figures(cell: Cell, record: Record) -> str:
    if record.status != "valid":
        return f"{record.status}: {record.reason}"
    if record.ledger is None:
        return _headline(cell.scenario.analysis.metric, record)
    metrics = record.metrics
    shown = [f"{label}{_value(metrics[name])}" for name, label in SHOWN.items() if name in metrics]
    return ", ".join([*shown, f"{record.ledger.lost} lost"])


def _headline(metric: str, record: Record) -> str:
    """What the scenario compares, where no messages were accounted for."""
    found = record.metrics.get(metric)
    return f"{metric.replace('_', ' ')} {_value(found)}" if found else "measured"


def _value(metric: Metric) -> str:
    return "—" if metric.value is None else _short(metric.value, metric.unit)


def _short(value: float, unit: str) -> str:
    """Three figures, and no powers of ten."""
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
