"""How an endpoint of Kafka is spoken to: TLS, SASL and whom to trust, by the environment.

Amazon MSK has SASL/SCRAM with SHA-512 alone, over TLS, and TLS without it ("Sign-in credentials
authentication with AWS Secrets Manager" and "Port information", Amazon MSK Developer Guide).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from spikebench.errors import TargetError
from spikebench.target.tls import wanted

PROTOCOL = "SPIKEBENCH_KAFKA_SECURITY_PROTOCOL"
MECHANISM = "SPIKEBENCH_KAFKA_SASL_MECHANISM"
USER = "SPIKEBENCH_KAFKA_USER"
PASSWORD = "SPIKEBENCH_KAFKA_PASSWORD"
CA_FILE = "SPIKEBENCH_KAFKA_CA_FILE"

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT")
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")


def read_security(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a connection has beside its addresses; nothing for plain text.

    ``security_protocol`` as Kafka names it; ``tls`` where that has it, with ``ca_file`` where a CA
    is named; ``sasl_mechanism``, ``user`` and ``password`` where it has SASL. Raise TargetError
    where a variable is wrong, or set in vain: better no run than one that is less safe than asked.
    """
    protocol = _one_of(PROTOCOLS, PROTOCOL, environ)
    security = {} if protocol == "PLAINTEXT" else {"security_protocol": protocol}
    return security | _tls(protocol, environ) | _sasl(protocol, environ)


def _tls(protocol: str, environ: Mapping[str, str]) -> dict[str, str]:
    if not protocol.endswith("SSL"):
        _refuse((CA_FILE,), protocol, "SSL or SASL_SSL", environ)
        return {}
    return wanted(CA_FILE, environ)


def _sasl(protocol: str, environ: Mapping[str, str]) -> dict[str, str]:
    if not protocol.startswith("SASL"):
        _refuse((MECHANISM, USER, PASSWORD), protocol, "SASL_SSL", environ)
        return {}
    mechanism = _mechanism(environ)
    if mechanism == "PLAIN" and protocol == "SASL_PLAINTEXT":
        raise TargetError(
            f"{MECHANISM}=PLAIN would send the password in the open. Set {PROTOCOL}=SASL_SSL, or "
            "use SCRAM, which never sends it."
        )
    for variable in (USER, PASSWORD):
        if not environ.get(variable):
            raise TargetError(f"{variable} is not set, which {PROTOCOL}={protocol} needs. Set it.")
    return {
        "sasl_mechanism": mechanism,
        "user": environ[USER],
        "password": environ[PASSWORD],
    }


def _mechanism(environ: Mapping[str, str]) -> str:
    if _upper(MECHANISM, environ) == "AWS_MSK_IAM":
        raise TargetError(
            f"{MECHANISM}=AWS_MSK_IAM is not supported: Kafka's Java client does not have it built "
            "in. Have the cluster take SASL/SCRAM as well, and use SCRAM-SHA-512, at port 9096, "
            f"with {USER} and {PASSWORD}."
        )
    return _one_of(MECHANISMS, MECHANISM, environ)


def _one_of(known: tuple[str, ...], variable: str, environ: Mapping[str, str]) -> str:
    """Return the variable's value, the first one known where it is unset."""
    value = _upper(variable, environ) or known[0]
    if value not in known:
        raise TargetError(f"{variable} is none of {', '.join(known)}. Set it to one of these.")
    return value


def _refuse(
    variables: Collection[str], protocol: str, instead: str, environ: Mapping[str, str]
) -> None:
    """Raise TargetError where one of ``variables`` is set, which ``protocol`` makes no use of."""
    for variable in variables:
        if environ.get(variable):
            raise TargetError(
                f"{variable} is set, which {PROTOCOL}={protocol} makes no use of. Set "
                f"{PROTOCOL}={instead}, or unset {variable}."
            )


def _upper(variable: str, environ: Mapping[str, str]) -> str:
    return environ.get(variable, "").strip().upper()
