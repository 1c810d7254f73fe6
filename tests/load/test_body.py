from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikebench.load.body import BLANK, HEADER_BYTES, parse, parse_heads, parse_many, patch

TEMPLATE = BLANK + b'"data":"abc"}'

tags = st.integers(0, 2**32 - 1)
seqs = st.integers(0, 2**32 - 1)
times = st.integers(0, 2**63 - 1)
headers = st.tuples(tags, seqs, times)


@given(headers)
def test_what_is_patched_is_what_is_parsed(header: tuple[int, int, int]) -> None:
    assert parse(patch(TEMPLATE, *header)) == header


@given(headers)
def test_a_patched_body_is_json_of_the_same_length_with_the_rest_untouched(
    header: tuple[int, int, int],
) -> None:
    body = patch(TEMPLATE, *header)
    assert len(body) == len(TEMPLATE)
    assert body[HEADER_BYTES:] == TEMPLATE[HEADER_BYTES:]
    assert body.isascii()
    assert json.loads(body)["data"] == "abc"


def test_the_header_is_laid_out_as_documented() -> None:
    body = patch(TEMPLATE, 0x2A, 7, 0x1CA3E1F7B9C4)
    assert body == b'{"_sb":"0000002a0000000700001ca3e1f7b9c4","data":"abc"}'
    assert len(BLANK) == HEADER_BYTES


def test_patching_twice_keeps_only_the_second_header() -> None:
    assert parse(patch(patch(TEMPLATE, 1, 2, 3), 4, 5, 6)) == (4, 5, 6)


@pytest.mark.parametrize("header", [(2**32, 0, 0), (0, 2**32, 0), (0, 0, 2**63), (-1, 0, 0)])
def test_a_field_that_would_not_fit_is_refused_rather_than_cut(
    header: tuple[int, int, int],
) -> None:
    with pytest.raises(struct.error):
        patch(TEMPLATE, *header)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        BLANK[:-1],
        BLANK[:20],
        b"x" * 100,
        BLANK.replace(b"0", b"g", 1),
        BLANK.replace(b"0", b" ", 1),
        BLANK.replace(b'",', b"00"),
        b" " + BLANK,
    ],
)
def test_foreign_bodies_are_told_apart(body: bytes) -> None:
    assert parse(body) is None
    assert not parse_many([body]).ours[0]


@given(st.lists(st.one_of(st.binary(max_size=80), headers.map(lambda h: patch(TEMPLATE, *h)))))
def test_many_are_parsed_as_each_alone(bodies: list[bytes]) -> None:
    many = parse_many(bodies)
    each = [parse(body) for body in bodies]
    assert many.ours.tolist() == [header is not None for header in each]
    columns = zip(many.tag.tolist(), many.seq.tolist(), many.sent_ns.tolist(), strict=True)
    assert list(columns) == [header or (0, 0, 0) for header in each]


@given(st.integers(0, HEADER_BYTES - 1), st.integers(0, 255))
def test_one_changed_byte_never_makes_the_two_parsers_disagree(place: int, value: int) -> None:
    body = bytearray(patch(TEMPLATE, 1, 2, 3))
    body[place] = value
    alone, many = parse(bytes(body)), parse_many([bytes(body)])
    assert bool(many.ours[0]) == (alone is not None)
    if alone is not None:
        assert alone == (many.tag[0], many.seq[0], many.sent_ns[0])


def test_heads_of_the_wrong_length_are_refused() -> None:
    with pytest.raises(ValueError, match="reshape"):
        parse_heads(BLANK + b"x")


def test_no_bodies_give_no_headers() -> None:
    assert parse_many([]).seq.dtype == np.int64
    assert len(parse_many([]).seq) == 0
