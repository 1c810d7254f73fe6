"""The serverless spike: how slow is a cold start of a Java Lambda, and which lever mends it?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spikebench.candidate import Candidate, Capabilities, Client
from spikebench.errors import TargetError
from spikebench.spike import Spike
from spikebench.target.cache import Cache
from spikebench.target.sandbox.account import presence
from spikebench.target.software import Cores, Presence, Running, Say, Software
from spikes.serverless.builders import BUILDERS, IN_PROCESS
from spikes.serverless.docker.images import IMAGES, InContainer
from spikes.serverless.function import Build, Builder
from spikes.serverless.profiles import PROFILES
from spikes.serverless.scenario import ColdStart

HERE = Path(__file__).parent

CLIENTS = {
    "java": Client("java-ric", "java", "", "aws-lambda-java-runtime-interface-client"),
    "python": Client("awslambdaric", "python", "", "awslambdaric"),
    "node": Client("node-ric", "node", "", "aws-lambda-ric"),
    "go": Client("lambda-go", "go", "", "aws-lambda-go"),
    "rust": Client("lambda-rust", "rust", "", "lambda_runtime"),
}
"""The runtime interface client of each language: what stands between a handler and Lambda."""

JPYPE = Client("jpype", "python", "", "jpype1")
"""What starts a JVM inside a Python process; it comes second, where there is one."""


@dataclass(frozen=True)
class Built:
    """The recipe of a runtime's functions: built on this machine, started anew by each trial."""

    builder: Builder

    def presence(self, cache: Cache) -> Presence:
        """What is found for the plainest of its functions."""
        return self.builder.presence(Build("hello"), cache)

    def install(self, cache: Cache, say: Say) -> None:
        """Build the plainest of its functions."""
        self.builder.build(Build("hello"), cache, say)

    def start(self, cache: Cache, cores: Cores, say: Say) -> Running:  # noqa: ARG002
        """A function is no server; raises TargetError."""
        raise TargetError("a function is started anew in each trial, and never kept running")


@dataclass(frozen=True)
class InSandbox:
    """The recipe of functions in an AWS account: a run's lab puts them up, all at once."""

    def presence(self, cache: Cache) -> Presence:  # noqa: ARG002
        """Whether a sandbox is asked for in the environment; asks nobody."""
        return presence()

    def install(self, cache: Cache, say: Say) -> None:
        """Nothing to fetch."""

    def start(self, cache: Cache, cores: Cores, say: Say) -> Running:  # noqa: ARG002
        """A function is no server; raises TargetError."""
        raise TargetError("functions of a sandbox are put up by its lab, and never one by one")


def _candidate(name: str) -> Candidate:
    language = name.partition("-")[0]
    clients = (CLIENTS[language], *([JPYPE] if name in IN_PROCESS else []))
    software = Software(
        name,
        {
            "local": Built(BUILDERS[name]),
            "docker": InContainer(IMAGES[name]),
            "sandbox": InSandbox(),
        },
        {"local": "software", "docker": "software", "sandbox": "service"},
        # Levers are what is compared, and a base image takes few of them.
        automatic=("local",),
    )
    return Candidate(name, Capabilities("none"), clients, software=software)


SPIKE = Spike(
    name="serverless",
    question=(
        "How slow is a cold start of a Java Lambda, by JVM version and by the levers there are? "
        "Which other languages?"
    ),
    candidates=tuple(_candidate(name) for name in BUILDERS),
    scenarios=HERE.parent.parent / "scenarios" / "serverless",
    profiles=PROFILES,
    model=ColdStart,
    measured_by="spikes.serverless.method:METHOD",
    layout="spikes.serverless.layout:LAYOUT",
    pricing="spikes.serverless.beside:pricing",
)
