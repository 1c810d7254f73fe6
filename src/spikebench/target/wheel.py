"""A wheel out of the Python index, pinned by version and SHA-256."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from spikebench.errors import ArtefactError


def download_wheel(
    requirement: str, sha256: Iterable[str], folder: Path, failure: Callable[[str], ArtefactError]
) -> Path:
    """Download ``name==version`` for this machine into ``folder`` and return its path.

    ``sha256`` has a digest for each platform there is. Raises what ``failure`` makes of pip's words
    where it cannot be fetched, or is not one that was pinned.
    """
    hashes = " ".join(f"--hash=sha256:{value}" for value in sha256)
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{requirement} {hashes}\n")
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, "-r", requirements, "-d", folder],
        cwd=folder,
        env=pip_environ(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise failure(done.stderr or done.stdout)
    return next(folder.glob("*.whl"))


def last_words(output: str) -> str:
    """Return the last line of what pip printed that says anything."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "pip said nothing"


def pip_environ(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for pip: constraints of ours would contradict a lock file."""
    return {name: value for name, value in environ.items() if name != "PIP_CONSTRAINT"}
