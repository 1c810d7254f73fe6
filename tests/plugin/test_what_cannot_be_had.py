"""Whole runs in which a candidate cannot be had: its reason, its exit code, the rest measured.

Servers and jars are real ones of the local target; only what they are made of is ours.
"""

from __future__ import annotations

import hashlib
import json
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from spikebench.record import Record, read_records
from spikebench.target.ports import free_ports
from tests.synthetic.spike_folder import run_files, run_spike, write_spike

SERVED = '''

import json
import sys
from dataclasses import dataclass, replace

from spikebench.target.local_server import Launch, LocalServer
from spikebench.target.maven import class_path
from spikebench.target.software import Presence

ROOT = Path(__file__).parents[2]
PORT = json.loads((ROOT / "port.json").read_text())
LISTEN = """
import socket, sys
try:
    socket.create_server(("127.0.0.1", int(sys.argv[1])))
except OSError as error:
    raise SystemExit(str(error))
"""


@dataclass(frozen=True)
class Local:
    program: str
    listens: tuple[int, ...] = ()
    lock: Path | None = None

    def presence(self, cache):
        return Presence(True, True, "ours 1.0")

    def install(self, cache, say):
        if self.lock:
            class_path(self.lock, cache, say)

    def start(self, cache, cores, say):
        return LocalServer.start("ours", self._launch, cores, say)

    def _launch(self, folder):
        command = [sys.executable, "-c", self.program, *map(str, self.listens)]
        return Launch(
            command, {}, self.listens, lambda: False, as_ordinary_user=False, timeout_s=2.0
        )


def served(name, recipe):
    return candidate(name, software=Software(name, {"local": recipe}, {"local": "software"}))


SPIKE = replace(
    SPIKE,
    candidates=(
        *SPIKE.candidates,
        served("dead", Local("print('no such option'); raise SystemExit(3)")),
        served("mute", Local("import time; print('warming up', flush=True); time.sleep(60)")),
        served("crowded", Local(LISTEN, (PORT,))),
        served("unfetched", Local("", lock=ROOT / "ours.lock")),
    ),
)
'''

JAR = b"what was pinned"
IN_CACHE = Path("maven", "org", "example", "one", "1.0", "one-1.0.jar")


@pytest.fixture
def port() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        yield int(stranger.getsockname()[1])


@pytest.fixture
def root(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The spike with candidates that cannot be had, and no network to fetch from."""
    (nobody,) = free_ports(1)
    monkeypatch.setenv("SPIKEBENCH_MAVEN_MIRROR", f"http://127.0.0.1:{nobody}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with tempfile.TemporaryDirectory(prefix="spikebench-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        write_spike(folder)
        (folder / "port.json").write_text(json.dumps(port))
        pin = f"org.example:one:1.0 {hashlib.sha256(JAR).hexdigest()}\n"
        (folder / "ours.lock").write_text(pin)
        spike = folder / "spikes" / "tiny" / "spike.py"
        spike.write_text(spike.read_text() + SERVED)
        yield folder


def measured(root: Path, *candidates: str) -> tuple[int, str, list[Record]]:
    """Run two blocks; return exit code, what was printed in one line, and the last tries."""
    ended = run_spike(root, f"--candidate={','.join(candidates)}", "--trials=2")
    assert "Traceback" not in ended.stdout
    assert "INTERNALERROR" not in ended.stdout
    (path,) = run_files(root)
    last = {(r.candidate, r.arm, r.block): r for r in read_records(path)}
    return ended.returncode, " ".join(ended.stdout.split()), list(last.values())


def assert_one_is_missing(root: Path, name: str, code: int, *said: str) -> None:
    """A candidate cannot be had: its reason is everywhere, and the others have their figures."""
    ended, printed, records = measured(root, "plain", name)
    assert ended == code, printed
    assert {r.status for r in records if r.candidate == "plain"} == {"valid"}
    missing = [r for r in records if r.candidate == name]
    assert [r.status for r in missing] == ["failed", "failed"]
    for text in said:
        assert text in printed
        assert all(text in " ".join(r.reason.split()) for r in missing)
    table = (root / "results" / "tiny" / "table.md").read_text()
    assert f"| {name}" in table
    assert "| plain" in table


def test_a_server_that_ends_at_once(root: Path) -> None:
    assert_one_is_missing(root, "dead", 4, "ours ended with code 3", "no such option")


def test_a_server_that_never_answers(root: Path) -> None:
    assert_one_is_missing(root, "mute", 4, "ours was not up within 2 s", "warming up")


def test_a_port_that_is_taken(root: Path) -> None:
    assert_one_is_missing(root, "crowded", 4, "ours ended with code 1", "Address already in use")


def test_an_empty_cache_without_a_network(root: Path) -> None:
    said = "org.example:one:1.0 could not be fetched from SPIKEBENCH_MAVEN_MIRROR"
    assert_one_is_missing(root, "unfetched", 5, said, "in a closed network set")


def test_a_damaged_cache_that_cannot_be_mended(root: Path) -> None:
    path = root / "cache" / IN_CACHE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"something else")
    wanted, found = (hashlib.sha256(data).hexdigest() for data in (JAR, b"something else"))
    said = f"{path} was damaged (expected sha256 {wanted}, found {found})"
    assert_one_is_missing(root, "unfetched", 5, said, "could not be fetched")


def test_reasons_of_several_kinds_end_as_failed_trials_do(root: Path) -> None:
    code, _, records = measured(root, "dead", "unfetched")
    assert code == 1
    assert {r.status for r in records} == {"failed"}
