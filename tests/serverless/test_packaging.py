from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from spikebench.target.cache import Cache
from spikes.serverless.runtimes.packaging import (
    build_once,
    digest,
    find_built,
    find_package,
    package_once,
    zipped_bytes,
)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def _fill(folder: Path) -> None:
    (folder / "sub").mkdir(mode=0o700)
    (folder / "sub" / "app").write_text("text " * 1000)
    (folder / "sub" / "app").chmod(0o700)
    (folder / "data").write_bytes(os.urandom(1000))
    (folder / "data").chmod(0o600)


def test_it_is_built_once_and_readable_by_everyone(cache: Cache) -> None:
    folder = build_once("thing", cache, print, _fill)
    assert build_once("thing", cache, print, lambda _: pytest.fail("built twice")) == folder
    assert find_built("thing", cache) == folder
    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}
    manifest = modes.pop(".spikebench-manifest.json")
    assert modes == {"thing": 0o755, "sub": 0o755, "app": 0o755, "data": 0o644}
    assert manifest == 0o644


def test_what_is_damaged_is_built_again(cache: Cache) -> None:
    folder = build_once("thing", cache, print, _fill)
    (folder / "data").unlink()
    assert find_built("thing", cache) is None
    said: list[str] = []
    assert build_once("thing", cache, said.append, _fill) == folder
    assert (folder / "data").exists()
    assert said == [f"{folder / 'data'} is missing; building thing again"]


def test_a_build_that_fails_leaves_nothing_behind(cache: Cache) -> None:
    def fail(folder: Path) -> None:
        _fill(folder)
        raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        build_once("thing", cache, print, fail)
    assert list((cache.root / "serverless").iterdir()) == []
    assert find_built("thing", cache) is None


def test_a_package_knows_its_size(cache: Cache, tmp_path: Path) -> None:
    package = package_once("thing", cache, print, _fill)
    assert find_package("thing", cache) == package
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("data", "sub/app"):
            archive.write(package.root / name, name)
    assert package.size_bytes == (tmp_path / "z.zip").stat().st_size
    assert 1000 < package.size_bytes < 2000


def test_a_file_is_weighed_alone(tmp_path: Path) -> None:
    (tmp_path / "bootstrap").write_bytes(os.urandom(5000))
    (tmp_path / "other").write_bytes(os.urandom(5000))
    assert 5000 < zipped_bytes(tmp_path / "bootstrap") < 5200


def test_a_digest_changes_with_name_and_content_alone(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "app.py").write_text("1")
    before = digest("go1.26", sources)
    os.utime(sources / "app.py", (1, 1))
    (sources / "__pycache__").mkdir()
    (sources / "__pycache__" / "app.pyc").write_text("compiled")
    assert digest("go1.26", sources) == before
    assert digest("go1.27", sources) != before
    (sources / "app.py").rename(sources / "main.py")
    renamed = digest("go1.26", sources)
    assert renamed != before
    (sources / "main.py").write_text("2")
    assert digest("go1.26", sources) not in (before, renamed)
    assert digest("ab", "c") != digest("a", "bc")
