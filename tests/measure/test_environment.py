import getpass
import json
import os
import platform
import socket
from pathlib import Path

import pytest

from spikebench.measure import environment as module
from spikebench.measure.environment import environment


@pytest.fixture(autouse=True)
def _forget() -> None:
    module._described.cache_clear()


def test_it_says_enough_to_tell_machines_apart() -> None:
    found = environment()
    assert found["cores"] == len(os.sched_getaffinity(0))
    assert found["python"] == platform.python_version()
    assert found["memory_gib"] >= 1
    assert len(found["fingerprint"]) == 12
    assert all(found[name] for name in ("cpu", "os", "kernel", "arch"))


def test_it_names_no_host_and_no_person() -> None:
    text = json.dumps(environment())
    for name in (socket.gethostname(), platform.node(), getpass.getuser(), str(Path.home())):
        assert name not in text.split('"')


def test_a_copy_is_handed_out() -> None:
    environment()["cores"] = 999
    assert environment()["cores"] != 999


def _fingerprint() -> str:
    module._described.cache_clear()
    return str(environment()["fingerprint"])


def test_the_fingerprint_is_the_machines_and_not_the_softwares(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = _fingerprint()
    monkeypatch.setattr(platform, "python_version", lambda: "3.99.1")
    monkeypatch.setattr(platform, "release", lambda: "99.1-other")
    assert _fingerprint() == before
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(77)))
    assert _fingerprint() != before
