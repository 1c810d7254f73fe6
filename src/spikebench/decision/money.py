"""The part of a record that says what is the cheapest, and from which load on another is."""

from __future__ import annotations

from collections.abc import Iterator

from spikebench.decision.assess import Assessment
from spikebench.decision.wording import foreign

NO_MODEL = "the spike has no model of cost"


def cheapest(found: Assessment) -> Iterator[str]:
    """What stands below the tables of the scenarios that were used, on cost alone."""
    yield "### Where the cheapest changes"
    yield ""
    used = {row.cell.scenario for row in found.rows.values()}
    sections = [section for section in found.table.sections if section.name in used]
    said = [f"{foreign(one.name)}: {foreign(each)}" for one in sections for each in one.money]
    yield from (f"* {each}" for each in said or [f"{NO_MODEL}."])
