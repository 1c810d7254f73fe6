from __future__ import annotations

import os
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from benchmarks.rig import Rig
from benchmarks.tool import JavaTool, PythonTool, ToolError


def rig_with(java: str, tmp_path: Path) -> Rig:
    """A rig whose ``java`` is a shell script."""
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{java}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    cores = SimpleNamespace(load=[max(os.sched_getaffinity(0))])
    return cast(Rig, SimpleNamespace(java_home=tmp_path, cores=cores, cache=None, say=print))


def test_a_tool_runs_on_the_cores_of_the_load_and_ours_stay(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    rig = rig_with('echo "cores $(nproc)"', tmp_path)
    assert JavaTool("org.example.Tool").run(rig, []) == "cores 1\n"
    assert os.sched_getaffinity(0) == before


def test_a_secret_goes_by_the_environment(tmp_path: Path) -> None:
    rig = rig_with('echo "$URI in env, args: $*"', tmp_path)
    printed = JavaTool("org.example.Tool").run(rig, ["--size", "1"], {"URI": "amqp://u:secret@h"})
    assert printed.startswith("amqp://u:secret@h in env")
    assert printed.strip().endswith("org.example.Tool --size 1")


def test_a_tool_that_fails_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    rig = rig_with("echo 'connection refused' >&2; exit 3", tmp_path)
    with pytest.raises(ToolError, match=r"Tool ended with code 3: connection refused"):
        JavaTool("org.example.Tool").run(rig, [])


def test_a_python_tool_is_run_by_our_interpreter_on_the_cores_of_the_load(tmp_path: Path) -> None:
    rig = rig_with("exit 9", tmp_path)
    assert "January 2026" in PythonTool("calendar").run(rig, ["2026", "1"])
    with pytest.raises(ToolError, match=r"no\.such ended with code 1: .*No module named 'no'"):
        PythonTool("no.such").run(rig, [])


def test_a_tool_runs_in_a_folder_with_options_and_a_class_path_of_its_own(tmp_path: Path) -> None:
    rig = rig_with('pwd; echo "$*"', tmp_path)
    folder = tmp_path / "place"
    folder.mkdir()
    java = JavaTool("org.example.Tool", class_path=[tmp_path / "a.jar"], options=["-Xmx1g"])
    place, told = java.run(rig, ["--size"], folder=folder).splitlines()
    assert place == str(folder)
    assert told.endswith(f"-Xmx1g -cp {tmp_path}/a.jar org.example.Tool --size")


def test_a_tool_that_stays_when_its_work_is_done_is_ended(tmp_path: Path) -> None:
    rig = rig_with("echo done; touch done; exec sleep 600", tmp_path)
    tool = JavaTool("org.example.Tool")
    folder = tmp_path / "place"
    folder.mkdir()
    assert tool.run(rig, [], folder=folder, ended=(folder / "done").exists) == "done\n"


def test_a_tool_that_ends_before_its_work_is_done_is_an_error(tmp_path: Path) -> None:
    rig = rig_with("echo 'no broker' >&2; exit 3", tmp_path)
    with pytest.raises(ToolError, match="ended with code 3: no broker"):
        JavaTool("org.example.Tool").run(rig, [], ended=lambda: False)
