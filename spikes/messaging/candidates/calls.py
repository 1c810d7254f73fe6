"""Calls to AWS that were answered, by operation: what SQS and SNS bill, whatever a call carries."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeVar

from botocore import xform_name

Client = TypeVar("Client", bound=Any)

VAIN = "receive_message_empty"
"""A receive that came back with nothing, apart from those that did not."""


class Calls:
    """Counts what its clients are answered; a call that is tried again counts once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def of(self, client: Client) -> Client:
        """Count the calls of a boto3 client, and return it."""
        client.meta.events.register("after-call", self._note)
        return client

    def so_far(self) -> Mapping[str, int]:
        """Return the calls so far, by operation in snake case; from any thread."""
        with self._lock:
            return dict(self._counts)

    def _note(self, model: Any, parsed: Mapping[str, Any], **_: object) -> None:
        operation = xform_name(model.name)
        if operation == "receive_message" and not parsed.get("Messages"):
            operation = VAIN
        with self._lock:
            self._counts[operation] += 1
