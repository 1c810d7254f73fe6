"""What a receiver that was killed had got: the file that ``Journal.java`` writes as it receives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spikebench.measure.observation import Delivery

ENTRY = np.dtype([("received_ns", "<i8"), ("seq", "<i4"), ("whole", "<i4")])
"""One message; ``whole`` is 1 once both others are written."""


def read_journals(folder: Path, pid: int) -> Iterator[Delivery]:
    """Yield what each receiver of process ``pid`` got, in its order, as far as it was written."""
    for path in sorted(folder.glob(f"*.{pid}")):
        subscriber, member, _ = path.name.split(".")
        entries = np.fromfile(path, ENTRY)
        whole = entries[: int(np.append(entries["whole"], 0).argmin())]
        yield Delivery(
            subscriber=int(subscriber),
            member=int(member),
            seq=whole["seq"].astype(np.int32),
            received_ns=whole["received_ns"].astype(np.int64),
        )
