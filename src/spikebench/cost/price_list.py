"""AWS's price list: one bulk file an offer and region, public, as JSON.

The form is documented in the AWS Billing User Guide, "Reading the service price list file":
``products`` maps a SKU to ``productFamily`` and ``attributes`` (``usagetype`` among them, with the
region's short name before it outside N. Virginia), ``terms.OnDemand`` the SKU to terms whose
``priceDimensions`` have ``beginRange``, ``endRange`` and ``pricePerUnit``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from spikebench.errors import ArtefactError

HOST = "https://pricing.us-east-1.amazonaws.com"
TIMEOUT_S = (10, 300)

_PREFIX = re.compile(r"^[A-Z]{2,4}\d*-")
_ENDLESS = "Inf"

Fetch = Callable[[str], Mapping[str, Any]]
"""From an address to the file there as JSON; raises ArtefactError where it cannot be had."""


@dataclass(frozen=True)
class Listed:
    """Where a dimension of a price book stands in the price list.

    ``usage`` is the usage type without its region, ``factor`` how many units of the list one
    of the book's is: a million requests.
    """

    service: str
    dimension: str
    unit: str
    offer: str
    usage: str
    factor: float = 1.0
    family: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Service and dimension, for people."""
        return f"{self.service} {self.dimension}"

    def is_that(self, product: Mapping[str, Any]) -> bool:
        """Whether a product of the offer is this dimension."""
        had = product.get("attributes", {})
        return (
            _PREFIX.sub("", had.get("usagetype", "")) == self.usage
            and self.family in ("", product.get("productFamily", ""))
            and all(had.get(name) == value for name, value in self.attributes.items())
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
    return f"{HOST}/offers/v1.0/aws/{offer}/current/{region}/index.json"


def fetch(url: str) -> Mapping[str, Any]:
    """Return a bulk file; raise ArtefactError, naming the address, where it cannot be had.

    Files are large (AmazonEC2 has hundreds of megabytes) and are held in memory while they are
    read.
    """
    try:
        answer = requests.get(url, timeout=TIMEOUT_S)
        answer.raise_for_status()
        found = answer.json()
    except requests.RequestException as error:
        raise ArtefactError(
            f"{url} could not be read: {type(error).__name__}. Prices are public and need no "
            "account, but a network that lets this host be reached; the book is unchanged."
        ) from error
    if not isinstance(found, dict):
        raise ArtefactError(f"{url} is not a price list; the book is unchanged.")
    return found


def quote(file: Mapping[str, Any], wanted: Listed, currency: str) -> Quote | None:
    """Return what a bulk file says of a dimension; None where it has none, or several that differ.

    A first step at no cost that ends is what the free tier gives. Raises ArtefactError where the
    file is not of the documented form.
    """
    try:
        found = set(_rates(file, wanted, currency))
        published = str(file["publicationDate"])[:10]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"the price list of {wanted.offer} has another form than documented"
        raise ArtefactError(f"{what}: {error!r}; the book is unchanged.") from error
    if len(found) != 1:
        return None
    (rates,) = found
    first = rates[0]
    if len(rates) > 1 and first.price == 0 and first.up_to is not None:
        later = (Rate(r.price, r.up_to and r.up_to - first.up_to) for r in rates[1:])
        return Quote(tuple(later), first.up_to, published)
    return Quote(rates, 0.0, published)


def _rates(file: Mapping[str, Any], wanted: Listed, currency: str) -> Iterator[tuple[Rate, ...]]:
    """The steps of every product that is the dimension."""
    terms = file["terms"]["OnDemand"]
    for sku, product in file["products"].items():
        if wanted.is_that(product) and sku in terms:
            for term in terms[sku].values():
                steps = [_step(one, wanted, currency) for one in term["priceDimensions"].values()]
                yield tuple(Rate(price, up_to) for _, price, up_to in sorted(steps, key=_begin))


def _step(
    dimension: Mapping[str, Any], wanted: Listed, currency: str
) -> tuple[float, float, float | None]:
    end = dimension["endRange"]
    price = float(f"{float(dimension['pricePerUnit'][currency]) * wanted.factor:.12g}")
    up_to = None if end == _ENDLESS else float(end) / wanted.factor
    return float(dimension["beginRange"]), price, up_to


def _begin(step: tuple[float, float, float | None]) -> float:
    return step[0]


_MILLION = 1e6
_APPLICATION, _NETWORK = "Load Balancer-Application", "Load Balancer-Network"
_POSTGRES = {"databaseEngine": "PostgreSQL", "deploymentOption": "Single-AZ"}

CATALOGUE = (
    Listed("lambda", "requests", "million requests", "AWSLambda", "Request", _MILLION),
    Listed("lambda", "GB-second x86", "GB-second", "AWSLambda", "Lambda-GB-Second"),
    Listed("lambda", "GB-second arm", "GB-second", "AWSLambda", "Lambda-GB-Second-ARM"),
    Listed(
        "sqs",
        "requests standard",
        "million requests",
        "AWSQueueService",
        "Requests-Tier1",
        _MILLION,
    ),
    Listed(
        "sqs",
        "requests fifo",
        "million requests",
        "AWSQueueService",
        "Requests-FIFO-Tier1",
        _MILLION,
    ),
    Listed("fargate", "vCPU x86", "vCPU-hour", "AmazonECS", "Fargate-vCPU-Hours:perCPU"),
    Listed("fargate", "GB x86", "GB-hour", "AmazonECS", "Fargate-GB-Hours"),
    Listed("fargate", "vCPU arm", "vCPU-hour", "AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU"),
    Listed("fargate", "GB arm", "GB-hour", "AmazonECS", "Fargate-ARM-GB-Hours"),
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
    Listed("kinesis", "shard", "hour", "AmazonKinesis", "Storage-ShardHour"),
    Listed(
        "kinesis",
        "PUT payload unit 25 KB",
        "million units",
        "AmazonKinesis",
        "PutRequestPayloadUnits",
        _MILLION,
    ),
    Listed("msk", "broker kafka.m5.large", "hour", "AmazonMSK", "Kafka.m5.large"),
    Listed("msk", "broker kafka.t3.small", "hour", "AmazonMSK", "Kafka.t3.small"),
    Listed("msk", "storage", "GB-month", "AmazonMSK", "Kafka.Storage.GP2"),
)
"""What a refresh looks for. Usage types are those that public readers of the list go by; what is
under another name, or several, is left as it was, and said."""
