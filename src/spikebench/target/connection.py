"""How a driver reaches a server, kept from being printed by accident."""

from __future__ import annotations

SECRETS = frozenset({"password", "secret_key", "session_token"})


class PrivateConnection(dict[str, str]):
    """A connection whose secrets are left out when it is shown."""

    def __repr__(self) -> str:
        shown = {key: "***" if key in SECRETS else value for key, value in self.items()}
        return f"{type(self).__name__}({shown})"

    __str__ = __repr__

    def redact(self, text: str) -> str:
        """Return ``text`` without the secrets of this connection."""
        for secret in (value for key, value in self.items() if key in SECRETS and value):
            text = text.replace(secret, "***")
        return text
