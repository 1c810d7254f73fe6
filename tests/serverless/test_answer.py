"""What counts as the same answer, and how it is told where two differ."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikes.serverless.answer import difference, parse

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


@given(VALUES)
def test_a_value_is_what_was_written(value: Any) -> None:
    assert difference(value, json.loads(json.dumps(value))) == ""


@pytest.mark.parametrize(
    ("expected", "got", "said"),
    [
        (1, 1.0, ""),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, ""),
        (1, True, "$ should be 1, not true"),
        (0, False, "$ should be 0, not false"),
        ([1, [2]], [1, [3]], "$[1][0] should be 2, not 3"),
        ([1], [1, 2], "$ should have 1 elements, not 2"),
        ({"a": {"b": 1}}, {"a": {}}, "$.a has no 'b'"),
        ({}, {"a": 1}, "$ should not have 'a'"),
        ({}, [], "$ should be {}, not []"),
        (None, "", '$ should be null, not ""'),
        ("1", 1, '$ should be "1", not 1'),
    ],
)
def test_the_first_difference_is_told(expected: object, got: object, said: str) -> None:
    assert difference(expected, got) == said


@pytest.mark.parametrize("body", [b"", b"\xff", b"NaN", b"[1", b"[" * 100_000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(body)
