"""The command line: what is there, what was measured, and how two things compare.

Measuring itself is pytest's: ``tox -e <spike>``. Exit codes stand in ``spikebench.errors``.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn, TextIO

import click

from spikebench.cli.compare import compare
from spikebench.cli.cost import cost
from spikebench.cli.decide import decide
from spikebench.cli.doctor import doctor
from spikebench.cli.listing import list_
from spikebench.cli.prices import prices
from spikebench.cli.site import site
from spikebench.cli.sweep import sweep
from spikebench.cli.table import table
from spikebench.errors import SpikebenchError

INTERRUPTED = 130


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 2 usage, 3 scenario, 4 target, 5 artefact, 6 record, 7 driver, "
    "8 gate, 1 anything else, 130 Ctrl-C.",
)
@click.version_option(package_name="spikebench", message="%(prog)s %(version)s")
def cli() -> None:
    """Compare technologies by measuring them: trials in, verdicts out.

    Measuring is done by pytest, spike by spike; this command shows what there is to measure and
    what was found.

    \b
      python3 -m tox -e messaging                 measure: writes results/messaging/
      spikebench doctor                           what this machine can run, and what would mend it
      spikebench list                             spikes, candidates, clients, scenarios, profiles
      spikebench table messaging                  the latest run's table
      spikebench compare kafka rabbitmq-quorum    two candidates of the latest run
      spikebench cost messaging                   what each costs a month, and which is cheapest
      spikebench decide messaging                 the decision record that rests on it
      spikebench site                             a static site of all spikes and decisions
      spikebench prices refresh                   list prices anew, from AWS's price list
      spikebench sweep                            stacks that died runs left in a sandbox account
    """


for command in (table, compare, cost, decide, site, prices, list_, doctor, sweep):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit; an error of ours is one message and its own exit code."""
    with warnings.catch_warnings():
        warnings.filterwarnings("always", category=UserWarning)
        warnings.showwarning = _show_warning
        sys.exit(_status(arguments))


def _status(arguments: Sequence[str] | None) -> int:
    try:
        status = cli.main(arguments, prog_name="spikebench", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except SpikebenchError as error:
        click.echo(f"spikebench: {error}", err=True)
        return error.exit_code
    return status if isinstance(status, int) else 0


def _show_warning(
    message: Warning | str,
    category: type[Warning],  # noqa: ARG001 - the signature is Python's
    filename: str,  # noqa: ARG001
    lineno: int,  # noqa: ARG001
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    click.echo(f"warning: {message}", err=True)
