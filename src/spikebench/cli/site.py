"""``spikebench site``: a static site of all spikes and decisions."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("site"),
    show_default=True,
    help="The folder to write; an earlier site there is replaced.",
)
def site(results: Path, out: Path) -> None:
    """Write a static site of all spikes and decisions: open its index.html, or publish the folder.

    It is made from records, decisions and docs alone, and needs no server and no network.

    \b
      spikebench site
      spikebench site --out /tmp/spikes
    """
    from spikebench.discovery import find_spikes
    from spikebench.errors import UsageError
    from spikebench.site import build

    spikes = find_spikes()
    if not spikes:
        raise UsageError(f"no spikes below {Path.cwd()}; change to the project's folder")
    click.echo(f"wrote {build(spikes, results, Path('docs'), out)}")
