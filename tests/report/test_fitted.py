"""Narrow columns: no number and no mark of a footnote is cut in two."""

from __future__ import annotations

import pytest

from spikebench.report.fitted import fitted, short


@pytest.mark.parametrize(
    ("value", "width", "shown"),
    [
        (None, 6, "—"),
        (5.43, 6, "5.43"),
        (0.00495, 6, "0.005"),
        (0.000371, 6, "0.0004"),
        (105_000.0, 7, "105,000"),
        (2_010_000.0, 7, "2.01M"),
        (12_345.0, 5, "12.3k"),
        (123_456.0, 5, "123k"),
    ],
)
def test_a_figure_fits_its_column(value: float | None, width: int, shown: str) -> None:
    assert short(value, width) == shown


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("5.43", 6, ["5.43"]),
        ("0/0/355,906³", 7, ["0/0/", "355,906", "³"]),
        ("0/0/199³", 7, ["0/0/199", "³"]),
        ("5⁹˒¹⁰", 3, ["5⁹˒", "¹⁰"]),
        ("5⁹˒¹⁰˒¹¹", 5, ["5⁹˒", "¹⁰˒¹¹"]),
        ("not shown¹¹", 10, ["not shown", "¹¹"]),
        ("not shown 26–31×⁴˒⁵", 14, ["not shown", "26–31×⁴˒⁵"]),
        ("rabbitmq-classic java", 12, ["rabbitmq-", "classic java"]),
        ("消息-队列 java", 6, ["消息-", "队列", "java"]),
    ],
)
def test_lines_break_where_one_may_read_on(text: str, width: int, lines: list[str]) -> None:
    assert fitted(text, width).plain.split("\n") == lines


def test_what_is_bold_stays_so_on_every_line() -> None:
    found = fitted("[bold]one two[/]", 4)
    assert found.plain == "one\ntwo"
    assert found.markup == "[bold]one[/bold]\n[bold]two[/bold]"
