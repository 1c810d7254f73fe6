"""A turned table as one page of HTML: sortable, without anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from spikebench.report.column import NOTHING
from spikebench.report.pivot import Figure, Line, Pivot
from spikebench.report.pivoted import HOW_TO_READ

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

BEFORE = ("warning", "hidden")
"""How notes begin that a reader needs before the figures; others stand below them."""

STYLE = """
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 1.5rem; max-width: 100rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .5rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #8886; vertical-align: top; }
th { text-align: left; }
td:last-child { min-width: 24rem; }
td.said { min-width: 9rem; }
td.figure { text-align: right; white-space: nowrap; }
thead th { position: sticky; top: 0; background: Canvas; }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible { outline: 2px solid; outline-offset: 2px; }
th[aria-sort=ascending] button::after { content: " \\25B2"; }
th[aria-sort=descending] button::after { content: " \\25BC"; }
.warning { border-left: 4px solid; padding-left: .6rem; }
small { opacity: .8; }
@media print { .wide { overflow: visible; } thead th { position: static; } }
"""

SCRIPT = """
for (const button of document.querySelectorAll("thead button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = document.querySelector("tbody");
    const place = head.cellIndex;
    const value = (row) => row.cells[place].dataset.value;
    const order = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "" || y === "") return (x === "") - (y === "");  // nothing is last, either way
      const numbers = head.dataset.kind === "figure";
      const less = numbers ? Number(x) - Number(y) : x.localeCompare(y, undefined, {numeric: true});
      return up ? less : -less;
    };
    body.append(...[...body.rows].sort(order));
  });
}
"""


def to_html(found: Pivot) -> str:
    """Return a turned table as a page: complete in itself, every text of a record escaped.

    Without scripts it is the same table, unsorted.
    """
    title = escape(f"{found.spike}: results")
    runs = escape(", ".join(found.runs) or NOTHING)
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>",
            f"<h1>{title}</h1>",
            f"<p>Run {runs}. {escape(HOW_TO_READ)}</p>",
            *_notes(note for note in found.notes if note.startswith(BEFORE)),
            '<div class="wide" tabindex="0" role="region" aria-label="results">\n<table>',
            "<caption>Headers sort.</caption>",
            f"<thead>\n<tr>{''.join(_heads(found))}</tr>\n</thead>\n<tbody>",
            *map(_row, found.lines),
            "</tbody>\n</table>\n</div>",
            *_notes(note for note in found.notes if not note.startswith(BEFORE)),
            "</main>",
            f"<script>{SCRIPT}</script>\n</body>\n</html>\n",
        ]
    )


def _notes(notes: Iterable[str]) -> Iterator[str]:
    for note in notes:
        kind = ' class="warning"' if note.startswith("warning") else ""
        yield f"<p{kind}>{escape(note)}</p>"


def _heads(found: Pivot) -> Iterator[str]:
    heads = [(key, "word") for key in found.keys]
    heads += [(measure.header, "figure") for measure in found.measures]
    heads += [(name, "word") for name in found.words]
    for text, kind in heads:
        button = f'<button type="button">{escape(text)}</button>'
        yield f'<th scope="col" data-kind="{kind}">{button}</th>'
    yield '<th scope="col">notes</th>'


def _row(line: Line) -> str:
    said = (_word(text, ' class="said"') for text in line.words)
    cells = [*map(_word, line.keys), *map(_figure, line.figures), *said]
    notes = "; ".join(line.notes)
    return f"<tr>{''.join(cells)}<td><small>{escape(notes)}</small></td></tr>"


def _word(text: str, kind: str = "") -> str:
    value = escape("" if text == NOTHING else text)
    return f'<td{kind} data-value="{value}">{escape(text)}</td>'


def _figure(figure: Figure) -> str:
    value = "" if figure.order is None else repr(float(figure.order))
    said = escape(figure.text)
    text = f"<strong>{said}</strong>" if figure.leads else said
    return f'<td class="figure" data-value="{value}">{text}</td>'
