"""A short run of the messaging spike in a process of its own, as somebody would start it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def smoke_run(
    candidate: str, environ: Mapping[str, str], results: Path
) -> subprocess.CompletedProcess[str]:
    """Run the profile ``smoke`` with ``environ`` exported; return how it ended and what it said."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "spikes/messaging", "-q", "-p", "no:warnings"),
            *("--profile", "smoke", "--candidate", candidate, "--benchmark-quiet"),
            *("--results", str(results)),
        ],
        cwd=ROOT,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def told(secret: str, run: subprocess.CompletedProcess[str], results: Path) -> bool:
    """Whether a run printed or wrote ``secret``."""
    written = (file.read_bytes() for file in results.rglob("*") if file.is_file())
    return secret in run.stdout or any(secret.encode() in text for text in written)
