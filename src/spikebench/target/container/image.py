"""An image: what it is called, whether an engine has it or could pull it, and the pulling."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache as remembered
from typing import TYPE_CHECKING, Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound
from testcontainers.core.config import testcontainers_config
from testcontainers.core.docker_client import get_docker_host

from spikebench.errors import ArtefactError, TargetError
from spikebench.target.container.engine import REFUSED, SILENCE_S, engine, mend_engine, what_it_said
from spikebench.target.software import Presence, Say

if TYPE_CHECKING:
    from spikebench.target.cache import Cache

ENGINE_TIMEOUT_S = 0.8
REGISTRY_TIMEOUT_S = 3.0
PULL_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Image:
    """An image: what a person calls it, what is pinned, and the variable that overrides it."""

    release: str
    pinned: str
    variable: str

    def reference(self, environ: Mapping[str, str] = os.environ) -> str:
        """Return the image to run: the one the environment names, else the pinned one."""
        return environ.get(self.variable) or self.pinned


@dataclass(frozen=True)
class FromImage:
    """What needs an image: whether an engine has it, or could pull it, and the pulling."""

    image: Image

    def unfit(self, version: Mapping[str, Any]) -> str:  # noqa: ARG002
        """Say why an engine that says this of itself will not do; empty where it will."""
        return ""

    def presence(self, cache: Cache) -> Presence:  # noqa: ARG002
        """Say whether an engine answers and has the image, or could pull it; bounded by seconds."""
        try:
            with engine(ENGINE_TIMEOUT_S) as client:
                found = client.version()
                present = has(client, self.named)
        except TargetError as error:
            return Presence(False, False, str(error), mend_engine())
        except REFUSED as error:
            return Presence(False, False, f"no Docker engine answers: {error}", mend_engine())
        version = found["Version"]
        if reason := self.unfit(found):
            return Presence(False, False, f"Docker {version}: {reason}")
        if present:
            return Presence(True, True, f"{self.named} on Docker {version}")
        return self._absent(version)

    def _absent(self, version: str) -> Presence:
        refusal = _refusal(self.named, get_docker_host())
        mend = f"docker pull {self.named}, or set {self.image.variable} to an image you have"
        where = f"Docker {version} has no image {self.named}"
        if refusal:
            return Presence(False, False, f"{where} and cannot pull it: {refusal}", mend)
        return Presence(False, True, f"{where} yet ({self.image.release})", mend)

    def install(self, cache: Cache, say: Say) -> None:  # noqa: ARG002
        """Pull the image where it is missing; raise ArtefactError if that fails or takes 10 min."""
        with engine(SILENCE_S) as client:
            if has(client, self.named):
                return
            try:
                _pull(client, self.named, say)
            except REFUSED as error:
                raise ArtefactError(self.not_pulled(what_it_said(error))) from error

    def not_pulled(self, why: str) -> str:
        """Return the error that says why the image is not here, and what to do."""
        return (
            f"image {self.named} could not be pulled: {why}. Check the name and the network, log "
            f"in to the registry, or set {self.image.variable} to an image this engine has."
        )

    @property
    def named(self) -> str:
        """The image as the engine is asked for it."""
        return f"{testcontainers_config.hub_image_name_prefix}{self.image.reference()}"


def has(client: docker.DockerClient, reference: str) -> bool:
    """Whether the engine has this image."""
    try:
        client.images.get(reference)
    except ImageNotFound:
        return False
    return True


@remembered
def _refusal(reference: str, host: str | None) -> str:  # noqa: ARG001
    """Say why the registry would not give this image, or nothing; asked once a process."""
    try:
        with engine(REGISTRY_TIMEOUT_S) as client:
            client.api.inspect_distribution(reference)
    except APIError as error:
        return what_it_said(error)
    except REFUSED:
        return f"its registry did not answer within {REGISTRY_TIMEOUT_S:.0f} s"
    return ""


def _pull(client: docker.DockerClient, reference: str, say: Say) -> None:
    say(f"pulling {reference}")
    give_up = time.monotonic() + PULL_TIMEOUT_S
    for event in client.api.pull(reference, stream=True, decode=True):
        if "error" in event:
            raise DockerException(event["error"])
        if time.monotonic() > give_up:
            raise DockerException(f"not finished after {PULL_TIMEOUT_S:.0f} s")
        if event.get("status") == "Pull complete":
            say(f"pulled layer {event.get('id', '')} of {reference}")
