"""Cutting connections: what a switch, a firewall or a load balancer does to a client."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Iterable, Set
from contextlib import closing, suppress

import psutil

from spikebench.errors import TargetError

_PIDFD_GETFD = 438
"""The number of the system call ``pidfd_getfd`` (Linux 5.6), the same on every architecture."""


def cut(pids: Iterable[int], ports: Set[int]) -> int:
    """Shut every TCP connection that processes ``pids`` have to ``ports``; return how many.

    Both ends see it closed, in the middle of whatever they were at. The descriptor is borrowed from
    the process, which must be a child of ours. Raise TargetError where the system has no such call.
    """
    return sum(_cut_one(pid, ports) for pid in pids)


def _cut_one(pid: int, ports: Set[int]) -> int:
    count = 0
    with suppress(psutil.NoSuchProcess):
        for connection in psutil.Process(pid).net_connections(kind="tcp"):
            if connection.raddr and connection.raddr.port in ports:
                count += _shut(pid, connection.fd)
    return count


def _shut(pid: int, descriptor: int) -> bool:
    with suppress(OSError), closing(_borrowed(pid, descriptor)) as borrowed:
        borrowed.shutdown(socket.SHUT_RDWR)
        return True
    return False


def _borrowed(pid: int, descriptor: int) -> socket.socket:
    process = os.pidfd_open(pid)
    try:
        copy = ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, process, descriptor, 0)
        number = ctypes.get_errno()
    finally:
        os.close(process)
    if copy < 0 and number in (1, 38):  # EPERM, ENOSYS
        raise TargetError(
            f"connections cannot be cut here: {os.strerror(number)}. It takes Linux 5.6 or later "
            "and leave to trace child processes (kernel.yama.ptrace_scope at most 1)."
        )
    if copy < 0:
        raise OSError(number, os.strerror(number))
    return socket.socket(fileno=copy)
