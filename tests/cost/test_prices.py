from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from spikebench.cost import PriceBook, Usage, read_prices
from spikebench.cost.prices import ADD_IT
from spikebench.errors import ScenarioError

BOOKS = Path(__file__).parents[2] / "scenarios" / "prices"
TODAY = date(2026, 11, 25)

GOOD = """\
region: good
currency: USD
prices:
  - service: queue
    dimension: requests
    unit: million requests
    price: 0.40
    free: 1
    as_of: 2026-09-11
    source: a price file
  - service: function
    dimension: GB-second
    unit: GB-second
    steps:
      - {up_to: 100, price: 0.5}
      - {up_to: 300, price: 0.25, as_of: 2025, source: a page}
    as_of: 2026-10
    source: a price file
  - service: cache
    dimension: kept
    unit: hour
    price: 2
    minimum: 3
    as_of: undated
    source: a page
"""


def book(folder: Path, text: str = GOOD, today: date = TODAY) -> PriceBook:
    path = folder / "good.yaml"
    path.write_text(text, encoding="utf-8")
    return read_prices(path, today)


def error_of(folder: Path, text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        book(folder, text)
    assert caught.value.exit_code == 3
    return str(caught.value).replace(f"{folder / 'good.yaml'}:", "")


def requests(quantity: float) -> Usage:
    return Usage("requests", "queue", "requests", quantity, "million requests")


def seconds(quantity: float, what: str = "work") -> Usage:
    return Usage(what, "function", "GB-second", quantity, "GB-second")


def test_a_price_is_found_with_its_source_and_date(tmp_path: Path) -> None:
    price = book(tmp_path).find("queue", "requests")
    assert price is not None
    assert (price.price, price.unit) == (0.40, "million requests")
    assert (price.as_of, price.source) == ("2026-09-11", "a price file")


def test_what_is_not_in_the_book_is_not_priced_and_never_zero(tmp_path: Path) -> None:
    usage = Usage("topics", "topic", "publishes", 5.0, "million requests")
    cost = book(tmp_path).cost([requests(10), usage])
    assert book(tmp_path).find("topic", "publishes") is None
    assert cost.total is None
    assert cost.known == pytest.approx(4.0)
    assert cost.unpriced == (
        f"topics: not priced: good has no price of topic publishes ({ADD_IT})",
    )
    assert cost.terms[1].amount is None


def test_a_cost_opens_into_its_terms(tmp_path: Path) -> None:
    (term,) = book(tmp_path).cost([requests(10)]).terms
    assert (term.what, term.quantity, term.unit) == ("requests", 10, "million requests")
    assert term.price == 0.40
    assert term.amount == pytest.approx(4.0)
    assert term.source == "a price file, 2026-09-11"


def test_free_units_are_taken_off_only_where_that_is_asked(tmp_path: Path) -> None:
    usages = [requests(0.75), requests(2.0)]
    assert book(tmp_path).cost(usages).total == pytest.approx(2.75 * 0.40)
    # of the free million the first use takes 0.75 and the second the rest: 1.75 are left to pay
    cost = book(tmp_path).cost(usages, free_tier=True)
    assert cost.total == pytest.approx(1.75 * 0.40)
    assert [(t.quantity, t.price) for t in cost.terms] == [(0.75, 0.0), (0.25, 0.0), (1.75, 0.40)]


SHARED = """
  - service: queue
    dimension: requests in order
    unit: million requests
    price: 0.50
    free_with: requests
    as_of: 2026-09-11
    source: a price file
"""


def test_dimensions_that_have_their_free_units_together_have_them_once(tmp_path: Path) -> None:
    found = book(tmp_path, GOOD + SHARED[1:])
    ordered = Usage("ordered", "queue", "requests in order", 2.0, "million requests")
    # of the free million the first use takes 0.75 and the ordered the rest: 1.75 are left to pay
    cost = found.cost([requests(0.75), ordered], free_tier=True)
    assert [(t.quantity, t.price) for t in cost.terms] == [(0.75, 0.0), (0.25, 0.0), (1.75, 0.50)]
    # and alone it has all of it
    assert found.cost([ordered], free_tier=True).total == pytest.approx(0.50)
    assert found.cost([ordered]).total == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "free_with: requests\n",
            "free_with: wishes\n",
            "queue 'wishes' has no free units in million requests; name a dimension that has",
        ),
        (
            "free_with: requests\n",
            "free_with: requests\n    free: 1\n",
            "has free units of its own; remove free or free_with",
        ),
    ],
)
def test_free_units_of_another_dimension_have_to_be_there(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in SHARED
    said = error_of(tmp_path, GOOD + SHARED[1:].replace(old, new))
    assert said.endswith(f"prices.3.free_with: {message}")


def test_uses_of_a_dimension_go_up_its_steps_together(tmp_path: Path) -> None:
    # 80 and 70 make 150: the first 100 at 0.5, the next 50 at 0.25 = 62.50
    cost = book(tmp_path).cost([seconds(80), seconds(70)])
    assert [(t.quantity, t.price) for t in cost.terms] == [(80, 0.5), (20, 0.5), (50, 0.25)]
    assert cost.total == pytest.approx(62.5)


def test_beyond_the_last_step_nothing_is_priced(tmp_path: Path) -> None:
    cost = book(tmp_path).cost([seconds(301)])
    assert cost.known == pytest.approx(100 * 0.5 + 200 * 0.25)
    assert cost.total is None
    assert (cost.terms[-1].quantity, cost.terms[-1].price) == (1, None)
    assert "so much function GB-second" in cost.unpriced[0]


def test_a_step_may_have_a_source_and_a_date_of_its_own(tmp_path: Path) -> None:
    first, second = book(tmp_path).cost([seconds(150)]).terms
    assert (first.source, first.mark) == ("a price file, 2026-10", "")
    assert second.source == "a page, 2025"
    assert second.mark == "the price is of 2025: older than a year"


@pytest.mark.parametrize(("quantity", "billed"), [(0, 0), (1, 3), (3, 3), (4, 4)])
def test_a_use_is_billed_as_the_minimum_at_least(
    tmp_path: Path, quantity: float, billed: float
) -> None:
    usage = Usage("snapshot", "cache", "kept", quantity, "hour")
    assert book(tmp_path).cost([usage]).total == pytest.approx(billed * 2)


@pytest.mark.parametrize(
    ("as_of", "today", "mark"),
    [
        ("2026-10-01", date(2027, 10, 1), ""),
        ("2026-10-01", date(2027, 10, 2), "the price is of 2026-10-01: older than a year"),
        ("2026-06", date(2027, 6, 1), ""),
        ("2026-06", date(2027, 6, 2), "the price is of 2026-06: older than a year"),
        ("2025", date(2026, 1, 1), ""),
        ("2025", date(2026, 11, 25), "the price is of 2025: older than a year"),
        ("2024-02-29", date(2025, 3, 1), "the price is of 2024-02-29: older than a year"),
        ("2062-10-01", TODAY, "the price is of 2062-10-01, which is yet to come"),
        ("undated", TODAY, "the price is undated"),
    ],
)
def test_an_old_price_is_marked(tmp_path: Path, as_of: str, today: date, mark: str) -> None:
    text = GOOD.replace("as_of: 2026-09-11", f"as_of: {as_of}")
    cost = book(tmp_path, text, today).cost([requests(1)])
    assert cost.terms[0].mark == mark
    assert cost.marks == ((f"{mark}: requests",) if mark else ())
    assert cost.total == pytest.approx(0.40)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("price: 0.40", "prise: 0.40", "7: prices.0.prise: unknown key; did you mean 'price'?"),
        ("    unit: hour\n", "", "19: prices.2.unit: missing; add it"),
        (
            "price: 0.40",
            "price: -1",
            "7: prices.0.price: -1 does not fit; it should be greater than or equal to 0",
        ),
        (
            "price: 0.40",
            'price: "0.40"',
            "7: prices.0.price: '0.40' does not fit; it should be a valid number",
        ),
        (
            "price: 0.40",
            "price: .inf",
            "7: prices.0.price: inf does not fit; it should be a finite number",
        ),
        ("    price: 0.40\n", "", "4: prices.0.price: write either price or steps"),
        (
            "    price: 0.40\n",
            "    price: 0.40\n    steps: [{price: 1}]\n",
            "7: prices.0.price: write either price or steps",
        ),
        (
            "as_of: 2026-09-11",
            "as_of: 2026-13-11",
            "9: prices.0.as_of: '2026-13-11' is no date; write 2026-10-01, 2026-10, 2026, or "
            "undated",
        ),
        (
            "as_of: 2026-09-11",
            "as_of: last week",
            "9: prices.0.as_of: 'last week' is no date; write 2026-10-01, 2026-10, 2026, or "
            "undated",
        ),
        ("    as_of: 2026-09-11\n", "", "4: prices.0.as_of: missing; add it"),
        (
            "    free: 1\n    as_of: 2026-09-11\n    source: a price file\n",
            "    as_of: 2026-09-11\n",
            "4: prices.0.source: missing; add it",
        ),
        (
            "up_to: 300",
            "up_to: 100",
            "14: prices.1.steps: up_to has to grow from step to step; order them",
        ),
        (
            "{up_to: 100, price",
            "{price",
            "14: prices.1.steps: only the last step may be without up_to; order them",
        ),
        (
            "{up_to: 100, price",
            "{upto: 100, price",
            "15: prices.1.steps.0.upto: unknown key; did you mean 'up_to'?",
        ),
        (
            "service: cache\n    dimension: kept",
            "service: queue\n    dimension: requests",
            "20: prices.2.dimension: queue requests is priced twice, first on line 4; keep one",
        ),
        (
            "region: good",
            "region: bad",
            "1: region: must be the file's name; write 'region: good' or rename the file",
        ),
        (
            "currency: USD",
            "currency: dollars",
            "2: currency: 'dollars' does not fit; String should match pattern '^[A-Z]{3}$'",
        ),
    ],
)
def test_what_is_wrong_is_named_by_line_and_key(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in GOOD
    assert error_of(tmp_path, GOOD.replace(old, new)) == message


@pytest.mark.parametrize("path", sorted(BOOKS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_line_left_out_of_our_books_is_refused_by_line_or_makes_another_book(
    tmp_path: Path, path: Path
) -> None:
    whole = read_prices(path, TODAY)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    damaged = tmp_path / path.name
    refused = []
    for at, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        damaged.write_text("".join(lines[:at] + lines[at + 1 :]), encoding="utf-8")
        try:
            assert read_prices(damaged, TODAY).prices != whole.prices, line
        except ScenarioError as error:
            refused.append(str(error))
    named = re.compile(rf"{re.escape(str(damaged))}:[1-9]\d*: \S")
    assert [said for said in refused if not named.match(said)] == []
    assert len(refused) > len(whole.prices) * 4  # service, dimension, unit, date, source of each


def test_a_file_that_is_none_says_how_to_begin(tmp_path: Path) -> None:
    said = error_of(tmp_path, "- a\n")
    assert said == "1: the file is not a mapping; start it with 'region: <region>'"


def test_a_missing_book_names_those_there_are(tmp_path: Path) -> None:
    book(tmp_path)
    with pytest.raises(ScenarioError, match=r"none\.yaml:1: no such price book; there are: good"):
        read_prices(tmp_path / "none.yaml")


def test_a_use_in_another_unit_is_refused_with_the_line_of_the_unit(tmp_path: Path) -> None:
    usage = Usage("requests", "queue", "requests", 1_000_000, "request")
    with pytest.raises(ScenarioError) as caught:
        book(tmp_path).cost([usage])
    assert str(caught.value) == (
        f"{tmp_path / 'good.yaml'}:6: prices.0.unit: 'million requests' where usage is in "
        "'request'; convert price and unit"
    )


@pytest.mark.parametrize("quantity", [-1.0, float("nan")])
def test_a_quantity_that_is_none_is_refused(tmp_path: Path, quantity: float) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        book(tmp_path).cost([requests(quantity)])


@pytest.mark.parametrize("path", sorted(BOOKS.glob("*.yaml")), ids=lambda path: path.stem)
def test_our_books_are_read_and_each_price_has_a_date_and_a_source(path: Path) -> None:
    prices = read_prices(path, TODAY)
    assert prices.prices
    for price in prices.prices:
        assert price.as_of
        assert price.source


@pytest.mark.parametrize(
    ("service", "dimension", "price"),
    [
        ("lambda", "requests", 0.20),
        ("fargate", "vCPU x86", 0.04656),
        ("fargate", "GB x86", 0.00511),
        ("fargate", "vCPU arm", 0.03725),
        ("fargate", "GB arm", 0.00409),
        ("alb", "load balancer", 0.02646),
        ("alb", "LCU", 0.0084),
        ("nlb", "load balancer", 0.02646),
        ("nlb", "NLCU", 0.006),
        ("ebs", "gp3 storage", 0.0928),
        ("ec2", "instance t3a.large", 0.085),
        ("cloudwatch", "logs ingested", 0.5985),
    ],
)
def test_london_has_the_prices_of_its_price_files(
    service: str, dimension: str, price: float
) -> None:
    found = read_prices(BOOKS / "eu-west-2.yaml", TODAY).find(service, dimension)
    assert found is not None
    assert found.price == price


@pytest.mark.parametrize(
    ("service", "dimension", "ends", "prices"),
    [
        ("lambda", "GB-second x86", [6e9, 15e9], [0.0000166667, 0.000015, 0.0000133334]),
        ("lambda", "GB-second arm", [7.5e9, 18.75e9], [0.0000133334, 0.0000120001, 0.0000106667]),
        ("sqs", "requests standard", [1e5, 2e5], [0.40, 0.35, 0.32]),
        ("sqs", "requests fifo", [1e5, 2e5], [0.50, 0.46, 0.42]),
    ],
)
def test_london_has_the_steps_of_its_price_files(
    service: str, dimension: str, ends: list[float], prices: list[float]
) -> None:
    price = read_prices(BOOKS / "eu-west-2.yaml", TODAY).find(service, dimension)
    assert price is not None
    assert [step.up_to for step in price.steps] == [*ends, None]
    assert [step.price for step in price.steps] == prices


def test_the_team_has_sqs_first_million_once_and_pays_less_beyond_a_hundred_billion() -> None:
    book = read_prices(BOOKS / "eu-west-2.yaml", TODAY)
    standard = Usage("calls", "sqs", "requests standard", 0.25, "million requests")
    fifo = Usage("calls in order", "sqs", "requests fifo", 2.0, "million requests")
    # of the free million standard takes 0.25 and FIFO 0.75: 1.25 are left, at 0.50
    assert book.cost([standard, fifo], free_tier=True).total == pytest.approx(0.625)
    assert book.cost([standard, fifo]).total == pytest.approx(0.25 * 0.40 + 2 * 0.50)
    # 250 billion: 100,000 at 0.40, as many at 0.35, 50,000 at 0.32
    many = Usage("calls", "sqs", "requests standard", 250_000, "million requests")
    assert book.cost([many]).total == pytest.approx(40_000 + 35_000 + 16_000)


def test_a_functions_free_seconds_are_those_of_both_architectures() -> None:
    book = read_prices(BOOKS / "eu-west-2.yaml", TODAY)
    x86 = Usage("x86", "lambda", "GB-second x86", 300_000, "GB-second")
    arm = Usage("arm", "lambda", "GB-second arm", 300_000, "GB-second")
    # 400,000 are free once: 300,000 of x86 and 100,000 of Arm
    cost = book.cost([x86, arm], free_tier=True)
    assert cost.total == pytest.approx(200_000 * 0.0000133334)


def test_snapstart_costs_nothing_for_java_and_is_not_priced_for_others_in_london() -> None:
    book = read_prices(BOOKS / "eu-west-2.yaml", TODAY)
    java = book.find("lambda", "SnapStart restore java")
    assert java is not None
    assert java.price == 0
    assert book.find("lambda", "SnapStart restore") is None


ELSEWHERE = """\
region: elsewhere
currency: USD
prices:
  - service: queue
    dimension: requests
    unit: million requests
    price: 0.99
    as_of: 2026-09-11
    source: another file
  - service: stream
    dimension: shard
    unit: hour
    price: 0.02
    free: 10
    as_of: 2025
    source: another page
"""


def beside(folder: Path, currency: str = "USD") -> PriceBook:
    path = folder / "elsewhere.yaml"
    path.write_text(ELSEWHERE.replace("USD", currency), encoding="utf-8")
    return book(folder).or_else(read_prices(path, TODAY))


def test_what_a_book_lacks_is_taken_from_another_region_and_marked(tmp_path: Path) -> None:
    found = beside(tmp_path)
    shard = Usage("shards", "stream", "shard", 100, "hour")
    own, other = found.cost([requests(10), shard]).terms
    assert (own.price, own.mark) == (0.40, "")  # its own price comes first
    assert (other.price, other.source) == (0.02, "another page, 2025")
    assert other.mark == "a price of elsewhere, the price is of 2025: older than a year"
    # the other region's free units count too: 10 of 100 hours
    assert found.cost([shard], free_tier=True).total == pytest.approx(90 * 0.02)


def test_another_day_judges_both_books(tmp_path: Path) -> None:
    shard = Usage("shards", "stream", "shard", 100, "hour")
    found = beside(tmp_path)
    assert found.on(date(2025, 6, 1)).cost([shard]).marks == ("a price of elsewhere: shards",)
    assert "older than a year" in found.on(date(2027, 1, 1)).cost([shard]).marks[0]
    (own,) = found.on(date(2027, 12, 1)).cost([requests(1)]).marks
    assert own == "the price is of 2026-09-11: older than a year: requests"


def test_what_neither_book_has_is_not_priced(tmp_path: Path) -> None:
    cost = beside(tmp_path).cost([Usage("topics", "topic", "publishes", 5.0, "million")])
    assert cost.total is None
    assert cost.unpriced == (
        f"topics: not priced: good has no price of topic publishes ({ADD_IT})",
    )


def test_books_of_two_currencies_do_not_mix(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="USD and EUR do not mix; convert first"):
        beside(tmp_path, "EUR")


def test_a_unit_that_the_other_book_counts_otherwise_is_refused_at_its_own_line(
    tmp_path: Path,
) -> None:
    with pytest.raises(ScenarioError, match=r"elsewhere\.yaml:12: prices\.1\.unit"):
        beside(tmp_path).cost([Usage("shards", "stream", "shard", 1, "day")])
