"""Starts a JVM in its own process, at import and so in the init phase, and answers by it.

The process's arguments are the home of a Java runtime and the JVM's options.
"""

from __future__ import annotations

import sys

import jpype

_HOME, *_OPTIONS = sys.argv[1:]

jpype.startJVM(f"{_HOME}/lib/server/libjvm.so", *_OPTIONS, convertStrings=False)

_GREETING = jpype.JString("hello ")


def handler(event: dict[str, str], context: object) -> dict[str, str]:  # noqa: ARG001
    """Say hello, put together in Java: text goes there and comes back."""
    return {"message": str(_GREETING.concat(event["name"]))}
