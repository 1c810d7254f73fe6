"""``spikebench site``: a static site of all spikes and decisions."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="The folder of results: <spike>/runs/*.jsonl and decisions/*.md.",
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

    It has a page for each decision, spike and run, with tables that sort and filter, charts, plots
    and the records behind them, the history of each cell, the method and a glossary.

    It is made from records, decisions and docs alone, and needs no server and no network: the
    folder can be mailed, opened from a disk, or put below any address. The same files give the same
    site. .github/workflows/site.yml publishes it with GitHub Pages; docs/site.md says more.

    \b
      spikebench site                     writes site/: open site/index.html
      spikebench site --out /tmp/spikes   somewhere else; an earlier site there is replaced
    """
    from spikebench.discovery import find_spikes
    from spikebench.errors import UsageError
    from spikebench.site import build

    spikes = find_spikes()
    if not spikes:
        raise UsageError(f"no spikes below {Path.cwd()}; change to the project's folder")
    click.echo(f"wrote {build(spikes, results, Path('docs'), out)}")
