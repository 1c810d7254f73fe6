"""Whose a container is: the labels that say so, and the removal of what an owner left behind."""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from collections.abc import Sequence

import docker
import psutil
from docker.errors import APIError

from spikebench.target.container.engine import SILENCE_S, engine
from spikebench.target.guard import Charge, Guard

OWNER = "spikebench.owner"
"""Label of our containers: ``host/pid/started`` of the harness that made one."""

TOKEN = "spikebench.token"
"""Label of what one guard removes: one container of a server, all containers of a lab."""


def labels(token: str) -> dict[str, str]:
    """Return what a container of ours carries, for the guard and the sweep to know it by."""
    return {OWNER: owner_here(), TOKEN: token}


def guard_of(token: str, remove: Sequence[str] = ()) -> Guard:
    """Have every container that carries ``token`` removed when this process is gone.

    The folders ``remove`` go with them.
    """
    command = [sys.executable, "-m", "spikebench.target.container.owner", token]
    return Guard(Charge(remove=remove, at_death=command))


def owner_here() -> str:
    """Return what the label of our containers says: ``host/pid/started``."""
    own = psutil.Process()
    return f"{socket.gethostname()}/{own.pid}/{own.create_time():.0f}"


def is_dead(owner: str) -> bool:
    """Whether a harness of this host is gone; one of another host is never said to be."""
    host, pid, started = owner.rsplit("/", 2)
    if host != socket.gethostname():
        return False
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(started)) > 2
    except psutil.NoSuchProcess:
        return True


def sweep(client: docker.DockerClient) -> int:
    """Remove containers whose harness on this host is dead; return how many there were."""
    ours = client.containers.list(all=True, filters={"label": OWNER}, ignore_removed=True)
    orphans = [one for one in ours if is_dead(one.labels[OWNER])]
    for orphan in orphans:
        with contextlib.suppress(APIError):
            orphan.remove(force=True, v=True)
    return len(orphans)


def remove(token: str) -> None:
    """Remove what carries ``token``; the guard's command when the harness is dead.

    Looked for twice: the engine may still have been creating it when its harness died.
    """
    with engine(SILENCE_S) as client:
        for wait_s in (1.0, 0.0):
            label = f"{TOKEN}={token}"
            for one in client.containers.list(all=True, filters={"label": label}):
                with contextlib.suppress(APIError):
                    one.remove(force=True, v=True)
            time.sleep(wait_s)


if __name__ == "__main__":
    remove(sys.argv[1])
