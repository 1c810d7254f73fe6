"""A driver whose library tells the password that it was given: when it connects, or sends."""

from __future__ import annotations

from spikebench.errors import DriverError
from spikebench.load.driver import Confirms, Wiring
from tests.synthetic.driver import FlawedDriver, FlawedSender


class TalkativeDriver(FlawedDriver):
    """Option ``at``: ``connect`` or ``send``."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self._words = f"no entry with {wiring.connection['password']}: {wiring}"
        self._at = wiring.options["at"]

    def sender(self, confirms: Confirms) -> FlawedSender:
        if self._at == "connect":
            raise DriverError(self._words)
        made = super().sender(confirms)
        made.send = self._refuse  # type: ignore[method-assign]
        return made

    def _refuse(self, seq: int, key: bytes, body: bytes) -> None:
        raise DriverError(self._words)
