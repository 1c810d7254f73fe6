"""A JVM inside another process: a function in Python that starts Java in itself, through JPype.

What it answers is not how slow a Lambda in Java starts but what a JVM costs a Python process that
takes one in: a service with a Java library, or this harness's own generator of load. The process is
Python's, with Python's runtime interface client; the JVM is the candidate's own, by its library,
and has the class archive that came with it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from spikebench.errors import TargetError
from spikebench.target.cache import Cache
from spikebench.target.java import WHEELS, find_runtime, java_version, runtime_home
from spikebench.target.software import Presence, Say
from spikes.serverless.function import Build, Function
from spikes.serverless.java.builder import unobtainable
from spikes.serverless.java.options import jvm_options
from spikes.serverless.java.perf_data import classes_loaded
from spikes.serverless.runtimes.python import LOCK, Python, read_pins

HANDLER = "in-process"
"""The only handler there is for it."""


@dataclass(frozen=True)
class InProcess:
    """Builds the function that starts Java ``major`` in a Python process.

    The JVM has the options that the same lever gives it in a process of its own. ``environ`` is
    where the choice of a runtime is read from.
    """

    major: int
    environ: Mapping[str, str] = field(
        default_factory=lambda: os.environ, compare=False, repr=False
    )

    @property
    def levers(self) -> tuple[str, ...]:
        """Those that are options alone: without a class path there is nothing to archive."""
        return ("baseline", "c1")

    def withheld(self, build: Build) -> str:
        """Say why a build makes no sense or cannot be had at all; empty where it can be tried."""
        if build.handler != HANDLER:
            return f"there is no {build.handler} handler with a JVM inside"
        if build.lever not in self.levers:
            return f"a JVM inside another process has no lever {build.lever}"
        return Python().withheld(Build(HANDLER)) or unobtainable(self.major, self.environ)

    def presence(self, build: Build, cache: Cache) -> Presence:
        """Look, quickly and without fetching or starting anything."""
        if reason := self.withheld(build):
            return Presence(False, False, reason)
        try:
            home = find_runtime(self.major, cache, self.environ)
        except TargetError as error:
            return Presence(False, False, str(error), broken=True)
        around = Python().presence(build, cache)
        version = WHEELS[self.major].version if home is None else java_version(home)
        ready = home is not None and around.ready
        return Presence(ready, True, f"Java {version} in {around.detail}")

    def build(self, build: Build, cache: Cache, say: Say) -> Function:
        """Fetch runtime, JPype and Python's client into the cache, once.

        Raise ArtefactError for a download that failed, TargetError for a chosen runtime of another
        version.
        """
        home = runtime_home(self.major, cache, say, self.environ)
        around = Python().build(build, cache, say)
        pins = read_pins(Python().sources(build) / LOCK)
        return replace(
            around,
            command=(
                *around.command,
                str(home),
                *jvm_options(self.major, build.lever, build.memory_mb),
            ),
            versions={
                "java": java_version(home) or "unknown",
                **around.versions,
                "jpype1": pins["jpype1"],
            },
            classes_loaded=classes_loaded,
        )
