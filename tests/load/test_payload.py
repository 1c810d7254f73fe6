from __future__ import annotations

import json
import re
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikebench.load.body import BLANK, parse, patch
from spikebench.load.payload import templates
from spikebench.scenario.messages import Payload

ROWS = Payload(kind="row-events", size_bytes=300, largest_bytes=4096, keys=100, templates=256)


def rows(seed: int = 1, payload: Payload = ROWS) -> list[dict[str, object]]:
    return [json.loads(body) for body in templates(payload, seed).bodies]


@given(st.integers(64, 20_000), st.integers(0, 2**32))
@settings(max_examples=50)
def test_filler_is_of_the_exact_size_and_json(size_bytes: int, seed: int) -> None:
    payload = Payload(size_bytes=size_bytes, templates=3)
    for body in templates(payload, seed).bodies:
        assert len(body) == size_bytes
        assert body.isascii()
        assert body.startswith(BLANK)
        json.loads(body)


def test_half_of_a_filler_body_is_random() -> None:
    body = templates(Payload(size_bytes=4096, templates=1), 1).bodies[0]
    # 6 random bits in each of 2,048 bytes: 1,536 bytes that no compression takes away.
    assert 1536 < len(zlib.compress(body, 9)) < 2048
    assert len(json.loads(body)["a"]) == 2048


def test_filler_goes_by_every_key() -> None:
    made = templates(Payload(keys=1000, templates=16), 1)
    body, key = made.draw(50_000, np.random.default_rng(1))
    assert len(set(made.keys)) == 1000
    assert set(key.tolist()) == set(range(1000))
    assert set(body.tolist()) == set(range(16))


@pytest.mark.parametrize("payload", [ROWS, Payload(templates=5)])
def test_a_seed_gives_the_same_bodies_and_another_seed_others(payload: Payload) -> None:
    first, again, other = (templates(payload, seed) for seed in (7, 7, 8))
    assert first.bodies == again.bodies
    assert first.keys == again.keys
    assert first.bodies != other.bodies


@given(st.integers(64, 5000), st.integers(512, 6000), st.integers(0, 2**32))
@settings(max_examples=50)
def test_row_events_keep_within_their_sizes(smallest: int, largest: int, seed: int) -> None:
    smallest = min(smallest, largest)
    payload = Payload(
        kind="row-events", size_bytes=smallest, largest_bytes=largest, keys=40, templates=40
    )
    made = templates(payload, seed)
    assert all(smallest <= len(body) <= largest for body in made.bodies)
    assert made.largest_bytes == max(len(body) for body in made.bodies)


def test_row_events_can_all_be_of_one_size() -> None:
    payload = Payload(kind="row-events", size_bytes=512, keys=2000)
    assert {len(body) for body in templates(payload, 3).bodies} == {512}


def test_most_rows_are_short_and_some_are_long() -> None:
    sizes = np.array([len(body) for body in templates(ROWS, 1).bodies])
    assert np.median(sizes) < np.mean(sizes) < 1200
    assert sizes.max() > 1500
    assert len(set(sizes.tolist())) > 100


def test_row_events_are_laid_out_as_maxwell_writes_them() -> None:
    for row in rows():
        members = ["_sb", "database", "table", "type", "ts", "xid", "commit", "data"]
        old = ["old"] if row["type"] == "update" else []
        assert list(row) == members + old
        assert row["type"] in {"insert", "update", "delete"}


def test_all_tables_and_kinds_of_change_occur() -> None:
    events = rows(payload=ROWS.model_copy(update={"templates": 1000}))
    tables = {"people", "posts", "placements", "programmes", "assessments"}
    assert {event["table"] for event in events} == tables
    assert {event["type"] for event in events} == {"insert", "update", "delete"}


def test_an_update_tells_what_was_there_before() -> None:
    for row in rows():
        if row["type"] == "update":
            old, data = row["old"], row["data"]
            assert isinstance(old, dict)
            assert isinstance(data, dict)
            changed = old.keys() - {"modified_at"}
            assert len(changed) == 1
            assert all(old[column] != data[column] for column in changed)


def test_a_row_goes_by_its_own_primary_key() -> None:
    made = templates(ROWS, 1)
    assert made.key_of is not None
    for body, key in zip(made.bodies, made.key_of.tolist(), strict=True):
        row = json.loads(body)
        assert made.keys[key] == f"{row['table']}:{row['data']['id']}".encode()


def test_there_are_as_many_keys_as_asked_for_and_each_has_a_row() -> None:
    made = templates(ROWS.model_copy(update={"keys": 500, "templates": 10}), 1)
    assert made.key_of is not None
    assert len(set(made.keys)) == 500
    assert set(made.key_of.tolist()) == set(range(500))


def test_letters_outside_ascii_are_escaped() -> None:
    bodies = templates(ROWS, 1).bodies
    assert all(body.isascii() for body in bodies)
    assert any(re.search(rb"\\u00[0-9a-f]{2}", body) for body in bodies)


def test_templates_take_a_header() -> None:
    for body in templates(ROWS, 1).bodies:
        assert parse(body) == (0, 0, 0)
        assert parse(patch(body, 1, 2, 3)) == (1, 2, 3)
