"""Writing a spike's decision record, again and again, and checking it against its evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from spikebench.decision import shelf
from spikebench.decision.age import aged
from spikebench.decision.assess import Assessment, assess
from spikebench.decision.blocks import merged, texts, written
from spikebench.decision.madr import parts
from spikebench.decision.proof import RUN
from spikebench.decision.read import kinds_asked, read_decision
from spikebench.decision.shelf import Kept
from spikebench.errors import GateError, RecordError, UsageError
from spikebench.record import Kind, find_run, latest_run, of_faults, runs_of
from spikebench.spike import Spike

IN_FORCE = ("proposed", "accepted")
"""Statuses of records that somebody acts on, or may come to."""


@dataclass(frozen=True)
class Published:
    """What was assessed, and the files that were written for it.

    ``warnings`` are of what time has done to it (see ``age``).
    """

    assessment: Assessment
    written: tuple[Path, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checked:
    """A record that matches its evidence; ``warnings`` are of what time has done to it."""

    path: Path
    warnings: tuple[str, ...] = ()


def publish(
    spike: Spike, results: Path, today: date, runs: Sequence[str] = (), supersedes: str = ""
) -> Published:
    """Write a spike's record from ``runs``, and of what they are not the latest.

    Where the decision asks for what happens when something breaks, it rests on runs of faults too,
    all of them; of each kind of run those count that are named, if any are. A record that is there
    keeps all that people wrote, its status too. One that is no longer ``proposed`` is written from
    its own runs only: what was decided on others takes a new record, which ``supersedes`` the old
    one's number. ``today`` is the date of a new record. Raises UsageError for what goes against
    that, else as ``assess`` does.
    """
    records = shelf.kept(results)
    name = read_decision(spike, spike.read_scenarios())[0].decision
    if supersedes:
        old = shelf.numbered(records, supersedes)
        found, files = _in_place_of(old, spike, results, today, runs)
    else:
        found, files = _current(shelf.current(records, name), spike, results, today, runs)
    return Published(found, files, tuple(aged(found, today)))


def _current(
    there: Kept | None, spike: Spike, results: Path, today: date, runs: Sequence[str]
) -> tuple[Assessment, tuple[Path, ...]]:
    found = assess(spike, _paths(spike, results, runs, there))
    if there is not None:
        return found, (shelf.write(there.path, _again(there, found)),)
    number, name = shelf.next_number(shelf.kept(results)), found.decision.decision
    path = results / shelf.FOLDER / f"{number}-{name}.md"
    return found, (shelf.write(path, written(parts(found, today.isoformat()))),)


def _again(there: Kept, found: Assessment) -> str:
    return merged(there.text, parts(found, ""), there.path)


def _in_place_of(
    old: Kept, spike: Spike, results: Path, today: date, runs: Sequence[str]
) -> tuple[Assessment, tuple[Path, ...]]:
    """A new record and the old one's status: the new one first, so that neither points nowhere."""
    if old.superseded_by:
        raise UsageError(
            f"{old.path} is superseded by ADR-{old.superseded_by} already; name that one"
        )
    found = assess(spike, _paths(spike, results, runs, None))
    number = shelf.next_number(shelf.kept(results))
    path = results / shelf.FOLDER / f"{number}-{found.decision.decision}.md"
    after = old.given_way(number)
    new = shelf.write(path, written(parts(found, today.isoformat(), old.number)))
    return found, (new, shelf.write(old.path, after))


def _paths(spike: Spike, results: Path, runs: Sequence[str], there: Kept | None) -> list[Path]:
    if there is not None and there.status != "proposed":
        return _own_paths(there, spike, results, runs)
    named = [_lying(find_run(spike.name, run, results), spike, results) for run in runs]
    return [*named, *_unnamed(spike, results, named)]


def _unnamed(spike: Spike, results: Path, named: Sequence[Path]) -> Iterator[Path]:
    """Runs of each kind that the decision asks for and that no named one is of.

    Of measurements the latest. Of faults all, the first to be started first: a later one adds
    trials to some of them and leaves the others out. There may be none beside another run: what it
    would show is not shown then.
    """
    scenarios = spike.read_scenarios()
    asked = kinds_asked(read_decision(spike, scenarios)[0], scenarios)
    had = {of_faults(path, scenarios) for path in named}
    for faults in sorted(asked - had):
        kind = Kind(faults, scenarios)
        try:
            latest = latest_run(spike.name, results, kind)
        except RecordError:
            if not faults or False not in asked:
                raise
        else:
            yield from runs_of(spike.name, results, kind) if faults else [latest]


def _lying(path: Path, spike: Spike, results: Path) -> Path:
    """The path, of a run that lies where a reader of the record finds it."""
    folder = results / spike.name / "runs"
    if path.resolve().parent != folder.resolve():
        raise UsageError(f"{path}: evidence has to lie in {folder}; copy the run there")
    return path


def _own_paths(there: Kept, spike: Spike, results: Path, runs: Sequence[str]) -> list[Path]:
    own = [find_run(spike.name, run, results) for run, _ in _evidence(there)]
    asked = [find_run(spike.name, run, results) for run in runs] or own
    if asked != own:
        raise UsageError(
            f"{there.path} is {there.status}: what it rests on stays; "
            f"for another run write a new one with --supersedes {there.number}"
        )
    return own


def _evidence(there: Kept) -> list[tuple[str, str]]:
    """The runs that a record rests on, with their digests."""
    text = texts(there.text, there.path).get("evidence", "")
    found = [match for line in text.splitlines() if (match := RUN.match(line))]
    if not found:
        raise RecordError(
            f"{there.path}: its block 'evidence' names no run; put it back, or move the file away "
            "and write it anew with: spikebench decide"
        )
    return [(match["run"], match["digest"]) for match in found]


def check(spike: Spike, results: Path, today: date) -> Checked:
    """Return a spike's record where it still matches its evidence, with warnings as of ``today``.

    Raises GateError with all that does not: a record file that is gone or has changed, a block that
    comes out otherwise, a ``superseded by`` that is not two-way.
    """
    name = read_decision(spike, spike.read_scenarios())[0].decision
    records = shelf.kept(results)
    there = shelf.current(records, name)
    if there is None:
        raise GateError(
            f"{results / shelf.FOLDER}: has no record of {name}; "
            f"write it with: spikebench decide {spike.name}"
        )
    mine = [one for one in records if one.name == name]
    wrong = [*_one_way(records), *(said for one in mine for said in _changed(one, spike, results))]
    if wrong:
        raise GateError("\n".join(wrong))
    found = assess(spike, [find_run(spike.name, run, results) for run, _ in _evidence(there)])
    _require_same(there, found)
    warnings = aged(found, today) if there.status in IN_FORCE else []
    return Checked(there.path, tuple(warnings))


def _one_way(records: Sequence[Kept]) -> Iterator[str]:
    """Records of which only one side says that it took the other's place."""
    by_number = {one.number: one for one in records}
    for one in records:
        newer, older = by_number.get(one.superseded_by), by_number.get(one.supersedes)
        if one.superseded_by and (newer is None or newer.supersedes != one.number):
            yield f"{one.path}: superseded by ADR-{one.superseded_by}, which does not say so"
        if one.supersedes and (older is None or older.superseded_by != one.number):
            yield f"{one.path}: supersedes ADR-{one.supersedes}, which does not say so"


def _changed(there: Kept, spike: Spike, results: Path) -> Iterator[str]:
    for run, digest in _evidence(there):
        try:
            held = find_run(spike.name, run, results).read_bytes()
        except (RecordError, OSError) as error:
            yield f"{there.path}: its evidence is gone: {error}"
            continue
        if hashlib.sha256(held).hexdigest() != digest:
            yield (
                f"{there.path}: run {run} has changed since (SHA-256); put the file back, or "
                f"decide anew with: spikebench decide {spike.name} --run {run}"
            )


def _require_same(there: Kept, found: Assessment) -> None:
    """Raise GateError where a record would come out otherwise from its own runs."""
    anew = _again(there, found)
    if anew == there.text:
        return
    before, after = texts(there.text, there.path), texts(anew, there.path)
    names = [n for n in dict.fromkeys([*before, *after]) if before.get(n) != after.get(n)]
    runs = "".join(f" --run {run.run_id}" for run in found.runs)
    raise GateError(
        f"{there.path}: no longer what its evidence gives, in: {', '.join(names) or 'line ends'}; "
        f"see what differs with: spikebench decide {found.spike.name}{runs} "
        f"&& git diff {there.path}"
    )


def unclaimed(spikes: Sequence[Spike], results: Path) -> list[str]:
    """A sentence for each record in force that rests on runs and that no spike's decision names."""
    names = {read_decision(spike, spike.read_scenarios())[0].decision for spike in spikes}
    left = [one for one in shelf.kept(results) if one.name not in names]
    return [
        f"{one.path}: no spike decides on {one.name} any more; set its status to deprecated, or "
        f"let a new record take its place with: --supersedes {one.number}"
        for one in left
        if one.status in IN_FORCE and "evidence" in texts(one.text, one.path)
    ]
