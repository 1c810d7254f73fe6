"""A book renewed from AWS's price list: small files in its form, and parts of recorded ones.

Those in ``price_lists`` are rows of AWS's own files of September 2026 as they were published, with
all of their columns; the one of SQS is whole.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
import requests

from spikebench.cli import main
from spikebench.cost import read_prices
from spikebench.cost.price_list import CATALOGUE, HOST, Listed, Quote, Rate, address, fetch, quotes
from spikebench.cost.refresh import Change, refresh
from spikebench.errors import ArtefactError

RECORDED = Path(__file__).parent / "price_lists"
BOOKS = Path(__file__).parents[2] / "scenarios" / "prices"

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


def price(
    sku: str, usage: str, usd: str, begin: str = "0", end: str = "Inf", **others: str
) -> dict[str, str]:
    """A row: one step of a product's price."""
    return {
        "SKU": sku,
        "OfferTermCode": "T",
        "TermType": "OnDemand",
        "StartingRange": begin,
        "EndingRange": end,
        "PricePerUnit": usd,
        "Currency": "USD",
        "usageType": usage,
        **{name.replace("_", " "): value for name, value in others.items()},
    }


def price_list(*rows: dict[str, str]) -> list[str]:
    """The lines of a file in AWS's form."""
    columns = list(dict.fromkeys(name for row in (price("", "", ""), *rows) for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    about = ('"FormatVersion","v1.0"', '"Publication Date","2026-11-20T10:00:00Z"')
    return [*about, *text.getvalue().splitlines()]


FILES = {
    "Queues": price_list(
        price("A", "EUW2-Requests-Tier1", "0.0000004500"),
        price("B", "EUW2-Requests-Tier2", "0.0000003"),
        price("C", "EUW2-Requests-FIFO-Tier1", "0.0000005"),
    ),
    "Functions": price_list(
        # steps are in no order
        price("A", "EUW2-Lambda-GB-Second", "0.0000150000", "6000000000", "15000000000"),
        price("A", "EUW2-Lambda-GB-Second", "0.0000133334", "15000000000"),
        price("A", "EUW2-Lambda-GB-Second", "0.0000166667", "0", "6000000000"),
        price("B", "EUW2-Lambda-GB-Second-ARM", "0.0000133334"),
    ),
    "Balancers": price_list(
        price("A", "EUW2-LoadBalancerUsage", "0.03", Product_Family="Application"),
        price("B", "EUW2-LoadBalancerUsage", "0.02", Product_Family="Network"),
    ),
}


def get(url: str) -> Iterable[str]:
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


def quote(lines: Iterable[str], wanted: Listed) -> Quote | None:
    return quotes(lines, [wanted], "USD")[wanted.name]


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
        price("A", "EUW2-Requests-Tier1", "0.1"), price("B", "EUW2-Requests-Tier1", "0.2")
    )
    assert quote(twice, QUEUE) is None


def test_attributes_choose_among_products_of_one_usage() -> None:
    file = price_list(
        price("A", "EUW2-InstanceUsage", "0.1", Engine="MySQL"),
        price("B", "EUW2-InstanceUsage", "0.2", Engine="PostgreSQL"),
    )
    wanted = Listed("db", "x", "hour", "D", "InstanceUsage", attributes={"Engine": "PostgreSQL"})
    assert quote(file, wanted) == Quote((Rate(0.2, None),), 0.0, "2026-11-20")


@pytest.mark.parametrize("usage", ["Requests-RBP", "EUW2-Requests-Tier1", "EU-Requests-Tier1"])
def test_a_usage_may_have_several_names_and_a_regions_prefix(usage: str) -> None:
    wanted = Listed("q", "x", "hour", "Q", "Requests-Tier1|Requests-RBP")
    found = quote(price_list(price("A", usage, "0.1")), wanted)
    assert found is not None


@pytest.mark.parametrize("usage", ["TS-LoadBalancerUsage", "Outposts-LoadBalancerUsage"])
def test_what_only_ends_as_a_usage_does_is_another(usage: str) -> None:
    wanted = Listed("alb", "load balancer", "hour", "B", "LoadBalancerUsage")
    assert quote(price_list(price("A", usage, "0.005")), wanted) is None


def test_a_usage_may_be_a_pattern() -> None:
    wanted = Listed("mq", "cluster mq.m7g.large", "hour", "M", "*mq.m7g.large")
    found = quote(price_list(price("A", "EUW2-Cluster-mq.m7g.large", "0.9")), wanted)
    assert found is not None
    assert quote(price_list(price("A", "EUW2-mq.m7g.large.x", "0.9")), wanted) is None


@pytest.mark.parametrize(
    "other",
    [
        {"TermType": "Reserved"},
        {"Currency": "CNY"},
        {"Location Type": "AWS Local Zone"},
    ],
)
def test_reserved_prices_other_currencies_and_other_places_are_left_out(
    other: dict[str, str],
) -> None:
    row = price("A", "EUW2-Requests-Tier1", "0.1", Location_Type="AWS Region")
    assert quote(price_list({**row, **other}), QUEUE) is None
    assert quote(price_list(row), QUEUE) is not None


def test_a_first_step_at_no_cost_is_what_is_free() -> None:
    file = price_list(
        price("A", "Requests-Tier1", "0", "0", "1000000"),
        price("A", "Requests-Tier1", "0.0000004", "1000000"),
    )
    assert quote(file, QUEUE) == Quote((Rate(0.4, None),), 1.0, "2026-11-20")


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ([], "it has no row of column names"),
        (["<html>", "<p>Log in to the network first</p>"], "it has no row of column names"),
        (['"SKU","TermType"'], "it has no column OfferTermCode, StartingRange"),
        (price_list()[2:], "Publication Date"),
        (price_list(price("A", "Requests-Tier1", "on request")), "could not convert"),
    ],
)
def test_a_file_of_another_form_is_an_error(lines: list[str], what: str) -> None:
    with pytest.raises(ArtefactError, match="the price list of Queues has another form") as error:
        quote(lines, QUEUE)
    assert what in str(error.value)
    assert str(error.value).endswith("; the book is unchanged.")


def recorded(offer: str) -> dict[str, Quote | None]:
    lines = (RECORDED / f"{offer}-eu-west-2.csv").read_text(encoding="utf-8").splitlines()
    return quotes(lines, [one for one in CATALOGUE if one.offer == offer], "USD")


def test_the_recorded_file_of_sqs_has_both_kinds_their_steps_and_the_free_million() -> None:
    assert recorded("AWSQueueService") == {
        "sqs requests standard": Quote(
            (Rate(0.40, 100_000), Rate(0.35, 200_000), Rate(0.32, None)), 1.0, "2026-09-04"
        ),
        "sqs requests fifo": Quote(
            (Rate(0.50, 100_000), Rate(0.46, 200_000), Rate(0.42, None)), 0.0, "2026-09-04"
        ),
    }


def test_the_recorded_file_of_lambda_has_its_steps_and_what_is_free() -> None:
    found = recorded("AWSLambda")
    assert found["lambda requests"] == Quote((Rate(0.20, None),), 1.0, "2026-08-31")
    x86 = found["lambda GB-second x86"]
    assert x86 is not None
    assert x86.free == 400_000
    assert [rate.price for rate in x86.rates] == [0.0000166667, 0.000015, 0.0000133334]
    arm = found["lambda GB-second arm"]
    assert arm is not None
    assert [rate.up_to for rate in arm.rates] == [7.5e9, 18.75e9, None]


def test_the_recorded_file_of_load_balancers_tells_the_kinds_apart() -> None:
    had = {name: found and found.rates for name, found in recorded("AWSELB").items()}
    assert had == {
        "alb load balancer": (Rate(0.02646, None),),
        "alb LCU": (Rate(0.0084, None),),
        "nlb load balancer": (Rate(0.02646, None),),
        "nlb NLCU": (Rate(0.006, None),),
    }


def test_londons_book_is_renewed_from_the_recorded_files_and_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "eu-west-2.yaml"
    path.write_bytes((BOOKS / path.name).read_bytes())
    offers = {file.name.partition("-")[0] for file in RECORDED.glob("*.csv")}
    listed = [one for one in CATALOGUE if one.offer in offers]

    def kept(url: str) -> list[str]:
        offer = url.removeprefix(f"{HOST}/offers/v1.0/aws/").partition("/")[0]
        return (RECORDED / f"{offer}-eu-west-2.csv").read_text(encoding="utf-8").splitlines()

    found = refresh(path, kept, listed)
    assert {change.kind for change in found.changes} == {"same"}
    path.write_text(found.text, encoding="utf-8")
    before, after = read_prices(BOOKS / path.name), read_prices(path)
    for one in listed:
        was, now = before.find(one.service, one.dimension), after.find(one.service, one.dimension)
        assert was is not None
        assert now is not None
        assert [(s.up_to, s.price) for s in was.stairs] == [(s.up_to, s.price) for s in now.stairs]
        assert (was.free, was.free_with) == (now.free, now.free_with)
        assert now.source == f"AWS Price List bulk file {one.offer}"


def test_a_file_that_cannot_be_had_leaves_the_book_alone(book: Path) -> None:
    def half(url: str) -> Iterable[str]:
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
        list(fetch(url))
    assert str(error.value).startswith(f"{HOST}/offers/v1.0/aws/AWSLambda/current/eu-west-2/index")


@contextmanager
def answering(status: int, body: bytes) -> Iterator[requests.Response]:
    """What ``requests.get`` gives of a server's answer."""
    answer = requests.Response()
    answer.status_code = status
    answer.raw = io.BytesIO(body)
    yield answer


def test_an_answer_that_refuses_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "get", lambda *_, **__: answering(403, b""))
    url = address("AWSLambda", "eu-west-9")
    with pytest.raises(ArtefactError, match="answered 403: AWS lists no such offer there"):
        list(fetch(url))


def test_an_answer_is_read_line_by_line_as_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    body = '"São Paulo"\r\n"b"\n'.encode()
    monkeypatch.setattr(requests, "get", lambda *_, **__: answering(200, body))
    assert list(fetch(address("AWSLambda", "sa-east-1"))) == ['"São Paulo"', '"b"']


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
    empty = price_list()
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
    for name in ("eu-west-2", "us-east-1"):
        found = read_prices(BOOKS / f"{name}.yaml")
        for listed in CATALOGUE:
            had = found.find(listed.service, listed.dimension)
            assert had is None or had.unit == listed.unit, listed.name


def test_a_refresh_looks_for_what_the_books_have_but_for_what_has_no_known_usage() -> None:
    looked_for = {(listed.service, listed.dimension) for listed in CATALOGUE}
    without = {
        f"{price.service} {price.dimension}"
        for name in ("eu-west-2", "us-east-1")
        for price in read_prices(BOOKS / f"{name}.yaml").prices
        if (price.service, price.dimension) not in looked_for
    }
    snapstart = {f"lambda SnapStart {of}" for of in ("cache", "restore")}
    of_java = {f"{name} java" for name in snapstart}
    assert without == {"efs elastic read", "efs elastic write", *snapstart, *of_java}
