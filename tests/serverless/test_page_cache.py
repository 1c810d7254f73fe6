"""The files a function starts from, and trials that find them in memory or do not."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from spikes.serverless import page_cache, trial
from spikes.serverless.box import Box
from spikes.serverless.cold_start import measure
from spikes.serverless.function import Function
from spikes.serverless.page_cache import drop, files_of, make_warm
from spikes.serverless.synthetic import synthetic


def lay(root: Path, *names: str, size: int = 10) -> list[Path]:
    paths = [root / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    return paths


def test_the_files_are_those_of_folder_runtime_and_command(tmp_path: Path) -> None:
    lay(tmp_path, "jdk/bin/java", "jdk/lib/modules", "fn/app.jar", "fn/deep/in/it", "other/file")
    lay(tmp_path, "cache/app.jsa", "jars/a.jar", "jars/b.jar", "also/read", "also/deep/read")
    (tmp_path / "link").symlink_to(tmp_path / "jdk")
    (tmp_path / "fn" / "loop").symlink_to(tmp_path / "fn")
    command = (
        f"{tmp_path}/link/bin/java",
        f"-XX:SharedArchiveFile={tmp_path}/cache/app.jsa",
        "-cp",
        f"{tmp_path}/jars/a.jar:{tmp_path}/jars/b.jar:/no/such.jar",
    )
    function = Function(command, tmp_path / "fn", {}, 0, reads=(tmp_path / "also",))
    assert {str(path.relative_to(tmp_path)) for path in files_of(function)} == {
        *("jdk/bin/java", "jdk/lib/modules", "fn/app.jar", "fn/deep/in/it"),
        *("cache/app.jsa", "jars/a.jar", "jars/b.jar", "also/read", "also/deep/read"),
    }


def test_a_script_comes_with_the_modules_beside_it(tmp_path: Path) -> None:
    lay(tmp_path, "python/client/app.py", "python/client/ric/ric.so", "node/run.cjs", "node/a/b.js")
    lay(tmp_path, "beside/other.py", "fn/handler.py")
    command = ("/usr/bin/env", f"{tmp_path}/python/client/app.py", f"{tmp_path}/node/run.cjs")
    files = files_of(Function(command, tmp_path / "fn", {}, 0))
    assert {str(path.relative_to(tmp_path)) for path in files if path.is_relative_to(tmp_path)} == {
        *("python/client/app.py", "python/client/ric/ric.so", "node/run.cjs", "node/a/b.js"),
        "fn/handler.py",
    }


def test_a_runtime_of_the_systems_is_its_executable_alone(tmp_path: Path) -> None:
    files = files_of(Function(("/usr/bin/env", "/usr"), tmp_path, {}, 0))
    assert files == [Path("/usr/bin/env").resolve()]


def test_how_it_was_done_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = lay(tmp_path, "a", "b")
    gone = tmp_path / "gone"
    assert make_warm([*files, gone]) == "3 files read before"
    assert drop([*files, gone]) == "2 of 3 files dropped by posix_fadvise"
    monkeypatch.delattr(os, "posix_fadvise")
    switch = tmp_path / "drop_caches"
    monkeypatch.setattr(page_cache, "DROP_CACHES", switch)
    assert drop(files) == "the machine's page cache dropped"
    assert switch.read_text() == "1"
    monkeypatch.setattr(page_cache, "DROP_CACHES", tmp_path / "no" / "such")
    assert drop(files) == ""


def on_disk(tmp_path: Path) -> Path:
    """A folder whose files can be dropped; skips where its file system lives in memory."""
    found = subprocess.run(
        ["stat", "-f", "-c", "%T", str(tmp_path)], capture_output=True, text=True, check=True
    )
    if found.stdout.strip() in {"tmpfs", "ramfs", "overlayfs"}:
        pytest.skip(f"{tmp_path} is on {found.stdout.strip()}")
    return tmp_path


def reading(tmp_path: Path, path: Path) -> Function:
    """A function that reads ``path`` before all else."""
    made = synthetic(tmp_path)
    *python, script, told = made.command
    wrapper = "import sys; open(sys.argv[1], 'rb').read(); sys.argv = sys.argv[2:]; " + (
        "import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    return replace(made, command=(*python, "-c", wrapper, str(path), script, told))


def test_dropped_files_are_read_from_the_disk(tmp_path: Path) -> None:
    (big,) = lay(on_disk(tmp_path), "big", size=4_000_000)
    box = Box(512, page_cache="dropped", confined=False)
    outcome = measure(reading(tmp_path, big), b"{}", {}, box)
    assert outcome.status == "valid", outcome.reason
    read = outcome.metrics["disk_read"]
    assert read.value is not None
    assert read.value * 2**20 >= 4_000_000
    assert read.note.startswith("page cache dropped: ")


def test_a_warm_start_that_reads_from_the_disk_is_void(tmp_path: Path) -> None:
    outside = on_disk(tmp_path) / "outside"
    (big,) = lay(outside, "big", size=4_000_000)
    inside = tmp_path / "inside"
    inside.mkdir()
    made = reading(inside, big)
    # a path that files_of does not know: not absolute
    command = tuple(os.path.relpath(w, inside) if w == str(big) else w for w in made.command)
    drop([big])
    outcome = measure(replace(made, command=command), b"{}", {}, Box(512, confined=False))
    assert outcome.status == "void"
    assert "was to be warm, but" in outcome.reason


def test_where_dropping_had_no_effect_the_trial_is_void(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "disk_read_bytes", lambda _: 0)
    box = Box(512, page_cache="dropped", confined=False)
    outcome = measure(synthetic(tmp_path), b"{}", {}, box)
    assert outcome.status == "void"
    assert "nothing was read from the disk" in outcome.reason


def test_where_dropping_is_not_allowed_the_trial_is_void_and_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "posix_fadvise")
    monkeypatch.setattr(page_cache, "DROP_CACHES", tmp_path / "no" / "such")
    box = Box(512, page_cache="dropped", confined=False)
    outcome = measure(synthetic(tmp_path), b"{}", {}, box)
    assert outcome.status == "void"
    assert "cannot be dropped" in outcome.reason
    assert outcome.metrics["cold_start"].value is None
