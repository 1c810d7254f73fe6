"""What Python, Node.js, Go and Rust have in common beside Java: two handlers, and no levers."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from spikes.serverless.function import Build

HANDLERS = Path(__file__).parents[1] / "handlers"
CLIENTS = Path(__file__).with_name("clients")


class Language:
    """A runtime without levers; ``environ`` is where its toolchain is looked for."""

    name: ClassVar[str]
    title: ClassVar[str]
    linux_client: ClassVar[str] = ""
    """The runtime interface client, where it is made for Linux only."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self.environ = environ

    @property
    def levers(self) -> tuple[str, ...]:
        """Only ``baseline``: nothing was found that teams turn for these."""
        return ("baseline",)

    @property
    def client(self) -> Path:
        """What comes between the runtime and a handler, and the harness's mark."""
        return CLIENTS / self.name

    def sources(self, build: Build) -> Path:
        """Where the source of a handler lies, with its lock file."""
        return HANDLERS / build.handler / self.name

    def withheld(self, build: Build) -> str:
        """Say why a build makes no sense in this language; empty where it can be tried."""
        if self.linux_client and platform.system() != "Linux":
            return f"{self.linux_client}, {self.title}'s client, is made for Linux only"
        if build.handler == "spring":
            return "Spring is Java's"
        if not self.sources(build).is_dir():
            return f"there is no handler `{build.handler}` in {self.title}"
        if build.lever not in self.levers:
            return f"{self.title} has no lever `{build.lever}`"
        return ""


def lambda_environ(name: str, handler: str, task_root: Path) -> dict[str, str]:
    """Return what every function finds in its environment, as Lambda sets it, less credentials.

    Source: AWS Lambda Developer Guide, "Defined runtime environment variables" (2026-11). ``LANG``
    is not ``en_US.UTF-8`` as there, for that locale isn't on every machine; the charset is.
    """
    return {
        "AWS_DEFAULT_REGION": "eu-west-2",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "spikebench",
        "AWS_REGION": "eu-west-2",
        "LAMBDA_TASK_ROOT": str(task_root),
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "TZ": ":UTC",
        "_HANDLER": handler,
    }
