"""The runtimes that are compared, and what builds functions for each."""

from __future__ import annotations

from collections.abc import Mapping

from spikes.serverless.function import Builder
from spikes.serverless.java.builder import JavaBuilder
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
