"""Archives of loaded classes: made by rehearsing a function, and refused where they go unused.

A JVM takes an archive only with the class path it was made with, jar by jar, to the date. It is
told to stop rather than to go on without (``-Xshare:on``, ``-XX:AOTMode=on``), and each archive is
tried once before it may be used: the handler's own class must come out of it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spikebench.errors import TargetError
from spikebench.target.seal import find_damage
from spikebench.target.software import Say
from spikes.serverless.java.package import publish
from spikes.serverless.java.rehearsal import rehearse

_NAME = "archive"
_FIRST_DYNAMIC = 13
FIRST_AOT_CACHE = 24
_INSTEAD = "leave this lever out, or set the variable SPIKEBENCH_JAVA_<version> to another runtime."


@dataclass(frozen=True)
class Trainee:
    """A function without an archive, and the event it is rehearsed with.

    Its command is ``java``, ``options``, the class path, and what to run (``main``).
    """

    java: Path
    major: int
    options: tuple[str, ...]
    class_path: tuple[Path, ...]
    main: tuple[str, ...]
    folder: Path
    environ: Mapping[str, str]
    event: bytes
    handler_class: str

    def command(self, *more: str) -> tuple[str, ...]:
        """Return the command with ``more`` options."""
        places = ":".join(map(str, self.class_path))
        return (str(self.java), *self.options, *more, "-cp", places, *self.main)


def archive_options(lever: str, folder: Path) -> tuple[str, ...]:
    """Return what makes a JVM use the archive in ``folder``, or stop."""
    if lever.startswith("aot-cache"):
        return ("-XX:AOTMode=on", f"-XX:AOTCache={folder / _NAME}")
    return ("-Xshare:on", f"-XX:SharedArchiveFile={folder / _NAME}")


def archive_digest(lever: str, trainee: Trainee) -> str:
    """Return what an archive depends on, the size of the heap aside, in 16 hexadecimal digits."""
    digest = hashlib.sha256(lever.encode())
    options = [text for text in trainee.options if not text.startswith("-XX:MaxHeapSize=")]
    for text in (*options, *trainee.main, *sorted(trainee.environ.items())):
        digest.update(f"{text}\0".encode())
    libjvm = trainee.java.parent.parent / "lib" / "server" / "libjvm.so"
    for path in (*trainee.class_path, trainee.java, libjvm):
        state = path.stat()
        digest.update(f"{path} {state.st_size} {state.st_mtime_ns}\0".encode())
    digest.update(trainee.event)
    return digest.hexdigest()[:16]


def make_archive(lever: str, trainee: Trainee, folder: Path, say: Say) -> None:
    """Make ``folder`` with an archive that was seen in use; raise TargetError where there is none.

    Nothing is done where it is here and undamaged; the caller holds the lock.
    """
    if find_damage(folder) is None:
        return
    say(f"training {folder.name}")
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        made = Path(name) / "made"
        made.mkdir()
        _train(lever, trainee, made / _NAME)
        if not (made / _NAME).exists():
            raise TargetError(f"{trainee.java} wrote no archive for {lever}; {_INSTEAD}")
        check_used(lever, trainee, made)
        publish(made, folder)


def check_used(lever: str, trainee: Trainee, folder: Path) -> None:
    """Run the function with the archive in ``folder``; raise TargetError where it goes unused."""
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / "classes.log"
        options = (*archive_options(lever, folder), f"-Xlog:class+load:file={log}")
        rehearse(trainee.command(*options), trainee.folder, trainee.environ, trainee.event)
        sources = class_sources(log.read_text())
    if not is_archived(sources.get(trainee.handler_class, "")):
        found = sources.get(trainee.handler_class, "nowhere: it was never loaded")
        raise TargetError(
            f"the archive for {lever} is not used: {trainee.handler_class} came from {found}; "
            f"{_INSTEAD}"
        )


def class_sources(log: str) -> dict[str, str]:
    """Return from a log of ``class+load`` where each class came from."""
    return dict(re.findall(r"^(?:\[[^\]]*\])* ?(\S+) source: (.*)$", log, re.MULTILINE))


def is_archived(source: str) -> bool:
    """Whether a class with this source came out of an archive."""
    return source.startswith("shared objects file")


def _train(lever: str, trainee: Trainee, archive: Path) -> None:
    if lever.startswith("aot-cache"):
        _rehearse(trainee, f"-XX:AOTCacheOutput={archive}")
    elif trainee.major >= _FIRST_DYNAMIC:
        _rehearse(trainee, f"-XX:ArchiveClassesAtExit={archive}")
    else:
        classes = archive.with_name("classes.lst")
        _rehearse(trainee, "-Xshare:off", f"-XX:DumpLoadedClassList={classes}")
        _dump(trainee, classes, archive)
        classes.unlink()


def _rehearse(trainee: Trainee, *options: str) -> None:
    rehearse(trainee.command(*options), trainee.folder, trainee.environ, trainee.event)


def _dump(trainee: Trainee, classes: Path, archive: Path) -> None:
    """Make an archive from a list of classes, as Java 11 does it."""
    options = (f"-XX:SharedClassListFile={classes}", f"-XX:SharedArchiveFile={archive}")
    done = subprocess.run(
        trainee.command("-Xshare:dump", *options),
        cwd=trainee.folder,
        env=dict(trainee.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip()[-500:]
        raise TargetError(f"{trainee.java} could not write an archive: {last}; {_INSTEAD}")
