"""The words and marks that the parts of a record share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from spikebench.decision.model import Option
from spikebench.report.column import NOTHING
from spikebench.spike import Spike


def own(text: str) -> str:
    """Text of the decision's file: on one line, and unable to end a block or begin HTML."""
    return " ".join(text.split()).replace("<", "&lt;")


def foreign(text: str) -> str:
    """Text out of records, shown as it is: no mark-up of any kind."""
    said = own(text.replace("\\", "\\\\"))
    for mark in "`[]*":
        said = said.replace(mark, f"\\{mark}")
    return said


def grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table, a line each."""
    yield _line(header)
    yield _line(["---"] * len(header))
    yield from (_line(row) for row in rows)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def points(score: float | None) -> str:
    """A score with two digits; ``—`` where there is none."""
    return NOTHING if score is None else f"{score:.2f}"


def percent(share: float | None) -> str:
    """A share in whole per cent, never 0 or 100 where it is between them; ``—`` for none."""
    if share is None:
        return NOTHING
    if 0 < share < 0.005:
        return "<1 %"
    if 0.995 <= share < 1:
        return ">99 %"
    return f"{share:.0%}".replace("%", " %")


def run_that_shows(spike: Spike, option: Option, scenarios: Iterable[str], sandbox: bool) -> str:
    """The run that would show what this one does not of an option, as a sentence.

    ``sandbox`` is whether it takes the service itself.
    """
    how = "--target sandbox" if sandbox else "--trials 10"
    command = run_of(spike, how, [option.candidate], scenarios)
    if not sandbox:
        return f"{own(option.title)}: {command}."
    missing = "" if _has_sandbox(spike, option) else ", once the spike has a sandbox target for it"
    return f"{own(option.title)}: {command} in an account of your own (docs/sandbox.md){missing}."


def run_of(
    spike: Spike, how: str, candidates: Iterable[str | None], scenarios: Iterable[str]
) -> str:
    """The command of a run, as code."""
    named = [f"--candidate {','.join(filter(None, candidates))}"]
    named += [f"--scenario {name}" for name in scenarios]
    return f"`python3 -m tox -e {spike.name} -- {' '.join([how, *named])}`"


def _has_sandbox(spike: Spike, option: Option) -> bool:
    """Whether its server can be had in a sandbox; a spike of its own method looks for itself."""
    if spike.measured_by != Spike.measured_by:
        return True
    software = next((c.software for c in spike.candidates if c.name == option.candidate), None)
    return software is not None and "sandbox" in software.recipes
