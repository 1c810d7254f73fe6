"""``spikebench list``: what there is to measure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import click

from spikebench.cli.today import today
from spikebench.spike import Spike


@click.command("list")
@click.argument("spike", required=False)
def list_(spike: str | None) -> None:
    """List spikes with their candidates, clients, scenarios, decisions and profiles.

    \b
      spikebench list
      spikebench list messaging
    """
    from spikebench.discovery import find_spike, find_spikes

    for one in [find_spike(spike)] if spike else find_spikes():
        _show(one)


def _show(spike: Spike) -> None:
    from spikebench.scenario.profile import DEFAULT_PROFILE

    click.echo(f"{spike.name}: {spike.question}")
    click.echo("  candidates (--candidate), their clients (--client; the default first)")
    for candidate in spike.candidates:
        only = " (with -m faults only)" if candidate.faults_only else ""
        click.echo(f"    {candidate.name:<18} {', '.join(candidate.client_names)}{only}")
    click.echo("  scenarios (--scenario)")
    for name, scenario in spike.read_scenarios().items():
        kind = f" ({scenario.kind})" if scenario.kind else ""
        click.echo(f"    {name:<18} {scenario.title}{kind}")
    for line in _decision(spike):
        click.echo(line)
    click.echo(f"  profiles (tox -e {spike.name} -- --profile NAME)")
    for profile in spike.profiles.values():
        default = " (default)" if profile.name == DEFAULT_PROFILE else ""
        click.echo(f"    {profile.name:<18} {profile.summary}{default}")
    click.echo("")


def _decision(spike: Spike) -> Iterator[str]:
    """What the spike is to decide, and by when that is looked at again."""
    from spikebench.decision.read import decision_path, read_decision

    if not decision_path(spike).is_file():
        return
    decided, _ = read_decision(spike, spike.read_scenarios())
    past = " (past)" if date.fromisoformat(decided.review) < today() else ""
    yield "  decision (spikebench decide), and when to look at it again"
    yield f"    {decided.decision:<18} {decided.review}{past}"
