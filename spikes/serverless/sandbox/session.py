"""A sandbox from the account's door to the last function deleted, for one run of the spike."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from spikebench.target.sandbox.account import Account, admit, allowed_accounts, region_of
from spikebench.target.sandbox.budget import Budget, Prices, open_budget
from spikebench.target.sandbox.clients import AWS_ITSELF, Settings, open_client, open_clients
from spikebench.target.sandbox.stack import new_stack
from spikebench.target.software import Say
from spikes.serverless.sandbox.cold import Chiller, Deployed
from spikes.serverless.sandbox.cost import Planned, estimate
from spikes.serverless.sandbox.deploy import TIMEOUT_S, Wanted, deploy
from spikes.serverless.sandbox.invoke import Invoker, open_invoker
from spikes.serverless.sandbox.template import foundation
from spikes.serverless.sandbox.trial import Trials

SPIKE = "serverless"


@dataclass(frozen=True)
class Session:
    """Functions that are up, in the order they were wanted, and what runs trials of them."""

    account: Account
    budget: Budget
    functions: Sequence[Deployed]
    trials: Trials

    @property
    def environment(self) -> dict[str, Any]:
        """Where the trials ran, for their records: region, and the account's last digits."""
        return {"region": self.account.region, "account": self.account.masked}


@contextmanager
def open_session(
    run_id: str,
    wanted: Sequence[Wanted],
    planned: Sequence[Planned],
    prices: Prices,
    say: Say,
    *,
    accept_unpriced: bool = False,
    environ: Mapping[str, str] = os.environ,
    settings: Settings = AWS_ITSELF,
) -> Iterator[Session]:
    """Check account and budget, deploy, yield, and delete all of it, Ctrl-C included.

    ``settings`` go to boto3, such as an emulator's ``endpoint_url``. Raises TargetError where the
    account is not allowed, the estimate is beyond the budget, or AWS refuses; nothing is left then.
    """
    allowed_accounts(environ)
    region = region_of(environ)
    account = admit(open_client("sts", region, settings), environ)
    budget = open_budget(estimate(planned), prices, say, environ, accept_unpriced)
    clients = open_clients(region, settings)
    with new_stack(clients, account, SPIKE, run_id, foundation(), say) as stack:
        functions = deploy(stack, wanted, say)
        chiller = Chiller(open_client("lambda", region, settings), budget, account)
        invoker = Invoker(open_invoker(region, TIMEOUT_S, settings), budget, account)
        try:
            yield Session(account, budget, functions, Trials(chiller, invoker))
        finally:
            say(f"used up about ${budget.spent_usd:.4f} by Lambda's own account")
