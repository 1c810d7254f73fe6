"""The account that a sandbox may be in: allowed by name, and never shown in full."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spikebench.errors import TargetError
from spikebench.target.software import Presence

ACCOUNTS = "SPIKEBENCH_SANDBOX_ACCOUNTS"
"""Environment variable: the accounts that may be spent in, by their 12 digits, with commas."""

OWNER = "SPIKEBENCH_OWNER"
"""Environment variable: whose a stack is; else the caller's name in the account."""

REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")

_NUMBER = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_NOT_IN_A_TAG = re.compile(r"[^\w .:/=+\-@]")
_LONGEST_TAG = 256
_MEND = f"export {ACCOUNTS}=<the account's 12 digits> AWS_REGION=<its region>"


@dataclass(frozen=True)
class Account:
    """An account that was allowed, where in the world, and who is at work in it."""

    number: str = field(repr=False)
    region: str
    owner: str

    @property
    def masked(self) -> str:
        """The last four digits, for records and messages."""
        return masked(self.number)

    def mask(self, text: str) -> str:
        """Return a text in which the account's number is masked."""
        return text.replace(self.number, self.masked)


def masked(number: str) -> str:
    """Return an account's number as it may be shown."""
    return f"…{number[-4:]}"


def presence(environ: Mapping[str, str] = os.environ) -> Presence:
    """Tell whether a sandbox is asked for in the environment; calls nobody, costs nothing."""
    if not environ.get(ACCOUNTS, "").strip():
        return Presence(False, False, f"{ACCOUNTS} is not set", _MEND)
    try:
        numbers, region = allowed_accounts(environ), region_of(environ)
    except TargetError as error:
        return Presence(False, False, str(error), _MEND, broken=True)
    shown = ", ".join(masked(number) for number in sorted(numbers))
    return Presence(True, True, f"account {shown} in {region} (not looked at yet)")


def allowed_accounts(environ: Mapping[str, str] = os.environ) -> frozenset[str]:
    """Return the accounts that may be spent in; raise TargetError if none is, or one malformed."""
    names = [name.strip() for name in environ.get(ACCOUNTS, "").split(",") if name.strip()]
    if not names:
        raise TargetError(
            f"no account is allowed to be spent in: {ACCOUNTS} is not set. Name a sandbox account, "
            "never one that serves anybody: docs/sandbox.md says how."
        )
    if not all(_NUMBER.fullmatch(name) for name in names):
        raise TargetError(
            f"{ACCOUNTS} must hold accounts by their 12 digits, with commas in between "
            "(its value is not shown here)."
        )
    return frozenset(names)


def region_of(environ: Mapping[str, str] = os.environ) -> str:
    """Return the region that the environment names; raise TargetError where it names none."""
    region = next((environ[name].strip() for name in REGIONS if environ.get(name, "").strip()), "")
    if not _REGION.fullmatch(region):
        what = f"{region!r} is not a region" if region else "no region is set"
        raise TargetError(f"{what}: export {REGIONS[0]}, such as eu-west-2.")
    return region


def admit(sts: Any, environ: Mapping[str, str] = os.environ) -> Account:
    """Ask who we are and return the account, if it is allowed.

    ``sts`` is a boto3 client. The one call made, GetCallerIdentity, needs no permission and costs
    nothing. Raises TargetError where the account is not in the list, or nobody answers.
    """
    allowed, region = allowed_accounts(environ), region_of(environ)
    number, arn = _identity(sts)
    if number not in allowed:
        raise TargetError(
            f"the credentials at hand are for account {masked(number)}, which {ACCOUNTS} does not "
            "allow to be spent in. Use those of a sandbox account, or add this one if it is one."
        )
    owner = environ.get(OWNER, "").strip() or arn.split(":", 5)[-1]
    return Account(number, region, _NOT_IN_A_TAG.sub("_", owner)[:_LONGEST_TAG])


def _identity(sts: Any) -> tuple[str, str]:
    try:
        answer = sts.get_caller_identity()
    except Exception as error:  # botocore's errors, or those of whatever supplies credentials
        detail = re.sub(r"\d{12}", lambda found: masked(found.group()), str(error))
        raise TargetError(
            f"AWS does not say whose the credentials are ({type(error).__name__}: {detail}). "
            "Log in again, or check AWS_PROFILE and the proxy."
        ) from None
    return str(answer["Account"]), str(answer["Arn"])
