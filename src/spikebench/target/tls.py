"""TLS to a server that somebody else runs: whom its clients trust, and whether they may trust it.

Certificates and host names are always verified: there is no way to switch that off.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from pathlib import Path

from spikebench.errors import TargetError

_OTHER_NAME = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""


def over_tls(connection: Mapping[str, str]) -> str:
    """Return `` over TLS``, to stand behind what a connection leads to, or nothing."""
    return " over TLS" if "tls" in connection else ""


def trusting(ca_file: str | None) -> ssl.SSLContext:
    """Return a client's context that trusts ``ca_file`` (PEM) alone, or the system's CAs.

    Raise OSError where the file cannot be read, ssl.SSLError where it holds no certificate.
    """
    return ssl.create_default_context(cafile=ca_file)


def wanted(variable: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what makes a connection one over TLS, with the CA that ``variable`` names, if any.

    Raise TargetError as ``read_ca_file`` does.
    """
    ca_file = read_ca_file(variable, environ)
    return {"tls": "yes"} | ({"ca_file": ca_file} if ca_file else {})


def read_ca_file(variable: str, environ: Mapping[str, str]) -> str | None:
    """Return the path of the PEM file that ``variable`` names, None where it names none.

    Raise TargetError where there is no such file, or no certificate in it.
    """
    named = environ.get(variable, "").strip()
    if not named:
        return None
    path = str(Path(named).absolute())
    try:
        trusting(path)
    except ssl.SSLError:
        what = "holds no certificate in PEM, which starts with -----BEGIN CERTIFICATE-----"
        raise TargetError(f"{variable}: {path} {what}. {_NAME_ANOTHER}") from None
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise TargetError(f"{variable}: {path} {what}. {_NAME_ANOTHER}") from None
    return path


_NAME_ANOTHER = (
    "Name the file of the CA that signed the server's certificate, or unset it to trust the "
    "system's CAs."
)


def verify_certificate(
    host: str, port: int, ca_file: str | None, variable: str, timeout_s: float
) -> None:
    """Shake hands with ``host:port`` and hang up; TargetError where a client could not trust it.

    ``variable`` names ``ca_file`` in the environment. ``timeout_s`` is for each step.
    """
    where = f"{host}:{port}"
    try:
        with socket.create_connection((host, port), timeout_s) as plain:
            trusting(ca_file).wrap_socket(plain, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        raise TargetError(_untrusted(where, error, variable)) from None
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or error
        raise TargetError(
            f"{where} does not answer as TLS does: {reason}. Check the port, for TLS has one of "
            "its own, or ask for no TLS."
        ) from None


def _untrusted(where: str, error: ssl.SSLCertVerificationError, variable: str) -> str:
    what = f"the certificate of {where} does not verify: {error.verify_message.rstrip('.')}"
    if error.verify_code in _OTHER_NAME:
        return f"{what}. Name the server as its certificate does."
    return f"{what}. If a private CA signed it, name that CA's file (PEM) in {variable}."
