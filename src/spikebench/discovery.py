"""Spikes are found where they lie: ``spikes/<name>/spike.py`` below the current folder."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from spikebench.errors import UsageError
from spikebench.spike import Spike

FOLDER = Path("spikes")


def spike_names(root: Path | None = None) -> list[str]:
    """Return the names of the spikes below ``root`` (the current folder), sorted."""
    folder = (root or Path.cwd()) / FOLDER
    return sorted(path.parent.name for path in folder.glob("*/spike.py"))


def find_spike(name: str, root: Path | None = None) -> Spike:
    """Import and return the spike called ``name``.

    Raises UsageError naming those there are, or the package that this one needs and that is not
    installed.
    """
    root = root or Path.cwd()
    if name not in spike_names(root):
        known = ", ".join(spike_names(root)) or f"none: no spikes/<name>/spike.py below {root}"
        raise UsageError(f"no spike called {name!r}; there are: {known}")
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    try:
        spike = importlib.import_module(f"{FOLDER}.{name}.spike").SPIKE
    except ModuleNotFoundError as error:
        raise UsageError(
            f"spike {name} needs the package {error.name}, which is not installed here: run it "
            f"with python3 -m tox -e {name}, or install spikebench[{name}]"
        ) from error
    assert isinstance(spike, Spike), f"{FOLDER}/{name}/spike.py: SPIKE must be a Spike"
    return spike


def find_spikes(root: Path | None = None) -> list[Spike]:
    """Import and return every spike below ``root``."""
    return [find_spike(name, root) for name in spike_names(root)]
