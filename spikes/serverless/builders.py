"""The runtimes that are compared, and what builds functions for each."""

from __future__ import annotations

from collections.abc import Mapping

from spikes.serverless.function import Builder
from spikes.serverless.java.builder import JavaBuilder
from spikes.serverless.java.in_process import HANDLER, InProcess
from spikes.serverless.runtimes.go import Go
from spikes.serverless.runtimes.node import NodeJs
from spikes.serverless.runtimes.python import Python
from spikes.serverless.runtimes.rust import Rust

BUILDERS: Mapping[str, Builder] = {
    "java-11": JavaBuilder(11),
    "java-17": JavaBuilder(17),
    "java-21": JavaBuilder(21),
    "java-25": JavaBuilder(25),
    "python": Python(),
    "node": NodeJs(),
    "go": Go(),
    "rust": Rust(),
}
"""By the candidate's name."""

IN_PROCESS: Mapping[str, Builder] = {
    "java-11": InProcess(11),
    "java-17": InProcess(17),
    "java-21": InProcess(21),
    "java-25": InProcess(25),
}
"""Those of a JVM inside a Python process, by the candidate's name."""


def builders_of(handler: str) -> Mapping[str, Builder]:
    """Return what builds functions of a handler, by the name of each candidate that has it."""
    if handler == HANDLER:
        return IN_PROCESS
    return {
        name: builder
        for name, builder in BUILDERS.items()
        if handler != "spring" or name.startswith("java-")
    }
