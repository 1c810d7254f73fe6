"""What is uploaded to Lambda: a zip, its runtime and handler; and what a lever means there."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from spikebench.errors import TargetError
from spikes.serverless.java.options import ARCHIVE_LEVERS

Architecture = Literal["x86_64", "arm64"]

UNZIPPED_LIMIT_BYTES = 250 * 2**20
"""Of a function's code and layers, unzipped (AWS Lambda quotas)."""

MEMORY_LIMITS_MB = (128, 10_240)
"""Least and most memory of a function (AWS Lambda quotas)."""

OS_ONLY = "provided.al2023"
"""The runtime of what brings its own: Go, Rust, native images."""

LEVERS: Mapping[str, Mapping[str, str]] = {
    "baseline": {},
    "c1": {"JAVA_TOOL_OPTIONS": "-XX:+TieredCompilation -XX:TieredStopAtLevel=1"},
    "snapstart": {},
    "native": {},
}
"""The levers that there are in a sandbox, each with the variables that it adds."""

_OTHERWISE = {
    "lambda-flags": "Lambda sets them by itself: it is the baseline there",
    "lambda-runtime": "Lambda's own runtime is the baseline there",
    "snapshot": "the service has SnapStart",
}
"""Local levers that stand for something the service has."""


@dataclass(frozen=True)
class Upload:
    """A function as Lambda takes it: a zip file, runtime identifier, handler, variables.

    ``runtime`` is Lambda's identifier, such as ``java21``; ``handler`` in that runtime's notation,
    such as ``example.Handler::handleRequest`` (``bootstrap`` for ``provided.al2023``).
    """

    zip_path: Path
    runtime: str
    handler: str
    environ: Mapping[str, str] = field(default_factory=dict)
    architecture: Architecture = "x86_64"

    @property
    def java(self) -> bool:
        """Whether it runs on one of Lambda's own Java runtimes."""
        return is_java(self.runtime)

    def checked(self) -> Upload:
        """Return it; raise TargetError where Lambda would not take the package."""
        try:
            with zipfile.ZipFile(self.zip_path) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
        except (OSError, zipfile.BadZipFile) as error:
            raise TargetError(f"{self.zip_path.name} is no package: {error}. Build it.") from None
        if size > UNZIPPED_LIMIT_BYTES:
            raise TargetError(
                f"{self.zip_path.name} unzips to {size / 2**20:,.0f} MB, above Lambda's "
                f"{UNZIPPED_LIMIT_BYTES / 2**20:,.0f}: leave libraries out."
            )
        return self

    @cached_property
    def digest(self) -> str:
        """Of its content, which is read once: the file may go when it was sent."""
        return hashlib.sha256(self.zip_path.read_bytes()).hexdigest()[:16]

    def key(self) -> str:
        """Name it by its content: what it is called in the run's bucket."""
        return f"{self.digest}.zip"


def is_java(runtime: str) -> bool:
    """Whether a runtime identifier is that of one of Lambda's own Java runtimes."""
    return runtime.startswith("java")


def withheld(runtime: str, lever: str) -> str:
    """Say why a lever can't be measured in a sandbox; empty where it can.

    ``runtime`` is the identifier that the function's package is for.
    """
    if lever.partition("+")[0] in ARCHIVE_LEVERS:
        return (
            f"{lever}: an archive serves only the very JVM that wrote it, and Lambda's can't be "
            "had here"
        )
    if lever in _OTHERWISE:
        return f"{lever}: {_OTHERWISE[lever]}"
    if lever not in LEVERS:
        return f"{lever}: not known in a sandbox"
    if lever == "native":
        right = runtime == OS_ONLY
        return "" if right else f"native: the package is for {runtime}: no native image is built"
    return "" if is_java(runtime) or lever == "baseline" else f"{lever}: a lever of Java only"


def effective_flags(runtime: str, lever: str) -> str:
    """Say how far Lambda lets Java compile at first; empty for what is not Java.

    Lambda stops Java 17 and 21 at C1 by itself, and Java 25 too except under SnapStart, so that
    ``baseline`` and ``c1`` are the same there
    (https://docs.aws.amazon.com/lambda/latest/dg/java-customization.html, read 2026-11-25).
    """
    if not is_java(runtime):
        return ""
    version = int(runtime.removeprefix("java").partition(".")[0])
    stops_by_itself = version >= 17 and not (version >= 25 and lever == "snapstart")
    return "C1 only" if lever == "c1" or stops_by_itself else "C1 and C2"
