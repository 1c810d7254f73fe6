"""Plots that were drawn: which of them belong to which scenario."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def by_section(files: Iterable[str], names: Sequence[str]) -> dict[str, list[str]]:
    """Return each scenario's plots as SVG: those whose file is named for it, in order.

    ``files`` are names without a folder; one that is named for two scenarios (``a`` and ``a-b``)
    belongs to the longer name.
    """
    found: dict[str, list[str]] = {name: [] for name in names}
    for file in files:
        stem = file.removeprefix("plot-").removesuffix(".svg")
        if not file.endswith(".svg") or stem == file:
            continue
        mine = max((n for n in names if _is_of(stem, n)), key=len, default=None)
        if mine is not None:
            found[mine].append(file)
    return found


def _is_of(stem: str, name: str) -> bool:
    return stem == name or stem.startswith(f"{name}-")
