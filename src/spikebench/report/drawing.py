"""A plot to be drawn: its file's name, and what makes its figure; it becomes an SVG."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from warnings import catch_warnings, filterwarnings

from spikebench.report.dark import for_both
from spikebench.report.whole import put

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Drawing:
    """``<stem>.svg``; ``figure`` is called when it is drawn, and not before."""

    stem: str
    figure: Callable[[], Figure]

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.stem}.svg"

    def put(self, folder: Path) -> Path:
        """Draw it into a folder and return the path; raise OSError where that can't be written."""
        return put(folder / self.name, self.svg())

    def svg(self) -> bytes:
        """Draw it.

        Every text is drawn as it is written: a name with dollar signs is no formula. Texts stay
        texts, that can be searched for and read out, in the reader's own font where it lacks ours.
        """
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        svg = BytesIO()
        with _as_written():
            figure = self.figure()
            # without a date and with names of its own, the same records give the same file
            told = {"Title": figure.get_suptitle(), "Date": None}
            FigureCanvasSVG(figure).print_svg(svg, metadata=told)  # type: ignore[no-untyped-call]
        return for_both(svg.getvalue().decode()).encode()


@contextmanager
def _as_written() -> Iterator[None]:
    from matplotlib import rc_context

    drawing = rc_context(
        {"svg.hashsalt": "spikebench", "svg.fonttype": "none", "text.parse_math": False}
    )
    with drawing, catch_warnings():
        filterwarnings("ignore", "Glyph .* missing from")
        yield
