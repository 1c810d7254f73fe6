import re
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

from spikebench.errors import TargetError
from spikebench.target.ports import free_ports
from spikebench.target.tls import over_tls, read_ca_file, trusting, verify_certificate


def test_only_a_file_of_certificates_is_trusted() -> None:
    assert read_ca_file("EXAMPLE_CA", {"EXAMPLE_CA": f" {certifi.where()} "}) == certifi.where()


@pytest.mark.parametrize("environ", [{}, {"EXAMPLE_CA": ""}])
def test_no_file_is_the_systems_trust(environ: dict[str, str]) -> None:
    assert read_ca_file("EXAMPLE_CA", environ) is None


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (None, "cannot be read: No such file or directory"),
        ("", "holds no certificate in PEM"),
        ("-----BEGIN PRIVATE KEY-----\nMAo=\n-----END PRIVATE KEY-----\n", "holds no certificate"),
    ],
)
def test_a_file_that_does_not_serve_is_one_error_that_names_the_variable(
    content: str | None, wrong: str, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(TargetError, match=f"EXAMPLE_CA: {re.escape(str(path))} {wrong}.*unset it"):
        read_ca_file("EXAMPLE_CA", {"EXAMPLE_CA": str(path)})


def test_certificates_and_names_are_verified() -> None:
    for context in (trusting(None), trusting(certifi.where())):
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname


@pytest.fixture
def plain_port() -> Iterator[int]:
    """A server that speaks first, and not TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connected, _ = server.accept()
            with connected:
                connected.recv(1)
                connected.sendall(b"AMQP\0\0\x09\x01")

        thread = threading.Thread(target=greet)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_a_port_without_tls_is_one_error(plain_port: int) -> None:
    with pytest.raises(TargetError, match=f"127.0.0.1:{plain_port} does not answer as TLS does"):
        verify_certificate("127.0.0.1", plain_port, None, "EXAMPLE_CA", 5.0)


def test_nobody_at_the_port_is_one_error() -> None:
    (port,) = free_ports(1)
    with pytest.raises(TargetError, match=f"127.0.0.1:{port} does not .*: Connection refused"):
        verify_certificate("127.0.0.1", port, None, "EXAMPLE_CA", 5.0)


def test_tls_is_said() -> None:
    assert over_tls({"tls": "yes"}) == " over TLS"
    assert over_tls({"host": "broker"}) == ""
