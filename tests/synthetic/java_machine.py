"""The one Java virtual machine of a test session, with everything any test needs on its class path.

A machine cannot be started twice in a process, and libraries that look classes up by name (Kafka's
does) do not find what is added to the class path later.
"""

from __future__ import annotations

from pathlib import Path

import jpype

from spikebench.load import jvm
from spikebench.target import java, maven
from spikebench.target.cache import Cache
from spikes.messaging.spike import SPIKE

SYNTHETIC = Path(__file__).parents[1] / "load" / "java"


def start_machine() -> None:
    """Start the machine with the messaging spike's drivers and the synthetic one, once."""
    if jpype.isJVMStarted():
        return
    cache = Cache.open()
    clients = [client for candidate in SPIKE.candidates for client in candidate.clients]
    locks = dict.fromkeys(lock for client in clients for lock in client.artefacts)
    sources = dict.fromkeys(folder for client in clients for folder in client.sources)
    libraries = [jar for lock in locks for jar in maven.class_path(lock, cache, print)]
    home = java.java_home(cache, print)
    classes = jvm.compile_sources([*sources, SYNTHETIC], libraries, cache, home, print)
    jvm.start_jvm([classes, *libraries], home)
