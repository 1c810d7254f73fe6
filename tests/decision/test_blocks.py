"""Generated blocks: what people write around them is kept byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from spikebench.decision.blocks import Block, merged, texts, written
from spikebench.errors import RecordError

PATH = Path("0001-x.md")

NEW = [Block("a", "new a"), Block("b", "new b\nof two lines")]


def old(*names: str) -> str:
    blocks = "between\n".join(Block(name, f"old {name}").whole() for name in names)
    return f"# Mine \n\n{blocks}after, no line end\t"


def test_what_is_outside_is_kept_byte_for_byte() -> None:
    found = merged(old("a", "b"), NEW, PATH)
    assert found == old("a", "b").replace("old a", "new a").replace("old b", "new b\nof two lines")


def test_blocks_stay_where_a_person_has_moved_them() -> None:
    found = merged(old("b", "a"), NEW, PATH)
    assert found.index("new b") < found.index("between") < found.index("new a")


def test_writing_twice_changes_nothing() -> None:
    once = merged(old("a", "b"), NEW, PATH)
    assert merged(once, NEW, PATH) == once
    fresh = written(["# T\n", *NEW, "end\n"])
    assert merged(fresh, NEW, PATH) == fresh


def test_windows_line_ends_are_kept_and_are_no_difference() -> None:
    dos = merged(old("a", "b"), NEW, PATH).replace("\n", "\r\n")
    assert merged(dos, NEW, PATH) == dos
    assert texts(dos, PATH)["a"] == NEW[0].whole()


def test_a_new_block_comes_after_the_one_it_follows_and_a_former_one_goes() -> None:
    found = merged(old("a", "gone"), NEW, PATH)
    assert found.index("new a") < found.index("new b") < found.index("between")
    assert "gone" not in found
    assert found.endswith("after, no line end\t")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x\n<!-- spikebench:begin a -->\n", ":2: block a has no end"),
        ("<!-- spikebench:end a -->\n", ":1: block a does not pair"),
        (
            "<!-- spikebench:begin a -->\n<!-- spikebench:begin b -->\n",
            ":2: block b does not pair",
        ),
        ("<!-- spikebench:begin a -->\n<!-- spikebench:end b -->\n", ":2: block b does not pair"),
        (Block("a", "").whole() * 2, ":4: block a is there twice"),
    ],
)
def test_marks_that_do_not_pair_are_an_error_with_a_line(text: str, said: str) -> None:
    with pytest.raises(RecordError) as caught:
        merged(text, NEW, PATH)
    assert str(PATH) + said in str(caught.value)
