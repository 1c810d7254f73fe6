from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.page import fill, filled, grid


def test_only_what_lies_between_the_marks_is_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n<!-- x -->\nold\n<!-- end of x -->\nB\n")
    fill(page, "x", "new\n")
    assert page.read_text() == "# A\n<!-- x -->\nnew\n<!-- end of x -->\nB\n"
    assert filled(page, "x") == "new\n"


@pytest.mark.parametrize("text", ["nothing", "<!-- x -->\n"])
def test_a_page_without_both_marks_is_left_alone(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ValueError, match="put the two lines in again"):
        fill(page, "x", "new")
    assert page.read_text() == text


def test_a_grid_is_markdown() -> None:
    assert grid(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
