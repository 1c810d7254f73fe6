import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spikebench.errors import TargetError
from spikebench.target.cache import Cache
from spikebench.target.debian import DebianTree
from spikes.serverless import criu
from spikes.serverless.criu import Criu, find_criu, reason

COMPLAINTS = """\
Warn  (criu/kerndat.c:1285): Can't keep kdat cache on non-tempfs
Error (criu/util.c:1533): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted
Error (criu/files-reg.c:2258): File x has bad size 3 (expect 4)
     1: Error (criu/mem.c:1424): `- Can't open vma
Error (criu/cr-restore.c:2320): Restoring FAILED.
"""


def _tool(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def able(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nothing is missing."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(criu, "_has_capability", lambda _: True)
    monkeypatch.setattr(shutil, "which", lambda tool: f"/usr/bin/{tool}")
    monkeypatch.setattr(DebianTree, "obtainable", lambda _: True)


@pytest.mark.usefixtures("able")
def test_nothing_is_withheld_where_nothing_is_missing() -> None:
    assert criu.withheld({}) == ""


@pytest.mark.usefixtures("able")
def test_what_is_missing_is_said_with_what_would_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DebianTree, "obtainable", lambda _: False)
    assert "Install CRIU 4.0 or later and set SPIKEBENCH_CRIU" in criu.withheld({})
    assert criu.withheld({"SPIKEBENCH_CRIU": "/x/criu"}) == ""
    monkeypatch.setattr(shutil, "which", lambda tool: tool if tool == "setsid" else None)
    assert criu.withheld({}) == "there is no unshare here: install util-linux"
    monkeypatch.setattr(criu, "_has_capability", lambda name: name == "CAP_SYS_PTRACE")
    assert criu.withheld({}).startswith("CRIU needs CAP_SYS_ADMIN, which root lacks here")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert criu.withheld({}) == "CRIU needs root: run as root"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert criu.withheld({}) == "CRIU restores processes on Linux only"


def test_the_first_complaint_and_the_last_are_the_reason() -> None:
    assert reason(COMPLAINTS) == (
        "Error (criu/files-reg.c:2258): File x has bad size 3 (expect 4); "
        "Error (criu/cr-restore.c:2320): Restoring FAILED."
    )
    assert reason("Warn  (x): alone\n") == "Warn  (x): alone"
    assert reason("") == "it said nothing"


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("echo Version: 3.17.1", "CRIU 4.0 or later is needed, found: 3.17.1"),
        ("echo what is this", "CRIU 4.0 or later is needed, found: what is this"),
    ],
)
def test_a_chosen_criu_that_will_not_do_is_an_error(
    tmp_path: Path, script: str, complaint: str
) -> None:
    chosen = {"SPIKEBENCH_CRIU": str(_tool(tmp_path / "criu", script))}
    with pytest.raises(TargetError, match=complaint):
        find_criu(Cache(tmp_path / "cache"), chosen)
    with pytest.raises(TargetError, match="cannot be run: No such file"):
        find_criu(Cache(tmp_path / "cache"), {"SPIKEBENCH_CRIU": str(tmp_path / "none")})


def test_a_chosen_criu_is_run_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _tool(tmp_path / "criu", "echo Version: 4.2")
    found = find_criu(Cache(tmp_path / "cache"), {"SPIKEBENCH_CRIU": str(path)})
    assert found == Criu((str(path),), "4.2", (path,))
    monkeypatch.setattr(criu, "_run_is_temporary", lambda: True)
    assert found.command(tmp_path / "memory", "restore", "-D", "x") == (
        str(path),
        "restore",
        "-D",
        "x",
    )


def test_nothing_is_found_in_an_empty_cache(tmp_path: Path) -> None:
    assert find_criu(Cache(tmp_path), {}) is None


def test_a_kernel_that_lacks_something_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(criu, "_run_is_temporary", lambda: True)
    path = _tool(tmp_path / "criu", "echo 'Error (x): UFFD is not supported' >&2; exit 1")
    with pytest.raises(TargetError, match=r"CRIU 4\.2 cannot work on this kernel: .*UFFD"):
        Criu((str(path),), "4.2", ()).try_out(tmp_path / "memory")


@pytest.mark.skipif(bool(criu.withheld({})), reason="needs root, to mount")
def test_what_it_found_out_about_the_kernel_is_kept_where_run_is_not_temporary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(criu, "_run_is_temporary", lambda: False)
    before = Path("/run/criu.kdat").exists()
    told = "test -e /run/criu.kdat && cat /run/criu.kdat || echo asked >/run/criu.kdat"
    tool, memory = Criu((str(_tool(tmp_path / "criu", told)),), "4.2", ()), tmp_path / "memory"
    tool.try_out(memory)
    assert memory.read_text() == "asked\n"
    command = tool.command(memory, "restore")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "asked\n"
    assert Path("/run/criu.kdat").exists() == before
