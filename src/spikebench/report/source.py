"""Figures that were read or computed and not measured here: whose they are."""

from __future__ import annotations

from spikebench.record.trials import Trials

READ = frozenset({"published", "model"})
"""Fidelities of figures that no trial of ours stands behind: no verdict is drawn from them."""


def is_read(cell: Trials) -> bool:
    """Whether a cell's figures are somebody else's, or computed."""
    return cell.fidelity in READ


def source(cell: Trials) -> str:
    """Whose figures they are and of when: ``source`` and ``date`` among what the record names.

    Empty for a cell that was measured here.
    """
    if not is_read(cell):
        return ""
    versions = cell.first.versions
    told = ", ".join(filter(None, (versions.get("source"), versions.get("date"))))
    return f"{cell.fidelity}: {told or 'source not recorded'}"
