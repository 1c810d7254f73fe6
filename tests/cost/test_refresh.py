"""A book renewed from small price lists, made here in the form that AWS documents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from spikebench.cli import main
from spikebench.cost import read_prices
from spikebench.cost.price_list import CATALOGUE, HOST, Listed, address, fetch, quote
from spikebench.cost.refresh import Change, refresh
from spikebench.errors import ArtefactError

QUEUE = Listed("queue", "requests", "million requests", "Queues", "Requests-Tier1", 1e6)
WORK = Listed("function", "GB-second", "GB-second", "Functions", "Lambda-GB-Second")
BALANCER = Listed(
    "nlb", "load balancer", "hour", "Balancers", "LoadBalancerUsage", family="Network"
)
CATALOGUE_HERE = (QUEUE, WORK, BALANCER)

BOOK = """\
# what a reader wants to know
region: test
currency: USD

prices:
  - service: queue
    dimension: requests
    unit: million requests
    price: 0.40            # per million
    as_of: 2025-09-11
    source: an old file
    note: a request is up to 64 KB

  # announced, and then listed
  - service: function
    dimension: GB-second
    unit: GB-second
    steps:
      - {up_to: 6000000000, price: 0.0000166667}
    as_of: 2026-10-01
    source: an old file

  - service: own
    dimension: thing
    unit: hour
    price: 7
    as_of: 2025
    source: "a page: quoted"
"""


def product(usage: str, family: str = "", **attributes: str) -> dict[str, Any]:
    return {"productFamily": family, "attributes": {"usagetype": usage, **attributes}}


def price(usd: str, begin: str = "0", end: str = "Inf") -> dict[str, Any]:
    return {"beginRange": begin, "endRange": end, "pricePerUnit": {"USD": usd}, "unit": "x"}


def price_list(
    products: Mapping[str, dict[str, Any]], prices: Mapping[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    terms = {
        sku: {f"{sku}.T": {"priceDimensions": {f"{sku}.T.{n}": p for n, p in enumerate(steps)}}}
        for sku, steps in prices.items()
    }
    return {
        "formatVersion": "v1.0",
        "publicationDate": "2026-11-20T10:00:00Z",
        "products": products,
        "terms": {"OnDemand": terms},
    }


FILES = {
    "Queues": price_list(
        {
            "A": product("EUW2-Requests-Tier1"),
            "B": product("EUW2-Requests-Tier2"),
            "C": product("EUW2-Requests-FIFO-Tier1"),
        },
        {"A": [price("0.0000004500")], "B": [price("0.0000003")], "C": [price("0.0000005")]},
    ),
    "Functions": price_list(
        {"A": product("EUW2-Lambda-GB-Second"), "B": product("EUW2-Lambda-GB-Second-ARM")},
        {
            # steps are in no order
            "A": [
                price("0.0000150000", "6000000000", "15000000000"),
                price("0.0000133334", "15000000000"),
                price("0.0000166667", "0", "6000000000"),
            ],
            "B": [price("0.0000133334")],
        },
    ),
    "Balancers": price_list(
        {
            "A": product("EUW2-LoadBalancerUsage", "Application"),
            "B": product("EUW2-LoadBalancerUsage", "Network"),
        },
        {"A": [price("0.03")], "B": [price("0.02")]},
    ),
}


def get(url: str) -> Mapping[str, Any]:
    for name, file in FILES.items():
        if url == address(name, "test"):
            return file
    raise AssertionError(url)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "test.yaml"
    path.write_text(BOOK, encoding="utf-8")
    return path


def renew(path: Path) -> tuple[Change, ...]:
    found = refresh(path, get, CATALOGUE_HERE)
    path.write_text(found.text, encoding="utf-8")
    return found.changes


def test_prices_are_renewed_in_the_books_units_with_the_files_date(book: Path) -> None:
    changes = renew(book)
    assert [(c.name, c.kind, c.before, c.now) for c in changes] == [
        ("nlb load balancer", "new", "", "0.02"),
        (
            "function GB-second",
            "renewed",
            "0.0000166667 up to 6000000000",
            "0.0000166667 up to 6000000000, 0.000015 up to 15000000000, 0.0000133334",
        ),
        ("queue requests", "renewed", "0.4", "0.45"),
    ]
    found = read_prices(book, date(2026, 11, 25))
    requests_ = found.find("queue", "requests")
    assert requests_ is not None
    assert (requests_.price, requests_.as_of) == (0.45, "2026-11-20")
    assert requests_.source == "AWS Price List bulk file Queues"
    balancer = found.find("nlb", "load balancer")
    assert balancer is not None
    assert (balancer.price, balancer.unit) == (0.02, "hour")


def test_comments_order_and_other_prices_stay(book: Path) -> None:
    renew(book)
    text = book.read_text(encoding="utf-8")
    for kept in (
        "# what a reader wants to know\n",
        "price: 0.45            # per million\n",
        "note: a request is up to 64 KB\n",
        "\n  # announced, and then listed\n",
        'source: "a page: quoted"\n',
        "      - {up_to: 6000000000, price: 0.0000166667}\n",
        "as_of: 2026-11-20\n",
    ):
        assert kept in text
    assert text.index("queue") < text.index("function") < text.index("own") < text.index("nlb")


def test_a_second_refresh_changes_nothing(book: Path) -> None:
    renew(book)
    once = book.read_bytes()
    assert {c.kind for c in renew(book)} == {"same"}
    assert book.read_bytes() == once


def test_what_the_list_does_not_have_stays_and_is_said(book: Path) -> None:
    renamed = Listed("own", "thing", "hour", "Queues", "Requests-Tier9")
    found = refresh(book, get, [renamed])
    assert [(c.kind, c.before) for c in found.changes] == [("not found", "7")]
    assert "price: 7" in found.text


def test_several_products_that_differ_are_no_price() -> None:
    twice = price_list(
        {"A": product("EUW2-Requests-Tier1"), "B": product("EUW2-Requests-Tier1")},
        {"A": [price("0.1")], "B": [price("0.2")]},
    )
    assert quote(twice, QUEUE, "USD") is None


def test_attributes_choose_among_products_of_one_usage() -> None:
    file = price_list(
        {
            "A": product("EUW2-InstanceUsage", engine="MySQL"),
            "B": product("EUW2-InstanceUsage", engine="PostgreSQL"),
        },
        {"A": [price("0.1")], "B": [price("0.2")]},
    )
    wanted = Listed("db", "x", "hour", "D", "InstanceUsage", attributes={"engine": "PostgreSQL"})
    found = quote(file, wanted, "USD")
    assert found is not None
    assert found.rates[0].price == 0.2


def test_a_first_step_at_no_cost_is_what_is_free() -> None:
    file = price_list(
        {"A": product("Requests-Tier1")},
        {"A": [price("0", "0", "1000000"), price("0.0000004", "1000000")]},
    )
    found = quote(file, QUEUE, "USD")
    assert found is not None
    assert (found.free, [(r.price, r.up_to) for r in found.rates]) == (1.0, [(0.4, None)])


@pytest.mark.parametrize("broken", [{}, {"terms": {"OnDemand": {}}}, {"terms": [], "products": {}}])
def test_a_file_of_another_form_is_an_error(broken: dict[str, Any]) -> None:
    with pytest.raises(ArtefactError, match="another form than documented"):
        quote(broken, QUEUE, "USD")


def test_a_file_that_cannot_be_had_leaves_the_book_alone(book: Path) -> None:
    def half(url: str) -> Mapping[str, Any]:
        if "Queues" in url:  # the last of three
            raise ArtefactError("gone")
        return get(url)

    with pytest.raises(ArtefactError, match="gone"):
        refresh(book, half, CATALOGUE_HERE)
    assert book.read_text(encoding="utf-8") == BOOK


def unreachable(*_: object, **__: object) -> requests.Response:
    raise requests.ConnectionError("no such host")


def test_an_address_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "get", unreachable)
    url = address("AWSLambda", "eu-west-2")
    with pytest.raises(ArtefactError, match="could not be read: ConnectionError") as error:
        fetch(url)
    assert str(error.value).startswith(f"{HOST}/offers/v1.0/aws/AWSLambda/current/eu-west-2/index")


def test_the_command_ends_with_5_and_the_book_unchanged(
    book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(requests, "get", unreachable)
    with pytest.raises(SystemExit) as end:
        main(["prices", "refresh", "--region", "test", "--books", str(book.parent)])
    assert end.value.code == 5
    assert "the book is unchanged" in capsys.readouterr().err
    assert book.read_text(encoding="utf-8") == BOOK


def test_the_command_says_what_became_of_each_price(
    book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = price_list({}, {})
    monkeypatch.setattr("spikebench.cost.price_list.fetch", lambda _: empty)
    monkeypatch.setattr(
        "spikebench.cost.refresh.refresh.__defaults__", (lambda _: empty, CATALOGUE)
    )
    with pytest.raises(SystemExit) as end:
        main(["prices", "refresh", "--region", "test", "--books", str(book.parent)])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert "not found  sqs requests fifo: not priced, left as it was" in out
    assert out.endswith(f"wrote {book}\n")


def test_the_catalogue_counts_as_the_committed_books_do() -> None:
    books = Path(__file__).parents[2] / "scenarios" / "prices"
    for name in ("eu-west-2", "us-east-1"):
        found = read_prices(books / f"{name}.yaml")
        for listed in CATALOGUE:
            had = found.find(listed.service, listed.dimension)
            assert had is None or had.unit == listed.unit, listed.name
