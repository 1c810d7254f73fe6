"""What the calendar does to a record: it is warned of, and changes neither text nor outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from spikebench.cost.money import Cost, Term
from spikebench.cost.priced import Offers, Priced
from spikebench.decision.publish import check, publish
from spikebench.spike import Spike
from tests.decision.situation import spike, store, trials

REVIEW = date(2027, 1, 31)
"""The review date of the decision."""

TERMS = (
    Term("old", 1.0, "hour", 1.0, "a page, 2025", as_of="2025"),
    Term("new", 1.0, "hour", 1.0, "a file, 2025-12-20", as_of="2025-12-20"),
    Term("upkeep", 1.0, "hour", 1.0, "an assumption"),
)


def priced(*_: object) -> Offers:
    """A pricing: both candidates of the decision, and one that is no option."""
    of = {"a month": Cost(TERMS, "USD")}
    other = {"a month": Cost((Term("x", 1.0, "hour", 1.0, "x, undated", as_of="undated"),), "USD")}
    return Offers((Priced("kafka", "kafka", "", of), Priced("null", "null", "", other)))


@pytest.fixture
def decided(tmp_path: Path) -> Spike:
    """A spike with prices, whose record has been written on the day of its review."""
    store(tmp_path, trials())
    one = replace(spike(tmp_path), pricing="tests.decision.test_age:priced")
    publish(one, tmp_path / "results", REVIEW)
    return one


def warned(one: Spike, tmp_path: Path, today: date) -> list[str]:
    return list(check(one, tmp_path / "results", today).warnings)


def test_a_review_date_that_has_passed_is_warned_of(decided: Spike, tmp_path: Path) -> None:
    assert not any("looked at" in said for said in warned(decided, tmp_path, REVIEW))
    said = warned(decided, tmp_path, date(2027, 2, 1))
    assert said[0].startswith("was to be looked at again by 2027-01-31")
    assert "decision.yaml" in said[0]


def test_prices_that_are_older_than_a_year_are_warned_of(decided: Spike, tmp_path: Path) -> None:
    """2025 may be its first day; what is in no book, and what is of no option, does not count."""
    assert warned(decided, tmp_path, date(2026, 1, 1)) == []
    (said,) = warned(decided, tmp_path, date(2026, 11, 25))
    assert "by their dates (2025): spikebench cost messaging" in said
    said = warned(decided, tmp_path, date(2027, 3, 1))[1]
    assert "(2025, 2025-12-20)" in said


def test_deciding_warns_as_checking_does(decided: Spike, tmp_path: Path) -> None:
    later = date(2028, 1, 1)
    published = publish(decided, tmp_path / "results", later)
    assert list(published.warnings) == warned(decided, tmp_path, later)
    assert len(published.warnings) == 2


def test_a_record_says_of_when_its_prices_are_and_not_how_old(
    decided: Spike, tmp_path: Path
) -> None:
    """So that it is the same on every day."""
    (path,) = (tmp_path / "results" / "decisions").glob("*.md")
    before = path.read_text()
    assert "* The prices are of: 2025, 2025-12-20.\n" in before
    publish(decided, tmp_path / "results", date(2031, 1, 1))
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("status", "is_warned"),
    [("proposed", True), ("accepted", True), ("rejected", False), ("deprecated", False)],
)
def test_only_a_record_in_force_is_warned_of(
    decided: Spike, tmp_path: Path, status: str, is_warned: bool
) -> None:
    (path,) = (tmp_path / "results" / "decisions").glob("*.md")
    path.write_text(path.read_text().replace("status: proposed", f"status: {status}"))
    assert bool(warned(decided, tmp_path, date(2031, 1, 1))) is is_warned
