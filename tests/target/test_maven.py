import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from spikebench.errors import ArtefactError
from spikebench.target.cache import Cache
from spikebench.target.maven import class_path, is_cached, read_lock, write_lock

JARS = {"org.example:one:1.0": b"first jar", "org.example:two:2.0:linux": b"second jar"}
CORRUPT = b"not what was pinned"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _path(coordinates: str) -> Path:
    group, artifact, version, *classifier = coordinates.split(":")
    name = "-".join([artifact, version, *classifier]) + ".jar"
    return Path(*group.split("."), artifact, version, name)


def _put(repository: Path, coordinates: str, content: bytes) -> None:
    path = repository / _path(coordinates)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "repository"
    for coordinates, content in JARS.items():
        _put(folder, coordinates, content)
    handler = partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://reader:s3cret@127.0.0.1:{server.server_port}/"
    monkeypatch.setenv("SPIKEBENCH_MAVEN_MIRROR", address)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPIKEBENCH_MAVEN_MIRROR", raising=False)
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "example.lock"
    lines = [f"{name} {hashlib.sha256(content).hexdigest()}" for name, content in JARS.items()]
    file.write_text("# a comment\n\n" + "\n".join(lines) + "\n")
    return file


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.mark.usefixtures("repository")
def test_jars_are_fetched_in_the_order_of_the_lock(lock: Path, cache: Cache) -> None:
    said = list[str]()
    assert not is_cached(lock, cache)
    jars = class_path(lock, cache, said.append)
    assert [jar.read_bytes() for jar in jars] == list(JARS.values())
    assert is_cached(lock, cache)
    assert said[-1].startswith("example: fetched 2 of 2 jars")


def test_what_is_cached_needs_no_network(lock: Path, cache: Cache, repository: Path) -> None:
    first = class_path(lock, cache, print)
    for file in repository.rglob("*.jar"):
        file.unlink()
    assert class_path(lock, cache, print) == first


@pytest.mark.usefixtures("repository")
def test_a_damaged_jar_is_fetched_again(lock: Path, cache: Cache) -> None:
    jar = class_path(lock, cache, print)[0]
    jar.write_bytes(CORRUPT)
    assert not is_cached(lock, cache)
    said = list[str]()
    assert class_path(lock, cache, said.append)[0].read_bytes() == JARS["org.example:one:1.0"]
    assert f"{jar} was damaged" in said[0]


def test_a_damaged_jar_that_cannot_be_fetched_again_says_all(
    lock: Path, cache: Cache, repository: Path
) -> None:
    jar = class_path(lock, cache, print)[0]
    jar.write_bytes(CORRUPT)
    (repository / _path("org.example:one:1.0")).unlink()
    with pytest.raises(ArtefactError) as caught:
        class_path(lock, cache, print)
    wanted = hashlib.sha256(JARS["org.example:one:1.0"]).hexdigest()
    for part in (str(jar), wanted, hashlib.sha256(CORRUPT).hexdigest(), "it answered 404"):
        assert part in str(caught.value)


def test_a_jar_that_is_not_the_pinned_one_is_refused(
    lock: Path, cache: Cache, repository: Path
) -> None:
    _put(repository, "org.example:one:1.0", CORRUPT)
    with pytest.raises(ArtefactError) as caught:
        class_path(lock, cache, print)
    message = str(caught.value)
    assert hashlib.sha256(JARS["org.example:one:1.0"]).hexdigest() in message
    assert hashlib.sha256(CORRUPT).hexdigest() in message
    assert "s3cret" not in message
    assert not (cache.root / "maven" / _path("org.example:one:1.0")).exists()


@pytest.mark.usefixtures("no_network")
def test_an_empty_cache_without_network_is_one_clear_error(lock: Path, cache: Cache) -> None:
    with pytest.raises(ArtefactError, match=r"could not be fetched from Maven Central.*MIRROR"):
        class_path(lock, cache, print)


@pytest.mark.parametrize(
    "line", ["org.example:one 0000", "org.example:one:1.0", "org.example:one:1.0 abc", "x"]
)
def test_a_malformed_line_is_named(line: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.lock"
    file.write_text(f"# fine\n{line}\n")
    with pytest.raises(ArtefactError, match=r"bad\.lock:2: expected"):
        read_lock(file)


def test_a_missing_lock_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"none\.lock: the lock file cannot be read"):
        read_lock(tmp_path / "none.lock")


POM = """<project><modelVersion>4.0.0</modelVersion><groupId>org.example</groupId>
<artifactId>{name}</artifactId><version>{version}</version><dependencies>{parts}</dependencies>
</project>"""
DEPENDENCY = """<dependency><groupId>org.example</groupId><artifactId>{name}</artifactId>
<version>{version}</version><scope>{scope}</scope></dependency>"""


def _publish(repository: Path, name: str, *dependencies: tuple[str, str]) -> None:
    parts = [DEPENDENCY.format(name=n, version="1", scope=scope) for n, scope in dependencies]
    _put(repository, f"org.example:{name}:1", name.encode())
    pom = repository / "org" / "example" / name / "1" / f"{name}-1.pom"
    pom.write_text(POM.format(name=name, version="1", parts="".join(parts)))


def test_a_lock_holds_the_closure_that_running_needs(
    repository: Path, tmp_path: Path, cache: Cache
) -> None:
    _publish(repository, "root", ("direct", "compile"), ("check", "test"), ("given", "provided"))
    _publish(repository, "direct", ("deep", "runtime"))
    for leaf in ("check", "given", "deep"):
        _publish(repository, leaf)
    lock = tmp_path / "made.lock"
    write_lock(["org.example:root:1"], lock, cache)
    pins = read_lock(lock)
    assert [pin.artifact for pin in pins] == ["root", "direct", "deep"]
    assert pins[2].sha256 == hashlib.sha256(b"deep").hexdigest()
    assert is_cached(lock, cache)
