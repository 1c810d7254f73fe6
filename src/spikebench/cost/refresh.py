"""A price book brought up to date from AWS's price list, its comments and order kept."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from spikebench.cost.money import plain
from spikebench.cost.price_list import CATALOGUE, Fetch, Listed, Quote, address, fetch, quotes
from spikebench.cost.prices import read_prices

SOURCE = "AWS Price List bulk file"
_WIDEST = 4096


@dataclass(frozen=True)
class Renewed:
    """A book brought up to date: its whole text, and what became of each dimension looked for."""

    text: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Change:
    """What a refresh did with a dimension: ``renewed``, ``new``, ``same`` price, or ``not found``.

    ``before`` and ``now`` are prices as text, with every step; empty where there is none.
    """

    name: str
    kind: str
    before: str = ""
    now: str = ""


def refresh(path: Path, get: Fetch = fetch, catalogue: Sequence[Listed] = CATALOGUE) -> Renewed:
    """Return the book in ``path`` brought up to date; nothing is written.

    All files have been read and the new book has been checked by then. Prices that the list does
    not have, under the name looked for, stay as they are. Raises ArtefactError where a file cannot
    be had, ScenarioError where the book is wrong.
    """
    book = read_prices(path)
    yaml = _yaml()
    written = yaml.load(path.read_text(encoding="utf-8"))
    changes = [
        _change(written["prices"], wanted, found)
        for wanted, found in _quotes(catalogue, book.region, book.currency, get)
    ]
    text = io.StringIO()
    yaml.dump(written, text)
    _check(path.name, text.getvalue())
    return Renewed(text.getvalue(), tuple(changes))


def _quotes(
    catalogue: Sequence[Listed], region: str, currency: str, get: Fetch
) -> Iterator[tuple[Listed, Quote | None]]:
    """Each dimension with what the list says of it, a file at a time."""
    for offer, group in groupby(sorted(catalogue, key=_offer), key=_offer):
        wanted = list(group)
        found = quotes(get(address(offer, region)), wanted, currency)
        yield from ((one, found[one.name]) for one in wanted)


def _offer(listed: Listed) -> str:
    return listed.offer


def _change(prices: list[Any], wanted: Listed, found: Quote | None) -> Change:
    place = (wanted.service, wanted.dimension)
    entry = next((one for one in prices if (one["service"], one["dimension"]) == place), None)
    before = "" if entry is None else _said(entry)
    if found is None:
        return Change(wanted.name, "not found", before)
    if entry is None:
        entry = _yaml().load("{}")
        entry.fa.set_block_style()
        entry.update({"service": wanted.service, "dimension": wanted.dimension})
        entry["unit"] = wanted.unit
        if wanted.free_with:
            entry["free_with"] = wanted.free_with
        prices.append(entry)
    _renew(entry, wanted, found)
    now = _said(entry)
    kind = "new" if not before else "same" if before == now else "renewed"
    return Change(wanted.name, kind, before, now)


def _renew(entry: Any, wanted: Listed, found: Quote) -> None:
    """Put a quote's prices, date and source into an entry, in the form they have there."""
    stairs = len(found.rates) > 1 or found.rates[0].up_to is not None
    if stairs:
        place = list(entry).index("price") if "price" in entry else len(entry)
        entry.pop("price", None)
        steps = [_step(rate.price, rate.up_to) for rate in found.rates]
        if "steps" in entry:
            entry["steps"] = steps
        else:
            entry.insert(place, "steps", steps)
    else:
        place = list(entry).index("steps") if "steps" in entry else len(entry)
        entry.pop("steps", None)
        if "price" in entry:
            entry["price"] = _number(found.rates[0].price)
        else:
            entry.insert(place, "price", _number(found.rates[0].price))
    if found.free:
        entry["free"] = _number(found.free)
    entry["as_of"] = date.fromisoformat(found.published)
    entry["source"] = f"{SOURCE} {wanted.offer}"


def _step(price: float, up_to: float | None) -> Any:
    end = "" if up_to is None else f"up_to: {plain_number(up_to)}, "
    return _yaml().load(f"{{{end}price: {plain_number(price)}}}")


def _number(value: float) -> Any:
    """A number that is written with all its digits, and no power of ten."""
    return _yaml().load(plain_number(value))


def plain_number(value: float) -> str:
    """Return a number as a book has it: whole where it is whole, never in powers of ten."""
    return str(int(value)) if value == int(value) else plain(value)


def _said(entry: Any) -> str:
    """An entry's prices as text."""
    steps = entry.get("steps") or [{"price": entry["price"]}]
    return ", ".join(
        plain_number(float(one["price"]))
        + (f" up to {plain_number(float(one['up_to']))}" if "up_to" in one else "")
        for one in steps
    )


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _WIDEST
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _check(name: str, text: str) -> None:
    """Read the new book as every other is; raises ScenarioError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        read_prices(path)
