"""Starts ministack, giving up root between loading its code and serving.

Run by path with the harness's interpreter. That may lie where an ordinary user cannot look, such as
in root's home, so all that serving needs is loaded while we still can; then user and group change.
Arguments: numbers of user and group, or nothing to stay as we are.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1

_MODULES = (
    "ministack.services.sqs",
    "ministack.services.sns",
    "ministack.services.kinesis",
    "ministack.services.eventbridge",
    "ministack.services.scheduler",
    "ministack.services.lambda_svc",
    "ministack.services.firehose",
    "ministack.services.cloudwatch",
    "ministack.services.cloudwatch_logs",
    "ministack.services.kms",
    "ministack.core.tls",
    "hypercorn.asyncio.run",
    "hypercorn.protocol.h2",
    "hypercorn.protocol.h11",
    "hypercorn.protocol.ws_stream",
    "hypercorn.middleware",
    "concurrent.futures.thread",
    "encodings.idna",
    "email.mime.text",
    "xml.etree.ElementTree",
    "zoneinfo",
    "uuid",
)
"""What ministack and its web server would load later, at the first request that needs it."""


def main(arguments: Sequence[str]) -> None:
    """Load, change user, serve."""
    parent = os.getppid()
    app = importlib.import_module("ministack.app")
    for name in _MODULES:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            # Versions differ in what they have; what is missing here is not needed there.
            print(f"not loaded beforehand: {error}")
    if arguments:
        _become(int(arguments[0]), int(arguments[1]), parent)
    sys.argv = ["ministack"]
    app.main()


def _become(uid: int, gid: int, parent: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    # Changing user has undone it: we must still die with whoever watches over us.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
