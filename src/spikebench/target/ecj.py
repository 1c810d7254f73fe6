"""Compiling Java where there is no JDK: the Eclipse compiler, run by a Java runtime."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

LOCK = Path(__file__).with_name("ecj.lock")
_MAIN = "org.eclipse.jdt.internal.compiler.batch.Main"


def compile_java(
    sources: Sequence[Path],
    class_path: Sequence[Path],
    release: int,
    out: Path,
    compiler: Sequence[Path],
    java_home: Path,
) -> str:
    """Compile ``sources`` for Java ``release`` into the folder ``out``; return what is wrong.

    The answer is the compiler's words, and empty where it had none to say. ``compiler`` is the
    class path that ``LOCK`` pins, ``java_home`` a runtime of version 17 or later. Raise OSError
    where that cannot be run.
    """
    java = [str(java_home / "bin" / "java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    options = [f"-{release}", "-nowarn", "-proc:none", "-parameters", "-encoding", "UTF-8", "-g"]
    places = ["-cp", joined(class_path), "-d", str(out), *map(str, sources)]
    done = subprocess.run(
        [*java, "-cp", joined(compiler), _MAIN, *options, *places],
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stderr or done.stdout).strip() if done.returncode != 0 else ""


def joined(class_path: Sequence[Path]) -> str:
    """Return a class path as Java takes it."""
    return os.pathsep.join(map(str, class_path))
