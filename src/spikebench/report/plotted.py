"""Plots that were drawn: which of them belong to which scenario."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

ORDER = ("", "-ratio", "-percentiles", "-rate", "-memory", "-invokes", "-cost")
"""What a file's name says after its scenario's, in the order of a reader's questions."""


def by_section(files: Iterable[str], names: Sequence[str]) -> dict[str, list[str]]:
    """Return each scenario's plots as SVG, those whose file is named for it, as one reads them.

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
    return {name: sorted(mine, key=lambda file: _place(file, name)) for name, mine in found.items()}


def _place(file: str, name: str) -> tuple[int, str]:
    kind = file.removeprefix(f"plot-{name}").removesuffix(".svg")
    return (ORDER.index(kind) if kind in ORDER else len(ORDER)), kind


def _is_of(stem: str, name: str) -> bool:
    return stem == name or stem.startswith(f"{name}-")
