"""The command-line options of a run, and what they come to."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from spikebench.plan import Selection
from spikebench.scenario.profile import DEFAULT_PROFILE, NAMES
from spikebench.target.fleet import Asked

TARGETS = ("auto", "endpoint", "docker", "local", "sandbox")
LATEST = "latest"
FAULTS = "faults"


@dataclass(frozen=True)
class Options:
    """What was asked for; ``trials`` is how many a cell, None for as many as the profile has."""

    profile: str
    selection: Selection
    trials: int | None
    seed: int | None
    resume: str | None
    results: Path
    accept_unpriced: bool = False


def add_options(parser: pytest.Parser) -> None:
    """Declare the options, each with a text that teaches."""
    group = parser.getgroup("spikebench", "technology spikes")
    group.addoption(
        "--profile",
        choices=NAMES,
        default=DEFAULT_PROFILE,
        help="how much to measure. smoke: does everything work? no verdicts; quick: a few minutes; "
        "standard: about ten; full: every scenario and parameter, hours (`spikebench list` has "
        "what each of a spike covers)",
    )
    names = {"action": "append", "default": [], "metavar": "NAME[,NAME]"}
    group.addoption("--candidate", **names, help="only these candidates (`spikebench list`)")
    group.addoption("--client", **names, help="only these clients, where a candidate has them")
    group.addoption("--scenario", **names, help="only these scenarios")
    group.addoption(
        "--target",
        choices=TARGETS,
        default="auto",
        help="where candidates run; auto takes the first that serves: an endpoint named in the "
        "environment, docker, local. A sandbox is never automatic",
    )
    group.addoption(
        "--trials", type=int, metavar="N", help="blocks, and so trials a cell; 6 for a verdict"
    )
    group.addoption("--seed", type=int, metavar="N", help="seed of orders and payloads (32 bits)")
    group.addoption(
        "--resume",
        nargs="?",
        const=LATEST,
        metavar="RUN",
        help="go on with a run that was cut off: the one named, or the latest, with -m faults the "
        "latest of faults",
    )
    group.addoption(
        "--results", type=Path, default=Path("results"), metavar="DIR", help="where results go"
    )
    group.addoption(
        "--accept-unpriced",
        action="store_true",
        help="in a sandbox, use what the price book has no price of, which no budget then stops",
    )


def read_options(config: pytest.Config) -> Options:
    """Return what the command line asks for; raises pytest.UsageError for impossible numbers."""
    trials = config.getoption("trials")
    if trials is not None and trials < 1:
        raise pytest.UsageError(f"--trials {trials}: ask for at least one")
    return Options(
        profile=config.getoption("profile"),
        selection=Selection(
            candidates=_split(config.getoption("candidate")),
            clients=_split(config.getoption("client")),
            scenarios=_split(config.getoption("scenario")),
            faults=_asks_for_faults(config),
            target=cast(Asked, config.getoption("target")),
        ),
        trials=trials,
        seed=config.getoption("seed"),
        resume=config.getoption("resume"),
        results=config.getoption("results"),
        accept_unpriced=config.getoption("accept_unpriced"),
    )


def _asks_for_faults(config: pytest.Config) -> bool:
    """Whether ``-m`` selects what is marked ``faults`` and nothing else."""
    return str(config.getoption("markexpr", "")).strip() == FAULTS


def new_run_id(seed: int | None) -> str:
    """Return an id that sorts by time and ends in the run's seed: ``20261122-194130-0a1b2c3d``."""
    drawn = secrets.randbits(32) if seed is None else seed & 0xFFFF_FFFF
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{drawn:08x}"


def seed_of(run_id: str) -> int:
    """Return the seed that a run's id ends in."""
    return int(run_id.rsplit("-", 1)[1], 16)


def _split(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for value in values for name in value.split(",") if name)
