"""``spikebench doctor``: what this machine can run, what is missing, and what mends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import click

from spikebench.candidate import Candidate
from spikebench.errors import SpikebenchError, TargetError
from spikebench.spike import Spike
from spikebench.target.cache import Cache
from spikebench.target.software import Presence, Recipe, Software, TargetName


@dataclass(frozen=True)
class Finding:
    """What one recipe found for one piece of software on one target."""

    software: str
    target: TargetName
    presence: Presence

    @property
    def state(self) -> str:
        """``ready`` now, ``fetchable`` (it can run after fetching), or ``missing``."""
        if self.presence.ready:
            return "ready"
        return "fetchable" if self.presence.obtainable else "missing"


@click.command()
@click.argument("spike", required=False)
def doctor(spike: str | None) -> None:
    """Show, for each candidate and target, what is there and the command that mends what is not.

    Nothing is fetched or started. Exits with 4 where a candidate has no target at all.

    \b
      spikebench doctor
      spikebench doctor messaging
    """
    from spikebench.discovery import find_spike, find_spikes

    stranded = []
    for one in [find_spike(spike)] if spike else find_spikes():
        findings = examine(one, Cache.open())
        _show(one, findings)
        asked = (c for c in one.candidates if not c.faults_only)
        stranded += [c.name for c in asked if not _can_run(c, findings)]
    if stranded:
        raise TargetError(
            f"no target for {', '.join(stranded)}: run one of the commands above to mend it"
        )


def examine(spike: Spike, cache: Cache) -> list[Finding]:
    """Ask every recipe of a spike's software what it finds, each once."""
    return [
        Finding(software.name, target, _presence(recipe, cache))
        for software in _software(spike.candidates).values()
        for target, recipe in software.recipes.items()
    ]


def _software(candidates: Iterable[Candidate]) -> Mapping[str, Software]:
    return {c.software.name: c.software for c in candidates if c.software is not None}


def _presence(recipe: Recipe, cache: Cache) -> Presence:
    """What a recipe finds; one that cannot look says so in its place and hides no other."""
    try:
        return recipe.presence(cache)
    except SpikebenchError as error:
        return Presence(ready=False, obtainable=False, detail=str(error))


def _can_run(candidate: Candidate, findings: Iterable[Finding]) -> bool:
    if candidate.software is None:
        return True
    mine = (f for f in findings if f.software == candidate.software.name)
    return any(finding.state != "missing" for finding in mine)


def _show(spike: Spike, findings: list[Finding]) -> None:
    click.echo(f"{spike.name}")
    for software in _software(spike.candidates):
        click.echo(f"  {software} for {', '.join(_users(spike, software))}")
        for line in _lines(f for f in findings if f.software == software):
            click.echo(f"    {line}")
    for candidate in spike.candidates:
        if candidate.software is None:
            click.echo(f"  {candidate.name}: in memory, always ready")


def _users(spike: Spike, software: str) -> Iterator[str]:
    return (c.name for c in spike.candidates if c.software and c.software.name == software)


def _lines(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        yield f"{finding.target:<9} {_coloured(finding.state)} {finding.presence.detail}"
        if finding.presence.mend and not finding.presence.ready:
            yield f"{'':<9} {'':<9} to mend it: {finding.presence.mend}"


def _coloured(state: str) -> str:
    colours = {"ready": "green", "fetchable": "yellow", "missing": "red"}
    return click.style(f"{state:<9}", fg=colours[state])
