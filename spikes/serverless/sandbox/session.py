"""A sandbox from the account's door to the last function deleted, for one run of the spike."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from spikebench.target.sandbox.account import Account, admit, allowed_accounts, region_of
from spikebench.target.sandbox.budget import Budget, Prices, open_budget
from spikebench.target.sandbox.clients import (
    AWS_ITSELF,
    Client,
    Settings,
    open_client,
    open_clients,
)
from spikebench.target.sandbox.stack import LIFE, new_stack
from spikebench.target.software import Say
from spikes.serverless.sandbox.cold import Chiller, Deployed
from spikes.serverless.sandbox.cost import Planned, estimate
from spikes.serverless.sandbox.deploy import TIMEOUT_S, Wanted, deploy
from spikes.serverless.sandbox.invoke import Invoker, open_invoker
from spikes.serverless.sandbox.template import foundation
from spikes.serverless.sandbox.trial import Trials

SPIKE = "serverless"

AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".amazonaws.eu")
"""How the names of AWS's own endpoints end, by partition (botocore's ``endpoints.json``)."""


@dataclass(frozen=True)
class Leave:
    """That an account may be spent in, and up to which budget. Nothing is created by having it.

    ``settings`` go to boto3, such as an emulator's ``endpoint_url``.
    """

    account: Account
    budget: Budget
    settings: Settings = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Session:
    """Functions that are up, in the order they were wanted, and what runs trials of them.

    ``imitation`` is the address that answers in AWS's place, empty where it is AWS.
    """

    account: Account
    budget: Budget
    functions: Sequence[Deployed]
    trials: Trials
    imitation: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Where the trials ran, for their records: region, and the account's last digits."""
        return {"region": self.account.region, "account": self.account.masked}


def take_leave(
    planned: Sequence[Planned],
    prices: Prices,
    say: Say,
    *,
    accept_unpriced: bool = False,
    environ: Mapping[str, str] = os.environ,
    settings: Settings = AWS_ITSELF,
) -> Leave:
    """Ask whose the credentials are, say what it will cost, and return the leave to spend.

    Raises TargetError where the account is not allowed or the estimate is beyond the budget.
    """
    allowed_accounts(environ)
    region = region_of(environ)
    account = admit(open_client("sts", region, settings), environ)
    budget = open_budget(estimate(planned), prices, say, environ, accept_unpriced)
    return Leave(account, budget, settings)


@contextmanager
def deployed(
    leave: Leave, run_id: str, wanted: Sequence[Wanted], say: Say, life: timedelta = LIFE
) -> Iterator[Session]:
    """Deploy, yield, and delete all of it, Ctrl-C included; it may be swept after ``life``.

    Raises TargetError where AWS refuses; nothing is left then.
    """
    account, budget, settings = leave.account, leave.budget, leave.settings
    clients = open_clients(account.region, settings)
    with new_stack(clients, account, SPIKE, run_id, foundation(), say, life=life) as stack:
        functions = deploy(stack, wanted, say)
        chiller = Chiller(open_client("lambda", account.region, settings), budget, account)
        client = open_invoker(account.region, TIMEOUT_S, settings)
        trials = Trials(chiller, Invoker(client, budget, account))
        try:
            yield Session(account, budget, functions, trials, imitation(client))
        finally:
            say(f"used up about ${budget.spent_usd:.4f} by Lambda's own account")


def imitation(client: Client) -> str:
    """Return the address that a client asks in AWS's place; empty where it asks AWS."""
    address = str(client.meta.endpoint_url)
    host = urlsplit(address).hostname or ""
    return "" if host.endswith(AWS_HOSTS) else address


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
    """Take leave, deploy, yield, and delete all of it, Ctrl-C included.

    Raises TargetError where the account is not allowed, the estimate is beyond the budget, or AWS
    refuses; nothing is left then.
    """
    leave = take_leave(
        planned, prices, say, accept_unpriced=accept_unpriced, environ=environ, settings=settings
    )
    with deployed(leave, run_id, wanted, say) as session:
        yield session
