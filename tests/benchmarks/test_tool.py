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
