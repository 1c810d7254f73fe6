"""The end of a session: everything is stopped and written, and a full disk is no traceback."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from spikebench.errors import RecordError


@dataclass
class Ending:
    """Stands around the end of a session, outside of pytest-benchmark and within the terminal.

    ``finish`` ends our own part first and tells whether there was one; ``tell`` is given the error
    of what pytest-benchmark could not save, of which it would make a traceback and exit code 1.
    """

    finish: Callable[[pytest.Session], bool]
    tell: Callable[[pytest.Session, RecordError], None]

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Finish ours, then let the others finish theirs."""
        ours = self.finish(session)
        try:
            return (yield)
        except OSError as error:
            if not ours:
                raise
            self.tell(session, _unsaved(session, error))
            return None


def _unsaved(session: pytest.Session, error: OSError) -> RecordError:
    storage = getattr(getattr(session.config, "_benchmarksession", None), "storage", None)
    folder: Path | None = getattr(storage, "path", None)
    if folder is not None:
        with suppress(OSError):
            _drop_half(folder)
    where = folder or error.filename or "results"
    return RecordError(
        f"{where}: pytest-benchmark could not save its view of the run: {error.strerror}; the "
        "records are intact, and hold what it would have held: make room or mend the permissions"
    )


def _drop_half(folder: Path) -> None:
    """Remove what was half saved: ``pytest-benchmark compare`` would break on it ever after."""
    saved = sorted(folder.rglob("*.json"), key=lambda path: path.stat().st_mtime)
    if saved and not _is_json(saved[-1]):
        saved[-1].unlink()


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True
