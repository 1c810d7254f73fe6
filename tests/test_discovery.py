"""Spikes are found where they lie, and one that cannot be imported says what it lacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from spikebench import discovery


def test_a_spike_whose_packages_are_missing_says_which(tmp_path: Path) -> None:
    folder = tmp_path / "spikes" / "bare_of_packages"
    folder.mkdir(parents=True)
    (folder / "spike.py").write_text("import no_such_package_anywhere\n")
    source = str(Path(discovery.__file__).parents[1])
    asked = "from spikebench.discovery import find_spike; find_spike('bare_of_packages')"
    ended = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "needs the package no_such_package_anywhere, which is not installed" in ended.stderr
