"""Functions into a run's stack: packages to its bucket, then all functions in one change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from spikebench.errors import TargetError
from spikebench.target.sandbox.clients import AWS_ERRORS, reason
from spikebench.target.sandbox.stack import Stack
from spikebench.target.software import Say
from spikes.serverless.sandbox.cold import Deployed
from spikes.serverless.sandbox.template import BUCKET, function
from spikes.serverless.sandbox.upload import Upload

TIMEOUT_S = 60
FIRST_MEMORY_MB = 1769
"""What a function has until its first trial sets its own."""

Wanted = tuple[Upload, bool]
"""A package, and whether its versions are snapshot: a function of its own for each pair."""


def deploy(
    stack: Stack, wanted: Sequence[Wanted], say: Say, timeout_s: int = TIMEOUT_S
) -> list[Deployed]:
    """Create what is wanted and return it in the same order; equal wishes share a function.

    Memory and variables are set by each trial, so one function serves all memory sizes and flags.
    Packages go by the bucket: a direct upload is limited to 50 MB (AWS Lambda quotas), which Spring
    Boot comes near to. Raises TargetError with what AWS would not do.
    """
    _send_packages(stack, [upload.checked() for upload, _ in wanted], say)
    resources = [function(upload, snap, FIRST_MEMORY_MB, timeout_s) for upload, snap in wanted]
    names = [logical_name(resource) for resource in resources]
    say(f"creating {len(set(names))} functions")
    stack.grow(dict(zip(names, resources, strict=True)))
    real = {name: stack.physical_id(name) for name in dict.fromkeys(names)}
    return [
        Deployed(real[name], upload, timeout_s)
        for name, (upload, _) in zip(names, wanted, strict=True)
    ]


def logical_name(resource: dict[str, Any]) -> str:
    """Name a function in the template by what it is: the same again for the same."""
    digest = hashlib.sha256(json.dumps(resource, sort_keys=True).encode()).hexdigest()
    return f"Function{digest[:12]}"


def _send_packages(stack: Stack, uploads: Iterable[Upload], say: Say) -> None:
    bucket = stack.physical_id(BUCKET)
    for key, upload in {upload.key(): upload for upload in uploads}.items():
        size_mb = upload.zip_path.stat().st_size / 2**20
        say(f"uploading {upload.zip_path.name} ({size_mb:.1f} MB)")
        try:
            with upload.zip_path.open("rb") as body:
                stack.clients.s3.put_object(Bucket=bucket, Key=key, Body=body)
        except AWS_ERRORS as error:
            raise TargetError(
                f"AWS would not take {upload.zip_path.name}: {reason(error, stack.account)}. "
                "Check the permissions in docs/sandbox.md."
            ) from None
