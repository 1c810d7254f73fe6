"""Writing a spike's decision record, again and again, and checking it against its evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spikebench.decision import shelf
from spikebench.decision.assess import Assessment, assess
from spikebench.decision.blocks import merged, texts, written
from spikebench.decision.madr import parts
from spikebench.decision.proof import RUN
from spikebench.decision.read import read_decision
from spikebench.decision.shelf import Kept
from spikebench.errors import GateError, RecordError, UsageError
from spikebench.record import Kind, find_run, latest_run
from spikebench.spike import Spike


@dataclass(frozen=True)
class Published:
    """What was assessed, and the files that were written for it."""

    assessment: Assessment
    written: tuple[Path, ...]


def publish(
    spike: Spike, results: Path, today: str, runs: Sequence[str] = (), supersedes: str = ""
) -> Published:
    """Write a spike's record from ``runs``, else from the latest that is not of faults.

    A record that is there keeps all that people wrote, its status too. One that is no longer
    ``proposed`` is written from its own runs only: what was decided on others takes a new record,
    which ``supersedes`` the old one's number. ``today`` is the date of a new record. Raises
    UsageError for what goes against that, else as ``assess`` does.
    """
    records = shelf.kept(results)
    name = read_decision(spike, spike.read_scenarios())[0].decision
    if supersedes:
        return _in_place_of(shelf.numbered(records, supersedes), spike, results, today, runs)
    there = shelf.current(records, name)
    found = assess(spike, _paths(spike, results, runs, there))
    if there is None:
        path = results / shelf.FOLDER / f"{shelf.next_number(records)}-{name}.md"
        return Published(found, (shelf.write(path, written(parts(found, today))),))
    return Published(found, (shelf.write(there.path, _again(there, found)),))


def _again(there: Kept, found: Assessment) -> str:
    return merged(there.text, parts(found, ""), there.path)


def _in_place_of(
    old: Kept, spike: Spike, results: Path, today: str, runs: Sequence[str]
) -> Published:
    """A new record and the old one's status: the new one first, so that neither points nowhere."""
    if old.superseded_by:
        raise UsageError(
            f"{old.path} is superseded by ADR-{old.superseded_by} already; name that one"
        )
    found = assess(spike, _paths(spike, results, runs, None))
    number = shelf.next_number(shelf.kept(results))
    path = results / shelf.FOLDER / f"{number}-{found.decision.decision}.md"
    after = old.given_way(number)
    new = shelf.write(path, written(parts(found, today, old.number)))
    return Published(found, (new, shelf.write(old.path, after)))


def _paths(spike: Spike, results: Path, runs: Sequence[str], there: Kept | None) -> list[Path]:
    if there is not None and there.status != "proposed":
        return _own_paths(there, spike, results, runs)
    if runs:
        return [_lying(find_run(spike.name, run, results), spike, results) for run in runs]
    return [latest_run(spike.name, results, Kind(False, spike.read_scenarios()))]


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


def check(spike: Spike, results: Path) -> Path:
    """Return a spike's record where it still matches its evidence.

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
    wrong = wrong or list(_otherwise(there, spike, results))
    if wrong:
        raise GateError("\n".join(wrong))
    return there.path


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


def _otherwise(there: Kept, spike: Spike, results: Path) -> Iterator[str]:
    paths = [find_run(spike.name, run, results) for run, _ in _evidence(there)]
    anew = _again(there, assess(spike, paths))
    if anew == there.text:
        return
    before, after = texts(there.text, there.path), texts(anew, there.path)
    names = [n for n in dict.fromkeys([*before, *after]) if before.get(n) != after.get(n)]
    runs = "".join(f" --run {run}" for run, _ in _evidence(there))
    yield (
        f"{there.path}: no longer what its evidence gives, in: {', '.join(names) or 'line ends'}; "
        f"see what differs with: spikebench decide {spike.name}{runs} && git diff {there.path}"
    )
