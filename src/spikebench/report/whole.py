"""Files that are whole or not there: a full disk leaves the earlier one as it was."""

from __future__ import annotations

import os
from pathlib import Path


def put(path: Path, content: bytes) -> Path:
    """Write ``content`` to ``path``, in place of what was there, and return the path.

    Raises OSError where it cannot be written; then what was there is still there, and nothing else.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return path
