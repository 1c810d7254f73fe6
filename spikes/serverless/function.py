"""A function ready to be started: what a candidate's build yields, and what a builder is.

A ``Function`` is a process that speaks Lambda's Runtime API, as the managed runtime would start it.
The harness adds three variables of its own: ``AWS_LAMBDA_RUNTIME_API`` (host and port of the
endpoint), ``AWS_LAMBDA_FUNCTION_MEMORY_SIZE``, and ``SPIKEBENCH_MARK``, the path of a pipe to which
the function writes one byte as the very first thing that its own code does: from then on the
runtime is up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from spikebench.target.cache import Cache
from spikebench.target.software import Presence, Say

ClassCount = Callable[[int], int | None]
"""From a process number to the number of classes it has loaded; None where that can't be seen."""


@dataclass(frozen=True)
class Build:
    """What is asked of a builder: a handler, a lever, and the memory it will have, in MB."""

    handler: str
    lever: str = "baseline"
    memory_mb: int = 1769


@dataclass(frozen=True)
class Function:
    """How a function is started, again and again; nothing in ``folder`` changes from it.

    ``package_bytes`` is the size of what would be uploaded: code and its libraries, zipped, without
    the runtime. ``environ`` is the whole environment but for what the harness adds. ``versions``
    names what runs: runtime, runtime interface client, framework. ``classes_loaded`` reads their
    number from the living process; None for runtimes without classes. ``restored`` is for a command
    that restores a snapshot instead of starting anew: what its figures are an analogue of.
    ``reads`` are files and folders it starts from though neither the command names them nor
    ``folder`` holds them.
    """

    command: tuple[str, ...]
    folder: Path
    environ: Mapping[str, str]
    package_bytes: int
    versions: Mapping[str, str] = field(default_factory=dict)
    classes_loaded: ClassCount | None = None
    restored: str = ""
    reads: tuple[Path, ...] = ()


class Builder(Protocol):
    """Builds one runtime's functions into the cache, each once."""

    @property
    def levers(self) -> tuple[str, ...]:
        """The levers this runtime has, ``baseline`` first."""

    def withheld(self, build: Build) -> str:
        """Say why a build makes no sense or cannot be had at all; empty where it can be tried."""

    def presence(self, build: Build, cache: Cache) -> Presence:
        """Look, quickly and without fetching or starting anything."""

    def build(self, build: Build, cache: Cache, say: Say) -> Function:
        """Fetch, compile and prepare what is missing, and return the function.

        Raises ArtefactError for a download that failed, TargetError for a build that did, each with
        what to do about it.
        """
