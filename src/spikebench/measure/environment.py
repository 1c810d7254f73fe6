"""The machine a trial ran on: enough to tell machines apart, no name of a person or host."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
from pathlib import Path
from typing import Any

import psutil

VOLATILE = frozenset({"python", "kernel"})
"""What may change without the machine being another one; shown, and left out of the fingerprint."""


@functools.cache
def _described() -> str:
    frequency = psutil.cpu_freq()
    facts: dict[str, Any] = {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "mhz": round(frequency.max) if frequency and frequency.max else None,
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "os": _os_name(),
        "kernel": platform.release(),
        "arch": platform.machine(),
        "python": platform.python_version(),
    }
    stable = {name: value for name, value in facts.items() if name not in VOLATILE}
    digest = hashlib.sha256(json.dumps(stable, sort_keys=True).encode()).hexdigest()
    return json.dumps({**facts, "fingerprint": digest[:12]})


def environment() -> dict[str, Any]:
    """Describe this machine; ``fingerprint`` is equal for machines of the same kind.

    Of the clock frequency only a stated maximum counts, for the present one moves.
    """
    facts: dict[str, Any] = json.loads(_described())
    return facts


def _cpu_model() -> str:
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith(("model name", "Model")):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
