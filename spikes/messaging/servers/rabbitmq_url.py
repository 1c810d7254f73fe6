"""The address of an endpoint of RabbitMQ, and what else of the environment belongs to it.

Amazon MQ for RabbitMQ has AMQP over TLS alone, at port 5671 ("Broker", "Listener ports", Amazon MQ
Developer Guide).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from spikebench.target.connection import PrivateConnection
from spikebench.target.tls import read_ca_file, wanted

URL = "SPIKEBENCH_RABBITMQ_URL"
CA_FILE = "SPIKEBENCH_RABBITMQ_CA_FILE"
STREAM_PORT = "SPIKEBENCH_RABBITMQ_STREAM_PORT"

PORTS = {"amqp": ("5672", "5552"), "amqps": ("5671", "5551")}
"""The usual ports of AMQP and of streams, by the scheme of the address."""


def read_url(value: str, environ: Mapping[str, str]) -> PrivateConnection:
    """Read ``amqp://user:password@host:port/vhost``, or ``amqps://`` for TLS.

    The port of streams may stand in ``SPIKEBENCH_RABBITMQ_STREAM_PORT``, the CA to trust in
    ``SPIKEBENCH_RABBITMQ_CA_FILE``. Raise ValueError with what is wrong, TargetError where that is
    the CA's file.
    """
    url = urlsplit(value)
    if url.scheme not in PORTS or not url.hostname:
        raise ValueError("it is not an address that starts with amqp(s):// and names a host")
    if url.username and not url.password:
        raise ValueError("it names a user without a password")
    port, stream_port = PORTS[url.scheme]
    return PrivateConnection(
        host=url.hostname,
        port=str(_port(url) or port),
        stream_port=environ.get(STREAM_PORT, stream_port),
        user=unquote(url.username or "guest"),
        password=unquote(url.password or "guest"),
        vhost=unquote(url.path[1:]) or "/",
        **_tls(url, environ),
    )


def _port(url: SplitResult) -> int | None:
    try:
        return url.port
    except ValueError:
        raise ValueError("its port is not a number below 65536") from None


def _tls(url: SplitResult, environ: Mapping[str, str]) -> dict[str, str]:
    if url.scheme == "amqps":
        return wanted(CA_FILE, environ)
    if read_ca_file(CA_FILE, environ):
        raise ValueError(f"it starts with amqp://, which makes no use of {CA_FILE}: use amqps://")
    return {}
