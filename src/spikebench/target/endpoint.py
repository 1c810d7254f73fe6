"""The target ``endpoint``: a server somebody else runs, whose address stands in the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from spikebench.errors import TargetError
from spikebench.target.cache import Cache
from spikebench.target.connection import PrivateConnection
from spikebench.target.ports import answers
from spikebench.target.software import Cores, Presence, Say

Read = Callable[[str, Mapping[str, str]], PrivateConnection]
"""Turns a variable's value, and the environment, into a connection; raises ValueError with what is
wrong, without quoting the value, for it may hold a password."""

Address = Callable[[PrivateConnection], tuple[str, int]]
"""Host and port that must accept a connection."""


@dataclass(frozen=True)
class Endpoint:
    """A ``Running`` server that is not ours: it is neither paused nor measured nor stopped."""

    connection: PrivateConnection
    startup_s: float | None = None

    def cpu_s(self) -> float | None:
        """None: it can't be seen."""
        return None

    def peak_rss_bytes(self) -> int | None:
        """None: it can't be seen."""
        return None

    def alive(self) -> bool:
        """Taken to be."""
        return True

    def pause(self) -> None:
        """Nothing: others may use it."""

    def resume(self) -> None:
        """Nothing."""

    def log_tail(self) -> str:
        """Nothing: its log is elsewhere."""
        return ""

    def stop(self) -> None:
        """Nothing: it is not ours to stop."""


@dataclass(frozen=True)
class EndpointRecipe:
    """Use the server that the environment variable ``variable`` names, e.g. as in ``example``."""

    variable: str
    example: str
    read: Read = field(repr=False)
    address: Address = field(repr=False)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    timeout_s: float = 5.0

    def presence(self, cache: Cache) -> Presence:  # noqa: ARG002
        """Tell whether the variable is set and well formed; does not connect."""
        if not self._value():
            mend = f"export {self.variable}={self.example}"
            return Presence(False, False, f"{self.variable} is not set", mend)
        try:
            host, port = self.address(self._connection())
        except TargetError as error:
            mend = f"export {self.variable}={self.example}"
            return Presence(False, False, str(error), mend, broken=True)
        return Presence(True, True, f"{host}:{port} ({self.variable})")

    def install(self, cache: Cache, say: Say) -> None:
        """Nothing to fetch."""

    def start(self, cache: Cache, cores: Cores, say: Say) -> Endpoint:  # noqa: ARG002
        """Return the server once it accepts a connection; raise TargetError if it does not."""
        connection = self._connection()
        host, port = self.address(connection)
        if not answers(host, port, self.timeout_s):
            raise TargetError(
                f"{host}:{port}, which {self.variable} names, accepts no connection within "
                f"{self.timeout_s:.0f} s. Check the address, the server and the firewall, or "
                f"unset {self.variable}."
            )
        say(f"using {host}:{port} ({self.variable})")
        return Endpoint(connection)

    def _value(self) -> str:
        return self.environ.get(self.variable, "").strip()

    def _connection(self) -> PrivateConnection:
        try:
            return self.read(self._value(), self.environ)
        except ValueError as error:
            raise TargetError(
                f"{self.variable}: {error}. It should look like {self.example} (its value is not "
                "shown here, for it may hold a password)."
            ) from None
