"""``spikebench list``: what there is to measure."""

from __future__ import annotations

import click

from spikebench.spike import Spike


@click.command("list")
@click.argument("spike", required=False)
def list_(spike: str | None) -> None:
    """List spikes with their candidates, clients, scenarios and profiles.

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
    click.echo(f"  profiles (tox -e {spike.name} -- --profile NAME)")
    for profile in spike.profiles.values():
        default = " (default)" if profile.name == DEFAULT_PROFILE else ""
        click.echo(f"    {profile.name:<18} {profile.summary}{default}")
    click.echo("")
