"""Message bodies of a scenario, made before the clock starts.

``filler`` is an exact size, half of it random so that compression gains what it would on real data.
``row-events`` are row changes as Maxwell's daemon writes them to a broker, over the tables of a
training-programme system. Everything follows from the seed, so a trial can be sent again.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikebench.load.body import BLANK
from spikebench.scenario.messages import Payload

Row = dict[str, object]
"""A row's columns by name, in the table's order."""


@dataclass(frozen=True)
class Templates:
    """Bodies with a blank header, and the keys they go by.

    ``key_of[t]`` is the index in ``keys`` of the key of body ``t``. It is None where bodies name no
    key (filler): then any body may go by any key.
    """

    bodies: list[bytes]
    keys: list[bytes]
    key_of: NDArray[np.int32] | None

    @property
    def largest_bytes(self) -> int:
        """Length of the longest body."""
        return max(map(len, self.bodies))

    def draw(
        self, count: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return ``count`` random (body, key) indices, in which body and key agree."""
        body = rng.integers(len(self.bodies), size=count, dtype=np.int32)
        if self.key_of is not None:
            return body, self.key_of[body]
        return body, rng.integers(len(self.keys), size=count, dtype=np.int32)


def templates(payload: Payload, seed: int) -> Templates:
    """Return the bodies and keys of ``payload``; the same for the same seed."""
    make = {"filler": _fillers, "row-events": _row_events}[payload.kind]
    return make(payload, random.Random(seed))


def _fillers(payload: Payload, rng: random.Random) -> Templates:
    bodies = [_filler(payload.size_bytes, rng) for _ in range(payload.templates)]
    keys = [b"key:%d" % number for number in range(payload.keys)]
    return Templates(bodies, keys, key_of=None)


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_FILLER_BYTES = len(BLANK + b'"a":"","b":""}')


def _filler(size_bytes: int, rng: random.Random) -> bytes:
    room = size_bytes - _FILLER_BYTES
    if room < 0:
        raise ValueError(f"a filler body needs {_FILLER_BYTES} bytes; {size_bytes} were asked for")
    random_bytes = min(size_bytes // 2, room)
    noise = bytes(rng.choices(_BASE64, k=random_bytes))
    return BLANK + b'"a":"%b","b":"%b"}' % (noise, b"x" * (room - random_bytes))


@dataclass(frozen=True)
class _Table:
    """A table: how a row is made, the free-text column that gives a row its length, and the
    columns an update changes."""

    name: str
    row: Callable[[int, random.Random], Row]
    text: str
    changes: Mapping[str, tuple[object, ...]]


def _row_events(payload: Payload, rng: random.Random) -> Templates:
    tables = rng.choices(_TABLES, weights=_WEIGHTS, k=payload.keys)
    ids = rng.sample(range(1, max(200_000, 2 * payload.keys)), k=payload.keys)
    bodies = max(payload.templates, payload.keys)
    key_of = np.arange(bodies, dtype=np.int32) % np.int32(payload.keys)
    return Templates(
        bodies=[_row_event(tables[key], ids[key], payload, rng) for key in key_of.tolist()],
        keys=[f"{table.name}:{row}".encode() for table, row in zip(tables, ids, strict=True)],
        key_of=key_of,
    )


def _row_event(table: _Table, row_id: int, payload: Payload, rng: random.Random) -> bytes:
    event = _event(table, row_id, rng)
    size_bytes = _row_bytes(payload, rng)
    missing = size_bytes - len(_encoded(event))
    data = event["data"]
    assert isinstance(data, dict)
    data[table.text] = _prose(max(0, missing), rng)
    return _encoded(event)


def _row_bytes(payload: Payload, rng: random.Random) -> int:
    """Draw a size: log-scaled and skewed low, for most rows are short and a few carry long text."""
    largest = payload.largest_bytes or payload.size_bytes
    factor = math.exp(math.log(largest / payload.size_bytes) * rng.betavariate(1.2, 3.0))
    return min(largest, round(payload.size_bytes * factor))


def _event(table: _Table, row_id: int, rng: random.Random) -> Row:
    """Return a row change with an empty text column; members in the order Maxwell writes them."""
    kind = rng.choices(("update", "insert", "delete"), weights=(80, 17, 3))[0]
    row = table.row(row_id, rng) | {table.text: ""}
    event: Row = {
        "database": "training",
        "table": table.name,
        "type": kind,
        "ts": 1_790_000_000 + rng.randrange(10_000_000),
        "xid": rng.randrange(10_000_000, 100_000_000),
        "commit": True,
        "data": row,
    }
    if kind == "update":
        event["old"] = _before(table, row, rng)
    return event


def _before(table: _Table, row: Row, rng: random.Random) -> Row:
    """Return what the changed columns held before: never what they hold now."""
    column = rng.choice(list(table.changes))
    others = [value for value in table.changes[column] if value != row[column]]
    return {column: rng.choice(others), "modified_at": _moment(rng)}


def _encoded(event: Row) -> bytes:
    return BLANK + json.dumps(event, separators=(",", ":"))[1:].encode("ascii")


_SENTENCE = (
    "the trainee has completed induction and agreed learning objectives with their educational "
    "supervisor next review after the placement evidence uploaded portfolio assessment outcome "
    "satisfactory progress rotation post funding approved by the programme team for this site less "
    "than full time training adjusted completion date pending confirmation from employer "
)


def _prose(length: int, rng: random.Random) -> str:
    """Return ``length`` characters of plain words, none of which JSON would escape."""
    start = rng.randrange(len(_SENTENCE))
    repeats = (start + length) // len(_SENTENCE) + 1
    return (_SENTENCE * repeats)[start : start + length]


def _day(rng: random.Random) -> str:
    return f"20{rng.randint(18, 27)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def _moment(rng: random.Random) -> str:
    return f"{_day(rng)} {rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}"


_STATUS = ("CURRENT", "INACTIVE", "PENDING", "WITHDRAWN")
_SURNAMES = ("Adeyemi", "Brontë", "Chowdhury", "Evans", "García", "Müller", "O'Connor", "Zhang")
_FORENAMES = ("Aisha", "Chloë", "David", "Grace", "Jürgen", "Mei", "Olu", "Siân")
_SITES = ("RTD01", "RR101", "RGT44", "RM102", "RXH09")
_GRADES = ("F1", "F2", "CT1", "CT2", "ST3", "ST4", "ST5")


def _person(row_id: int, rng: random.Random) -> Row:
    return {
        "id": row_id,
        "forename": rng.choice(_FORENAMES),
        "surname": rng.choice(_SURNAMES),
        "email": f"person{row_id}@example.org",
        "status": rng.choice(_STATUS),
        "modified_at": _moment(rng),
    }


def _post(row_id: int, rng: random.Random) -> Row:
    return {
        "id": row_id,
        "post_number": f"{rng.choice(_SITES)}/{rng.randint(100, 999)}/{rng.choice(_GRADES)}",
        "status": rng.choice(_STATUS),
        "site": rng.choice(_SITES),
        "modified_at": _moment(rng),
    }


def _placement(row_id: int, rng: random.Random) -> Row:
    return {
        "id": row_id,
        "person_id": rng.randint(1, 200_000),
        "post_id": rng.randint(1, 90_000),
        "date_from": _day(rng),
        "date_to": _day(rng),
        "grade": rng.choice(_GRADES),
        "wte": rng.choice((1.0, 0.8, 0.6, 0.5)),
        "modified_at": _moment(rng),
    }


def _programme(row_id: int, rng: random.Random) -> Row:
    return {
        "id": row_id,
        "programme_number": f"TP{rng.randint(1000, 9999)}",
        "status": rng.choice(_STATUS),
        "owner": rng.choice(("North", "South", "East", "West")),
        "modified_at": _moment(rng),
    }


def _assessment(row_id: int, rng: random.Random) -> Row:
    return {
        "id": row_id,
        "person_id": rng.randint(1, 200_000),
        "period": rng.choice(_GRADES),
        "review_date": _day(rng),
        "outcome": rng.choice(("1", "2", "3", "5", "6")),
        "modified_at": _moment(rng),
    }


_TABLES = (
    _Table("people", _person, "notes", {"status": _STATUS, "surname": _SURNAMES}),
    _Table("posts", _post, "description", {"status": _STATUS, "site": _SITES}),
    _Table("placements", _placement, "comments", {"grade": _GRADES, "wte": (1.0, 0.8, 0.6)}),
    _Table("programmes", _programme, "description", {"status": _STATUS}),
    _Table("assessments", _assessment, "feedback", {"outcome": ("1", "2", "3", "5", "6")}),
)
_WEIGHTS = (25, 15, 35, 5, 20)
"""How often each table's rows change: placements and people most, programmes seldom."""
