"""AWS's price list: one bulk file an offer and region, public, as CSV.

The form is documented in the AWS Billing User Guide, "Reading the service price list file for an
AWS service": five rows of metadata, a row of column names, then a row for each step of each price
of a product. ``usageType`` says what is counted, with the region's short name before it outside N.
Virginia; ``StartingRange`` and ``EndingRange`` bound a step. CSV, for it is read line by line: the
file of EC2 has hundreds of megabytes.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase

import requests

from spikebench.errors import ArtefactError

HOST = "https://pricing.us-east-1.amazonaws.com"
TIMEOUT_S = (10, 300)
CHUNK_BYTES = 1 << 16

UNCHANGED = "the book is unchanged"

_PREFIX = re.compile(r"^(?:[A-Z]{2,4}\d+|EU)-")
_ENDLESS = "Inf"
_REGION = "AWS Region"
_NEEDED = (
    "SKU",
    "OfferTermCode",
    "TermType",
    "StartingRange",
    "EndingRange",
    "PricePerUnit",
    "Currency",
    "usageType",
)

Fetch = Callable[[str], Iterable[str]]
"""From an address to the lines of the file there; raises ArtefactError where it cannot be had."""


@dataclass(frozen=True)
class Listed:
    """Where a dimension of a price book stands in the price list.

    ``usage`` is the usage type without its region; a pattern as file names have, or several with
    ``|`` between them. ``factor`` is how many units of the list one of the book's is: a million
    requests. ``free_usage`` is the usage type whose price list entry says what is free,
    ``free_with`` the dimension whose free units these uses take.
    """

    service: str
    dimension: str
    unit: str
    offer: str
    usage: str
    factor: float = 1.0
    family: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    free_usage: str = ""
    free_with: str = ""

    @property
    def name(self) -> str:
        """Service and dimension, for people."""
        return f"{self.service} {self.dimension}"

    def is_in(self, row: Mapping[str, str]) -> bool:
        """Whether a row of the offer's file is a price of this dimension."""
        usage = _PREFIX.sub("", row["usageType"])
        return (
            any(fnmatchcase(usage, each) for each in self.usage.split("|"))
            and row.get("Location Type", _REGION) == _REGION
            and self.family in ("", row.get("Product Family", ""))
            and all(row.get(name) == value for name, value in self.attributes.items())
        )


@dataclass(frozen=True)
class Rate:
    """The price of each unit up to ``up_to`` a month; None: of all that follow."""

    price: float
    up_to: float | None


@dataclass(frozen=True)
class Quote:
    """What a price list says of a dimension: its steps, what is free, and the file's date."""

    rates: tuple[Rate, ...]
    free: float
    published: str


def address(offer: str, region: str) -> str:
    """Return the address of an offer's bulk file."""
    return f"{HOST}/offers/v1.0/aws/{offer}/current/{region}/index.csv"


def fetch(url: str) -> Iterator[str]:
    """Yield the lines of a bulk file; raise ArtefactError, naming the address, where it fails."""
    try:
        with requests.get(url, timeout=TIMEOUT_S, stream=True) as answer:
            answer.raise_for_status()
            for line in answer.iter_lines(chunk_size=CHUNK_BYTES):
                assert isinstance(line, bytes), "lines are not decoded by the way"
                yield line.decode("utf-8")
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else "an error"
        what = f"{url} answered {status}: AWS lists no such offer there, or a proxy refused"
        raise ArtefactError(f"{what}; {UNCHANGED}.") from error
    except requests.RequestException as error:
        raise ArtefactError(
            f"{url} could not be read: {type(error).__name__}. Prices are public and need no "
            f"account, but a network that lets this host be reached; {UNCHANGED}."
        ) from error


def quotes(
    lines: Iterable[str], wanted: Sequence[Listed], currency: str
) -> dict[str, Quote | None]:
    """Return what a bulk file says of dimensions, by their name.

    None where it has none, or several that differ. A first step at no cost that ends is what the
    free tier gives, as is an entry of ``free_usage``. Raises ArtefactError where the file is not of
    the documented form.
    """
    try:
        published, rows = _read(iter(csv.reader(lines)))
        found = _collected(rows, wanted, currency)
        return {one.name: _quote(found[one.name], published) for one in wanted}
    except (KeyError, ValueError, csv.Error) as error:
        offer = wanted[0].offer
        what = f"the price list of {offer} has another form than documented: {error}"
        raise ArtefactError(f"{what}; {UNCHANGED}.") from error


def _read(rows: Iterator[list[str]]) -> tuple[str, Iterator[dict[str, str]]]:
    """The date of a file, and its prices on demand as mappings from a column's name."""
    about: dict[str, str] = {}
    for row in rows:
        if row[:1] == ["SKU"]:
            break
        about.update([(row[0], row[1])] if len(row) > 1 else [])
    else:
        raise ValueError("it has no row of column names")
    missing = [name for name in _NEEDED if name not in row]
    if missing:
        raise ValueError(f"it has no column {', '.join(missing)}")
    published = about["Publication Date"][:10]
    date.fromisoformat(published)
    term = row.index("TermType")
    named = (dict(zip(row, each, strict=False)) for each in rows if each[term] == "OnDemand")
    return published, named


@dataclass
class _Prices:
    """Steps of a dimension by product and term, and what is free of it."""

    steps: dict[tuple[str, str], list[tuple[float, Rate]]] = field(default_factory=dict)
    free: float = 0.0


def _collected(
    rows: Iterator[dict[str, str]], wanted: Sequence[Listed], currency: str
) -> dict[str, _Prices]:
    found = {one.name: _Prices() for one in wanted}
    for row in rows:
        if row["Currency"] != currency:
            continue
        for one in wanted:
            if one.free_usage and row["usageType"] == one.free_usage:
                found[one.name].free = float(row["EndingRange"]) / one.factor
            elif one.is_in(row):
                product = row["SKU"], row["OfferTermCode"]
                found[one.name].steps.setdefault(product, []).append(_step(row, one.factor))
    return found


def _step(row: Mapping[str, str], factor: float) -> tuple[float, Rate]:
    end = row["EndingRange"]
    price = float(f"{float(row['PricePerUnit']) * factor:.12g}")
    up_to = None if end == _ENDLESS else float(end) / factor
    return float(row["StartingRange"]), Rate(price, up_to)


def _quote(found: _Prices, published: str) -> Quote | None:
    several = {
        tuple(rate for _, rate in sorted(steps, key=_begin)) for steps in found.steps.values()
    }
    if len(several) != 1:
        return None
    (rates,) = several
    first = rates[0]
    if len(rates) > 1 and first.price == 0 and first.up_to is not None:
        later = (Rate(r.price, r.up_to and r.up_to - first.up_to) for r in rates[1:])
        return Quote(tuple(later), first.up_to, published)
    return Quote(rates, found.free, published)


def _begin(step: tuple[float, Rate]) -> float:
    return step[0]


_MILLION = 1e6
_APPLICATION, _NETWORK = "Load Balancer-Application", "Load Balancer-Network"
_POSTGRES = {"Database Engine": "PostgreSQL", "Deployment Option": "Single-AZ"}
_LINUX = {
    "Operating System": "Linux",
    "Tenancy": "Shared",
    "Pre Installed S/W": "NA",
    "CapacityStatus": "Used",
}
_RABBITMQ = {"Broker Engine": "RabbitMQ", "Deployment Option": "Multi-AZ"}

CATALOGUE = (
    Listed(
        "lambda",
        "requests",
        "million requests",
        "AWSLambda",
        "Request",
        _MILLION,
        free_usage="Global-Request",
    ),
    Listed(
        "lambda",
        "GB-second x86",
        "GB-second",
        "AWSLambda",
        "Lambda-GB-Second",
        free_usage="Global-Lambda-GB-Second",
    ),
    Listed(
        "lambda",
        "GB-second arm",
        "GB-second",
        "AWSLambda",
        "Lambda-GB-Second-ARM",
        free_with="GB-second x86",
    ),
    Listed(
        "sqs",
        "requests standard",
        "million requests",
        "AWSQueueService",
        "Requests-Tier1|Requests-RBP",
        _MILLION,
        free_usage="Global-Requests",
    ),
    Listed(
        "sqs",
        "requests fifo",
        "million requests",
        "AWSQueueService",
        "Requests-FIFO-Tier1|Requests-FIFO-RBP",
        _MILLION,
        free_with="requests standard",
    ),
    Listed("sns", "publish standard", "million requests", "AmazonSNS", "Requests-Tier1", _MILLION),
    Listed("sns", "publish fifo", "million requests", "AmazonSNS", "F-Request-Tier1", _MILLION),
    Listed("sns", "payload fifo", "GB", "AmazonSNS", "F-Ingress-Tier1"),
    Listed("sns", "deliveries fifo", "million", "AmazonSNS", "F-DA-SQS", _MILLION),
    Listed("sns", "payload delivered fifo", "GB", "AmazonSNS", "F-Egress-SQS"),
    Listed("fargate", "vCPU x86", "vCPU-hour", "AmazonECS", "Fargate-vCPU-Hours:perCPU"),
    Listed("fargate", "GB x86", "GB-hour", "AmazonECS", "Fargate-GB-Hours"),
    Listed("fargate", "vCPU arm", "vCPU-hour", "AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU"),
    Listed("fargate", "GB arm", "GB-hour", "AmazonECS", "Fargate-ARM-GB-Hours"),
    *(
        Listed(
            "ec2", f"instance {size}", "hour", "AmazonEC2", f"BoxUsage:{size}", attributes=_LINUX
        )
        for size in ("t3.medium", "t3a.large", "t4g.large", "m7g.large")
    ),
    Listed("ec2", "data between zones", "GB", "AWSDataTransfer", "DataTransfer-Regional-Bytes"),
    Listed("ebs", "gp3 storage", "GB-month", "AmazonEC2", "EBS:VolumeUsage.gp3"),
    Listed("alb", "load balancer", "hour", "AWSELB", "LoadBalancerUsage", family=_APPLICATION),
    Listed("alb", "LCU", "LCU-hour", "AWSELB", "LCUUsage", family=_APPLICATION),
    Listed("nlb", "load balancer", "hour", "AWSELB", "LoadBalancerUsage", family=_NETWORK),
    Listed("nlb", "NLCU", "NLCU-hour", "AWSELB", "LCUUsage", family=_NETWORK),
    Listed("nat", "gateway", "hour", "AmazonEC2", "NatGateway-Hours"),
    Listed("nat", "data", "GB", "AmazonEC2", "NatGateway-Bytes"),
    Listed("cloudwatch", "logs ingested", "GB", "AmazonCloudWatch", "DataProcessing-Bytes"),
    Listed(
        "rds",
        "db.t4g.micro postgres",
        "hour",
        "AmazonRDS",
        "InstanceUsage:db.t4g.micro",
        attributes=_POSTGRES,
    ),
    Listed("efs", "standard storage", "GB-month", "AmazonEFS", "TimedStorage-ByteHrs"),
    Listed("kinesis", "shard", "hour", "AmazonKinesis", "Storage-ShardHour"),
    Listed(
        "kinesis",
        "PUT payload unit 25 KB",
        "million units",
        "AmazonKinesis",
        "PutRequestPayloadUnits",
        _MILLION,
    ),
    Listed("kinesis", "on-demand stream", "hour", "AmazonKinesis", "OnDemand-StreamHour"),
    Listed("kinesis", "on-demand data in", "GB", "AmazonKinesis", "OnDemand-BilledIncomingBytes"),
    Listed("kinesis", "on-demand data out", "GB", "AmazonKinesis", "OnDemand-BilledOutgoingBytes"),
    *(
        Listed("msk", f"broker kafka.{size}", "hour", "AmazonMSK", f"Kafka.{size}")
        for size in ("t3.small", "m5.large", "m7g.large")
    ),
    Listed("msk", "storage", "GB-month", "AmazonMSK", "Kafka.Storage.GP2"),
    *(
        Listed("mq", f"cluster {size}", "hour", "AmazonMQ", f"*{size}", attributes=_RABBITMQ)
        for size in ("mq.m7g.medium", "mq.m7g.large")
    ),
    Listed("mq", "storage", "GB-month", "AmazonMQ", "*TimedStorage-RabbitMQ-ByteHrs"),
)
"""What a refresh looks for. Usage types are those of recorded files, or else those that public
readers of the list go by; what is under another name, or several, is left as it was, and said."""
