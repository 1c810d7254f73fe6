"""CRIU, which writes a process to files and makes it again from them: found, tried, and run.

It comes from Debian trixie with its own libraries and loader, for older releases' fail on current
kernels (3.17 on 6.18), or from ``SPIKEBENCH_CRIU``. It needs root.

Where ``/run`` is a temporary file system, CRIU remembers there what it has found out about the
kernel; elsewhere it would ask again at each restore, which takes longer than the restore itself.
There it gets a ``/run`` of its own, in a mount namespace of its own, with what it remembered when
the snapshot was made.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from spikebench.errors import TargetError
from spikebench.target.cache import Cache
from spikebench.target.debian import DebianTree
from spikebench.target.software import Say

VARIABLE = "SPIKEBENCH_CRIU"
_INSTEAD = f"Install CRIU 4.0 or later and set {VARIABLE} to its path."
TREE = DebianTree("criu", r".*", _INSTEAD, suite="trixie")
MEMORY = "kernel.kdat"

_OLDEST = 4
_CAPABILITIES = {"CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21}
_TOOLS = ("unshare", "setsid")
_OWN_RUN = 'mount -t tmpfs spikebench /run && { test ! -s "$0" || cp "$0" /run/criu.kdat; }'
_LEFT_OVER = Path("/run/criu.kdat.tmp")
_NOISE = re.compile(r"Can't setup RLIMIT_NOFILE|^Warn ")


def withheld(environ: Mapping[str, str]) -> str:
    """Say why no process can be restored here and what would mend it; empty where it may be."""
    if sys.platform != "linux":
        return "CRIU restores processes on Linux only"
    if os.geteuid() != 0:
        return "CRIU needs root: run as root"
    if lacking := [name for name in _CAPABILITIES if not _has_capability(name)]:
        return f"CRIU needs {' and '.join(lacking)}, which root lacks here: a privileged container"
    if absent := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        return f"there is no {' and no '.join(absent)} here: install util-linux"
    if not environ.get(VARIABLE) and not TREE.obtainable():
        return f"CRIU is fetched on Debian with apt-get only. {_INSTEAD}"
    return ""


@dataclass(frozen=True)
class Criu:
    """A CRIU that can be run: the words that start it, its version, and files it is made of."""

    words: tuple[str, ...]
    version: str
    files: tuple[Path, ...]

    def command(self, memory: Path, *arguments: str) -> tuple[str, ...]:
        """Return a command that runs it; ``memory`` is what ``try_out`` wrote."""
        if _run_is_temporary():
            return (*self.words, *arguments)
        script = f'{_OWN_RUN} && exec "$@"'
        return (*_in_own_mounts(script), str(memory), *self.words, *arguments)

    def run_here(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it in our own mount namespace, as it must for a process of which it takes a snapshot:
        it saves the namespace too where the two differ."""
        done = subprocess.run(
            [*self.words, *arguments], capture_output=True, text=True, check=False
        )
        if not _run_is_temporary() and _LEFT_OVER.is_file() and not _LEFT_OVER.stat().st_size:
            _LEFT_OVER.unlink()  # where it gave up to remember what it found out
        return done

    def try_out(self, memory: Path) -> None:
        """Have it check the kernel, and keep in ``memory`` what it found out.

        Raise TargetError with its reason where the kernel lacks what it needs.
        """
        checked = (*self.words, "check")
        if not _run_is_temporary():
            script = f'{_OWN_RUN} && "$@" && cp /run/criu.kdat "$0"'
            checked = (*_in_own_mounts(script), str(memory), *checked)
        done = subprocess.run(checked, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = reason(done.stdout + done.stderr)
            raise TargetError(f"CRIU {self.version} cannot work on this kernel: {said}")


def find_criu(cache: Cache, environ: Mapping[str, str]) -> Criu | None:
    """Return CRIU where it is here already; fetches nothing.

    Raise TargetError where ``SPIKEBENCH_CRIU`` names none that would do.
    """
    if chosen := environ.get(VARIABLE, "").strip():
        return Criu((chosen,), _version((chosen,)), (Path(chosen),))
    root = TREE.find(cache)
    return None if root is None else _from_tree(root)


def make_criu(cache: Cache, environ: Mapping[str, str], say: Say) -> Criu:
    """Return CRIU, fetched first where it is missing.

    Raise ArtefactError for a download that failed, TargetError as ``find_criu``.
    """
    return find_criu(cache, environ) or _from_tree(TREE.unpack(cache, say))


def reason(output: str) -> str:
    """Return what CRIU says went wrong: its first complaint that is one, and its last."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if not _NOISE.search(line)] or lines or ["it said nothing"]
    return "; ".join(dict.fromkeys((told[0], told[-1])))


def _from_tree(root: Path) -> Criu:
    words = (*TREE.own_loader(root), str(root / "usr" / "sbin" / "criu"))
    return Criu(words, TREE.versions(root)["criu"], (root,))


def _version(words: Sequence[str]) -> str:
    try:
        done = subprocess.run([*words, "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise TargetError(f"{VARIABLE}={words[0]} cannot be run: {error.strerror}") from error
    found = re.search(r"Version: ((\d+)\S*)", done.stdout)
    if found is None or int(found[2]) < _OLDEST:
        said = found[1] if found else reason(done.stdout + done.stderr)
        raise TargetError(f"{VARIABLE}={words[0]}: CRIU 4.0 or later is needed, found: {said}")
    return found[1]


def _in_own_mounts(script: str) -> tuple[str, ...]:
    return ("unshare", "--mount", "sh", "-c", script)


def _run_is_temporary() -> bool:
    return any(
        part.mountpoint == "/run" and part.fstype == "tmpfs"
        for part in psutil.disk_partitions(all=True)
    )


def _has_capability(name: str) -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> _CAPABILITIES[name] & 1)
    return False
