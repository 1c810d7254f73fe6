"""Endpoints over TLS: real brokers, certified by an authority of the test, and every client."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast
from urllib.parse import quote
from uuid import uuid4

import kafka
import pytest
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from spikebench.candidate import Candidate, Client
from spikebench.errors import DriverError, TargetError
from spikebench.load import jvm
from spikebench.load.crew import Crew, Runtime
from spikebench.load.driver import Topology, Wiring
from spikebench.load.session import Limits, Session
from spikebench.measure.ledger import account
from spikebench.record import read_records
from spikebench.target import java, maven
from spikebench.target.cache import Cache
from spikebench.target.connection import PrivateConnection
from spikebench.target.cores import split_cores
from spikebench.target.ports import free_ports
from spikebench.target.software import Connection, Recipe
from spikes.messaging.candidates import kafka as candidate_kafka
from spikes.messaging.candidates import kafka_python
from spikes.messaging.candidates.kafka import KafkaTopology, reach
from spikes.messaging.candidates.rabbitmq import RabbitTopology
from spikes.messaging.servers.kafka import KAFKA_ENDPOINT
from spikes.messaging.servers.rabbitmq import RABBITMQ_ENDPOINT
from spikes.messaging.spike import SPIKE
from tests.synthetic.authority import (
    KAFKA_PASSWORD,
    KAFKA_USER,
    Authority,
    KafkaOverTls,
    RabbitMQOverTls,
)
from tests.synthetic.smoke_run import smoke_run, told
from tests.synthetic.workload import cargo, evenly

pytestmark = [
    pytest.mark.slow,
    # Clients that were turned away leave sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

COUNT = 200
LIMITS = Limits(overrun_s=20.0, confirm_s=20.0, grace_s=20.0)
PATIENCE_S = 30.0
CANDIDATES = {candidate.name: candidate for candidate in SPIKE.candidates}
DISTRUST = "does not trust the server's certificate; .* in SPIKEBENCH_(RABBITMQ|KAFKA)_CA_FILE"
UNTRUSTED = r"certificate of localhost:\d+ does not verify: .*name that CA's file \(PEM\) in "

Environ = Callable[..., dict[str, str]]
"""What is exported to use a server: with which CA, at which host, with which password."""


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Collect what was left here, and not in a test of somebody else's."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "ca").found()


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another CA, which has signed nothing that is used."""
    return Authority(tmp_path_factory.mktemp("tls") / "stranger").found()


@contextmanager
def running(recipe: Recipe) -> Iterator[Connection]:
    """Have a server, and stop it whatever becomes of what is done with it."""
    cache = Cache.open()
    recipe.install(cache, print)
    server = recipe.start(cache, split_cores(), print)
    try:
        yield server.connection
    finally:
        server.stop()


@pytest.fixture(scope="module")
def rabbitmq(authority: Authority) -> Iterator[Environ]:
    with running(RabbitMQOverTls(authority=authority)) as to:
        yield over_amqps(authority, to)


def over_amqps(authority: Authority, to: Connection) -> Environ:

    def environ(
        ca_file: str = authority.ca_file, host: str = "localhost", password: str = to["password"]
    ) -> dict[str, str]:
        who = f"{to['user']}:{quote(password, safe='')}"
        return {
            "SPIKEBENCH_RABBITMQ_URL": f"amqps://{who}@{host}:{to['tls_port']}",
            "SPIKEBENCH_RABBITMQ_STREAM_PORT": to["tls_stream_port"],
            "SPIKEBENCH_RABBITMQ_CA_FILE": ca_file,
        }

    return environ


@pytest.fixture(scope="module")
def brokers(authority: Authority) -> Iterator[Environ]:
    with running(KafkaOverTls(authority=authority)) as to:
        environ = over_ssl(authority, to)
        # its first handshakes take a cold broker long, and clients do not wait that long
        with closing(_admin(_unseen(environ("")))) as admin:
            _make_users(admin)
        with closing(_admin(_unseen(environ()))) as admin:
            admin.list_topics()
        yield environ


def over_ssl(authority: Authority, to: Connection) -> Environ:

    def environ(
        mechanism: str = "SCRAM-SHA-512",
        ca_file: str = authority.ca_file,
        host: str = "localhost",
        password: str = KAFKA_PASSWORD,
    ) -> dict[str, str]:
        protocol = "SASL_SSL" if mechanism else "SSL"
        told = {
            "SPIKEBENCH_KAFKA_BOOTSTRAP": f"{host}:{to[protocol]}",
            "SPIKEBENCH_KAFKA_SECURITY_PROTOCOL": protocol,
            "SPIKEBENCH_KAFKA_CA_FILE": ca_file,
        }
        user = {
            "SPIKEBENCH_KAFKA_SASL_MECHANISM": mechanism,
            "SPIKEBENCH_KAFKA_USER": KAFKA_USER,
            "SPIKEBENCH_KAFKA_PASSWORD": password,
        }
        return told | (user if mechanism else {})

    return environ


def _make_users(admin: kafka.KafkaAdminClient) -> None:
    for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
        made = UserScramCredentialUpsertion(KAFKA_USER, mechanism, KAFKA_PASSWORD)
        assert admin.alter_user_scram_credentials([made]) == {KAFKA_USER: None}


def _admin(connection: Connection) -> kafka.KafkaAdminClient:
    return kafka.KafkaAdminClient(
        **reach(connection), bootstrap_timeout_ms=60_000, request_timeout_ms=60_000
    )


def _unseen(environ: Mapping[str, str]) -> PrivateConnection:
    """Return the connection without the handshake that comes before a run."""
    recipe = KAFKA_ENDPOINT if "SPIKEBENCH_KAFKA_BOOTSTRAP" in environ else RABBITMQ_ENDPOINT
    return recipe.read(environ[recipe.variable], environ)


def started(environ: Mapping[str, str]) -> PrivateConnection:
    """Start the endpoint that ``environ`` names, as a run does."""
    of_kafka = "SPIKEBENCH_KAFKA_BOOTSTRAP" in environ
    recipe = replace(
        KAFKA_ENDPOINT if of_kafka else RABBITMQ_ENDPOINT, environ=environ, timeout_s=PATIENCE_S
    )
    said: list[str] = []
    endpoint = recipe.start(Cache.open(), split_cores(), said.append)
    connection = endpoint.connection
    shown = f"{said} {recipe.presence(Cache.open())} {recipe!r} {endpoint!r} {connection}"
    assert "over TLS" in said[0]
    if password := connection.get("password"):
        assert password not in shown
        assert json.dumps(password) not in shown
    return connection


def runtime(client: Client) -> Runtime:
    if client.language == "python":
        return Runtime("python")
    cache = Cache.open()
    home = java.java_home(cache, print)
    jars = [path for lock in client.artefacts for path in maven.class_path(lock, cache, print)]
    return Runtime(
        "java", home, (jvm.compile_sources(client.sources, jars, cache, home, print), *jars)
    )


def wiring(candidate: Candidate, connection: Connection) -> Wiring:
    name = f"sb-{uuid4().hex[:8]}-0003"
    return Wiring(name, connection, options=candidate.options, confirm_window=1_000)


def session(
    crew: Crew, candidate: Candidate, client: str, wired: Wiring, topology: Topology | None
) -> Session:
    chosen = candidate.client(client)
    return Session(crew, runtime(chosen), chosen, wired, topology, cargo(1_000), None)


def passes(crew: Crew, name: str, client: str, environ: Mapping[str, str]) -> str:
    """Send and receive over an endpoint, all of it; return the broker's version."""
    candidate = CANDIDATES[name]
    wired = wiring(candidate, started(environ))
    make = KafkaTopology if name == "kafka" else RabbitTopology
    topology = cast("Topology", make(wired))
    with session(crew, candidate, client, wired, topology) as opened:
        version = topology.version()
        seen = opened.run(evenly(COUNT, 500.0), COUNT / 500.0, LIMITS)
    ledger = account(seen, "none")
    assert (seen.error, ledger.confirmed, ledger.delivered, ledger.lost) == ("", COUNT, COUNT, 0)
    return version


@pytest.mark.parametrize(
    ("name", "client"),
    [
        ("rabbitmq-classic", "java"),
        ("rabbitmq-classic", "pika"),
        ("rabbitmq-stream", "java"),
    ],
)
def test_rabbitmq_sends_and_receives(crew: Crew, name: str, client: str, rabbitmq: Environ) -> None:
    version = passes(crew, name, client, rabbitmq())
    assert version.startswith("RabbitMQ ")
    assert version.endswith(" over TLS")


@pytest.mark.parametrize(
    ("client", "mechanism"),
    [
        ("java", ""),
        ("java", "SCRAM-SHA-512"),
        ("java", "PLAIN"),
        ("kafka-python", ""),
        ("kafka-python", "SCRAM-SHA-512"),
        ("kafka-python", "SCRAM-SHA-256"),
    ],
)
def test_kafka_sends_and_receives(
    crew: Crew, client: str, mechanism: str, brokers: Environ
) -> None:
    version = passes(crew, "kafka", client, brokers(mechanism))
    assert version.startswith("Kafka ")
    assert version.endswith(" over TLS")


def test_a_run_over_tls_keeps_its_secrets(brokers: Environ, tmp_path: Path) -> None:
    ended = smoke_run("kafka", brokers(), tmp_path)
    assert ended.returncode == 0, ended.stdout
    (path,) = (tmp_path / "messaging" / "runs").glob("*.jsonl")
    for record in read_records(path):  # on a busy machine the generator may be late
        assert record.status in ("valid", "void"), record.reason
        assert record.ledger is not None
        assert record.ledger.delivered > 0
        assert record.versions["broker"].endswith(" over TLS")
    for secret in (KAFKA_PASSWORD, json.dumps(KAFKA_PASSWORD)[1:-1]):
        assert not told(secret, ended, tmp_path)


def test_a_run_that_trusts_nobody_there_ends_with_its_code(
    rabbitmq: Environ, stranger: Authority, tmp_path: Path
) -> None:
    ended = smoke_run("rabbitmq-classic", rabbitmq(ca_file=stranger.ca_file), tmp_path)
    assert ended.returncode == 4, ended.stdout
    assert "SPIKEBENCH_RABBITMQ_CA_FILE" in ended.stdout


@pytest.mark.parametrize("trusted", ["a stranger", "the system"])
@pytest.mark.parametrize("server", ["rabbitmq", "brokers"])
def test_an_untrusted_certificate_is_one_error_that_names_the_variable(
    server: str, trusted: str, stranger: Authority, request: pytest.FixtureRequest
) -> None:
    environ = request.getfixturevalue(server)
    (variable,) = (name for name in environ() if name.endswith("CA_FILE"))
    ca_file = stranger.ca_file if trusted == "a stranger" else ""
    with pytest.raises(TargetError, match=UNTRUSTED + variable):
        started(environ(ca_file=ca_file))


@pytest.mark.parametrize("server", ["rabbitmq", "brokers"])
def test_a_certificate_of_another_host_is_one_error(
    server: str, request: pytest.FixtureRequest
) -> None:
    environ = request.getfixturevalue(server)
    with pytest.raises(TargetError, match=r"127\.0\.0\.1:\d+ does not verify: .*as its certif"):
        started(environ(host="127.0.0.1"))


def test_a_wrong_password_for_rabbitmq_is_one_error_without_it(rabbitmq: Environ) -> None:
    connection = started(rabbitmq(password="wr0ng"))
    wired = wiring(CANDIDATES["rabbitmq-classic"], connection)
    with pytest.raises(DriverError, match="password in SPIKEBENCH_RABBITMQ_URL") as caught:
        RabbitTopology(wired).create()
    assert "wr0ng" not in str(caught.value)


def test_a_wrong_password_for_kafka_is_one_error_without_it(
    brokers: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidate_kafka, "BOOTSTRAP_TIMEOUT_MS", 2_000)  # it tries again until then
    connection = started(brokers(password="wr0ng"))
    with pytest.raises(DriverError, match=r"takes SPIKEBENCH_KAFKA_USER and .*_PASS.* by SCRAM"):
        KafkaTopology(wiring(CANDIDATES["kafka"], connection)).create()


@pytest.mark.parametrize(
    ("name", "server"), [("rabbitmq-classic", "rabbitmq"), ("kafka", "brokers")]
)
def test_a_java_client_does_not_tell_a_wrong_password(
    crew: Crew, name: str, server: str, request: pytest.FixtureRequest
) -> None:
    connection = started(request.getfixturevalue(server)(password="wr0ng"))
    with (
        pytest.raises(DriverError, match=r"Authentication|ACCESS_REFUSED") as caught,
        session(crew, CANDIDATES[name], "java", wiring(CANDIDATES[name], connection), None),
    ):
        pass
    assert "wr0ng" not in str(caught.value)


def test_a_broker_without_streams_is_said_to_have_none(crew: Crew, rabbitmq: Environ) -> None:
    (nobody,) = free_ports(1)
    connection = PrivateConnection(started(rabbitmq()), stream_port=str(nobody))
    candidate = CANDIDATES["rabbitmq-stream"]
    with (
        pytest.raises(DriverError, match=f"no streams to be had at localhost:{nobody}, .*STREAM_P"),
        session(crew, candidate, "java", wiring(candidate, connection), None),
    ):
        pass


# From here on each client by itself: nothing has looked at the certificate before it.


@pytest.mark.parametrize("trusted", ["a stranger", "its own CAs", "another host"])
@pytest.mark.parametrize(
    ("name", "client", "server", "said"),
    [
        ("rabbitmq-classic", "java", "rabbitmq", DISTRUST),
        ("rabbitmq-classic", "pika", "rabbitmq", "certificate verify failed"),
        # whose client keeps the reason to itself where it is the host's name
        ("rabbitmq-stream", "java", "rabbitmq", f"{DISTRUST}|no streams to be had"),
        ("kafka", "java", "brokers", DISTRUST),
    ],
)
def test_a_client_trusts_nobody_else(
    crew: Crew,
    name: str,
    client: str,
    server: str,
    said: str,
    trusted: str,
    stranger: Authority,
    request: pytest.FixtureRequest,
) -> None:
    environ = request.getfixturevalue(server)
    changes = {
        "a stranger": {"ca_file": stranger.ca_file},
        "its own CAs": {"ca_file": ""},
        "another host": {"host": "127.0.0.1"},
    }
    connection = _unseen(environ(**changes[trusted]))
    candidate = CANDIDATES[name]
    with (
        pytest.raises(DriverError, match=said) as caught,
        session(crew, candidate, client, wiring(candidate, connection), None),
    ):
        pass
    assert connection["password"] not in str(caught.value)


@pytest.mark.parametrize("change", ["ca_file", "host"])
def test_kafka_python_trusts_nobody_else(
    change: str, stranger: Authority, brokers: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_python, "PATIENCE_S", 1)  # it tries again until that is over
    to = {"ca_file": stranger.ca_file, "host": "127.0.0.1"}
    connection = _unseen(brokers("", **{change: to[change]}))
    wired = wiring(CANDIDATES["kafka"], connection)
    with pytest.raises(DriverError, match="no answer from Kafka"):
        kafka_python.KafkaPythonDriver(wired).receiver(0, 0, print)


def test_a_file_of_both_authorities_will_do(
    crew: Crew, authority: Authority, stranger: Authority, rabbitmq: Environ, tmp_path: Path
) -> None:
    files = [Path(each.ca_file).read_text() for each in (stranger, authority)]
    bundle = tmp_path / "both.pem"
    bundle.write_text("# ours, and a stranger's\n" + "\n".join(files))
    passes(crew, "rabbitmq-classic", "java", rabbitmq(ca_file=str(bundle)))
