"""``spikebench sweep``: delete what runs that died have left in a sandbox account."""

from __future__ import annotations

import click


@click.command()
@click.option("--everyone", is_flag=True, help="Those of other owners too.")
@click.option("--run", "run_id", default="", help="That of one run, expired or not.")
@click.option("--dry-run", is_flag=True, help="Only show what would be deleted.")
def sweep(everyone: bool, run_id: str, dry_run: bool) -> None:
    """Delete the stacks in a sandbox account that have outlived their expiry.

    Only stacks that this project made, by name and tags, and only yours unless told otherwise. The
    account is that of AWS's usual credentials, and must be allowed (docs/sandbox.md). Exits with 4
    where it is not, or where a stack is left.

    \b
      spikebench sweep --dry-run
      spikebench sweep
    """
    from spikebench.target.sandbox.account import admit, allowed_accounts, region_of
    from spikebench.target.sandbox.clients import open_client, open_clients
    from spikebench.target.sandbox.sweep import sweep as sweep_stacks

    allowed_accounts()
    region = region_of()
    account = admit(open_client("sts", region))
    gone = sweep_stacks(
        open_clients(region),
        account,
        click.echo,
        everyone=everyone,
        run_id=run_id,
        dry_run=dry_run,
    )
    click.echo(f"{len(gone)} deleted in account {account.masked}, {account.region}")
