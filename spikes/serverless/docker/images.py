"""The base images: which one a candidate runs in, and what an engine must be for it.

Digests are those of one machine architecture's manifest, but ``provided``'s, which is the index's;
docs/docker.md says where each was found. Python's has a tag only: no record of it was found that
says when or for what machine it was written down.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spikebench.errors import TargetError
from spikebench.target.cache import Cache
from spikebench.target.container.image import FromImage, Image
from spikebench.target.software import Cores, Running, Say

REGISTRY = "public.ecr.aws/lambda"
STAND_IN = "spikebench.stand-in"
"""Label of an image that stands in for AWS's: what it is made of. Its rows say so."""

PYTHON = "3.13"
"""The version of Python in its image: packages for it are fetched, whatever runs the harness."""

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

_DIGESTS: Mapping[tuple[str, str], str] = {
    ("java:11", "amd64"): "8510f3f983fc4449d95959cb14d6030a9eee61911cfc86eafe735efabc99ff22",
    ("java:11", "arm64"): "95f90e84d4a3018aff7a32a76224214e5deaddee2d6d15ade1b289cd868f9778",
    ("java:17", "amd64"): "0d9b32c52681932210fb72815cb3c9b2a7236a19d8e1ba4bf76f3486ec7967aa",
    ("java:17", "arm64"): "d99a074f9861ba72310b9235c27ffa66da351177391a66bc17c116d7b08ab68a",
    ("java:21", "amd64"): "7a9df9ec2b6e4194eb50578b95d1ec22cc2c55da85a0c6a7b5611b30b859bcea",
    ("java:21", "arm64"): "bf6bdff8489175aa493534ed7df066f91d811d7be0067bfe351df7c5ddfa70c8",
    ("java:25", "amd64"): "7e709b93c5b5d550247f82063f39bdcee2a6bfe52ff690b6b11b5a78eddcbd72",
    ("java:25", "arm64"): "ab486b06ea354a4a45a82797bc202deebb4f2900e20c1609146064c9f555c450",
    ("nodejs:24", "amd64"): "19c9ce8d55c18e32fd4df26c4db582b8711297f73ca68860e541ee0715111490",
    ("nodejs:24", "arm64"): "f04cd4c199f7237792c112ac4bb71e41fb0f51bf975e03103854d94b4ea1b5ac",
    ("provided:al2023", ""): "c6a2e7cb103884b785ebce3ce826c7cfd68e9843d8d5e6773a53e902ced83a19",
}


def _image(tag: str, name: str, machine: str = platform.machine()) -> Image:
    architecture = _MACHINES.get(machine, machine)
    digest = _DIGESTS.get((tag, architecture)) or _DIGESTS.get((tag, ""))
    repository = tag.partition(":")[0]
    pinned = f"{REGISTRY}/{repository}@sha256:{digest}" if digest else f"{REGISTRY}/{tag}"
    return Image(f"{REGISTRY}/{tag}", pinned, f"SPIKEBENCH_LAMBDA_{name}_IMAGE")


IMAGES: Mapping[str, Image] = {
    "java-11": _image("java:11", "JAVA_11"),
    "java-17": _image("java:17", "JAVA_17"),
    "java-21": _image("java:21", "JAVA_21"),
    "java-25": _image("java:25", "JAVA_25"),
    "python": _image(f"python:{PYTHON}", "PYTHON"),
    "node": _image("nodejs:24", "NODE"),
    "go": _image("provided:al2023", "PROVIDED"),
    "rust": _image("provided:al2023", "PROVIDED"),
}
"""By the candidate's name."""


@dataclass(frozen=True)
class InContainer(FromImage):
    """The recipe of functions in a base image; the lab builds and starts them."""

    def unfit(self, version: Mapping[str, Any]) -> str:
        """Say why containers of this engine could not reach a trial's endpoint on loopback."""
        if platform.system() != "Linux" or version.get("KernelVersion") != platform.release():
            return "it runs in a virtual machine, whose loopback is not this machine's"
        return ""

    def start(self, cache: Cache, cores: Cores, say: Say) -> Running:  # noqa: ARG002
        """A function is no server; raises TargetError."""
        raise TargetError("a function is started anew in each trial, and never kept running")
