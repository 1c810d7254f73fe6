"""``spikebench prices``: the price book brought up to date."""

from __future__ import annotations

from pathlib import Path

import click

from spikebench.errors import RecordError

BOOKS = Path("scenarios") / "prices"


@click.group()
def prices() -> None:
    """Bring price books up to date."""


@prices.command()
@click.option("--region", default="eu-west-2", show_default=True, help="Whose book.")
@click.option(
    "--books",
    type=click.Path(path_type=Path),
    default=BOOKS,
    show_default=True,
    help="The folder of price books.",
)
def refresh(region: str, books: Path) -> None:
    """Read AWS's public price list and renew the prices that it has; comments stay.

    Every file is read before the book is touched: exit code 5 where one cannot be had. What the
    list does not have under the name looked for stays as it is, and is said.

    \b
      spikebench prices refresh
      spikebench prices refresh --region us-east-1
    """
    from spikebench.cost.refresh import refresh as renew
    from spikebench.report.whole import put

    path = books / f"{region}.yaml"
    renewed = renew(path)
    try:
        put(path, renewed.text.encode())
    except OSError as error:
        what = f"{path}: could not be written: {error.strerror}; it is unchanged"
        raise RecordError(f"{what}: mend the permissions or make room, and try again") from error
    for one in renewed.changes:
        told = {
            "renewed": f"{one.before} → {one.now}",
            "new": one.now,
            "same": one.now,
            "not found": f"{one.before or 'not priced'}, left as it was",
        }
        click.echo(f"{one.kind:<10} {one.name}: {told[one.kind]}")
    click.echo(f"wrote {path}")
