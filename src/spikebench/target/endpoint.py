"""The target ``endpoint``: a server somebody else runs, whose address stands in the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from spikebench.errors import TargetError
from spikebench.target.cache import Cache
from spikebench.target.connection import PrivateConnection
from spikebench.target.ports import answers
from spikebench.target.software import Connection, Cores, Presence, Say
from spikebench.target.tls import over_tls, verify_certificate

Read = Callable[[str, Mapping[str, str]], PrivateConnection]
"""Turns a variable's value, and the environment, into a connection; raises ValueError with what is
wrong, without quoting the value, for it may hold a password, and TargetError where another variable
is wrong. ``tls`` in the connection asks for TLS, ``ca_file`` for trust in that file alone."""

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
    """Use the server that the environment variable ``variable`` names, e.g. as in ``example``.

    ``ca_variable`` names the file of a private CA, where the server may speak TLS.
    """

    variable: str
    example: str
    read: Read = field(repr=False)
    address: Address = field(repr=False)
    ca_variable: str = ""
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    timeout_s: float = 5.0

    def presence(self, cache: Cache) -> Presence:  # noqa: ARG002
        """Tell whether the variable is set and well formed; does not connect."""
        if not self._value():
            mend = f"export {self.variable}={self.example}"
            return Presence(False, False, f"{self.variable} is not set", mend)
        try:
            connection = self._connection()
        except TargetError as error:  # which says what mends it
            return Presence(False, False, str(error), broken=True)
        return Presence(True, True, self._shown(connection))

    def install(self, cache: Cache, say: Say) -> None:
        """Nothing to fetch."""

    def start(self, cache: Cache, cores: Cores, say: Say) -> Endpoint:  # noqa: ARG002
        """Return the server once it accepts a connection; raise TargetError if it does not.

        So it does where the server's certificate does not verify.
        """
        connection = self._connection()
        host, port = self.address(connection)
        if not answers(host, port, self.timeout_s):
            raise TargetError(
                f"{host}:{port}, which {self.variable} names, accepts no connection within "
                f"{self.timeout_s:.0f} s. Check the address, the server and the firewall, or "
                f"unset {self.variable}."
            )
        if "tls" in connection:
            ca_file = connection.get("ca_file")
            verify_certificate(host, port, ca_file, self.ca_variable, self.timeout_s)
        say(f"using {self._shown(connection)}")
        return Endpoint(connection)

    def _shown(self, connection: PrivateConnection) -> str:
        host, port = self.address(connection)
        return f"{host}:{port}{_manner(connection)} ({self.variable})"

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


def _manner(connection: Connection) -> str:
    """How the server is spoken to, where that is not in the open and by anyone."""
    mechanism = connection.get("sasl_mechanism")
    return over_tls(connection) + (f", by {mechanism}" if mechanism else "")
