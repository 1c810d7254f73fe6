"""Building the site: every page from records, decisions and the project's own documents."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from spikebench.errors import RecordError, UsageError
from spikebench.record.trials import Trials
from spikebench.report.drawn import drawn
from spikebench.report.faults import HOW_TO_READ, Fault, losses
from spikebench.report.faults import to_csv as faults_csv
from spikebench.report.layout import Layout, load
from spikebench.report.plotted import by_section
from spikebench.report.table import Row
from spikebench.report.tidy import to_csv
from spikebench.report.timeline import of_faults, plots
from spikebench.scenario.model import Scenario
from spikebench.site import fault_history, faults
from spikebench.site.addresses import Addresses, href
from spikebench.site.decision import Decision, read_decisions
from spikebench.site.fault_history import FaultHistory
from spikebench.site.grid import Grid, Heading, Line, words
from spikebench.site.history import History, anchor, gather, key
from spikebench.site.pages import Pages
from spikebench.site.prose import render
from spikebench.site.run import Run, latest, latest_of_faults, runs_of, versions
from spikebench.site.section import compared, show
from spikebench.spike import Spike

MARK = ".spikebench-site"
"""The file that says that a folder holds a site of ours, which may be replaced."""

DOCUMENTS = {"method": "Method", "glossary": "Glossary"}
"""The project's own texts that become pages, with their names in the navigation."""


@dataclass(frozen=True)
class Told:
    """A spike with its runs, the latest first."""

    spike: Spike
    scenarios: dict[str, Scenario]
    layout: Layout
    runs: tuple[Run, ...]
    history: History
    fault_history: FaultHistory

    @property
    def page(self) -> str:
        """Its own page."""
        return f"spikes/{self.spike.name}/index.html"

    @property
    def history_page(self) -> str:
        """The page of its cells' histories."""
        return f"spikes/{self.spike.name}/history.html"

    def page_of(self, run: Run) -> str:
        """The page of one of its runs."""
        return f"spikes/{self.spike.name}/{run.run_id}/index.html"


def build(spikes: Sequence[Spike], results: Path, docs: Path, out: Path) -> Path:
    """Write the site into ``out`` and return its first page.

    An earlier site there is replaced, whole, once the new one is. Raises UsageError where ``out``
    holds anything else; RecordError for records or decisions that cannot be read, and where the
    folder cannot be written.
    """
    _refuse_others(out)
    part = out.with_name(f".{out.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        _Site(spikes, results, docs, part).write()
        (part / MARK).touch()
        if out.exists():
            shutil.rmtree(out)
        part.replace(out)
    except OSError as error:
        raise RecordError(
            f"{out}: the site could not be written: {error.strerror}; the records are intact: "
            "make room or mend the permissions, then run: spikebench site"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return out / "index.html"


def _refuse_others(out: Path) -> None:
    if out.is_dir() and (not any(out.iterdir()) or (out / MARK).is_file()):
        return
    if out.exists():
        raise UsageError(
            f"{out}: exists and is no site of spikebench's; name another folder with --out"
        )


class _Site:
    def __init__(self, spikes: Sequence[Spike], results: Path, docs: Path, out: Path) -> None:
        self.results, self.docs, self.out = results, docs, out
        self.told = [_tell(spike, results) for spike in spikes]
        self.decisions = read_decisions(results / "decisions")
        self.documents = [name for name in DOCUMENTS if (docs / f"{name}.md").is_file()]
        self.addresses = Addresses(results)
        self.pages = Pages(out, [(f"{name}.html", DOCUMENTS[name]) for name in self.documents])

    def write(self) -> None:
        self._place()
        self.pages.write_static()
        self._index()
        for told in self.told:
            self._spike(told)
        for decision in self.decisions:
            self._decision(decision)
        for name in self.documents:
            self._document(name)
        for file, place in self.addresses.carried.items():
            _copy(file, self.out / place)

    def _place(self) -> None:
        put = self.addresses.put
        for name in self.documents:
            put(self.docs / f"{name}.md", f"{name}.html")
        for decision in self.decisions:
            put(decision.path, _decision_page(decision))
        for told in self.told:
            folder = self.results / told.spike.name
            for run in told.runs:
                put(run.path, told.page_of(run))
            if (broken := latest_of_faults(told.runs)) is not None:
                put(folder / "faults.md", told.page_of(broken))
            put(folder / "table.md", told.page)

    def _index(self) -> None:
        page = "index.html"
        spikes = [
            (told.spike, href(page, told.page), latest(told.runs), len(told.runs))
            for told in self.told
        ]
        decisions = self._listed(self.decisions, page)
        self.pages.write(page, "index.html", spikes=spikes, decisions=decisions)

    def _decision(self, decision: Decision) -> None:
        page = _decision_page(decision)
        address = self.addresses.of(decision.path, page)
        matter = {name: decision.told(name, address) for name in decision.matter}
        self.pages.write(
            *(page, "decision.html"),
            title=decision.title,
            matter=matter,
            review=decision.review,
            html=decision.html(address),
        )

    def _listed(self, decisions: Sequence[Decision], page: str) -> list[dict[str, str]]:
        """Title, page, status, date and review of decisions, as ``page`` shows them in a list."""
        return [
            {
                "title": one.title,
                "href": href(page, _decision_page(one)),
                "status": one.told("status", self.addresses.of(one.path, page)),
                "date": one.told("date", self.addresses.of(one.path, page)),
                "review": one.review,
            }
            for one in decisions
        ]

    def _document(self, name: str) -> None:
        page, file = f"{name}.html", self.docs / f"{name}.md"
        prose = render(file.read_text(encoding="utf-8"), self.addresses.of(file, page))
        self.pages.write(page, "document.html", prose=prose)

    def _spike(self, told: Told) -> None:
        shown = latest(told.runs)
        for run in told.runs:
            self._files(told, run)
        for run in told.runs:
            self._run(told, run, told.page_of(run))
        self._run(told, shown, told.page, runs=_runs(told))
        histories = told.history.told(told.scenarios, told.layout)
        self.pages.write(
            *(told.history_page, "history.html"),
            spike=told.spike,
            up=href(told.history_page, told.page),
            histories=histories,
            broken=told.fault_history.told(told.scenarios),
        )

    def _files(self, told: Told, run: Run) -> None:
        """Lay a run's evidence, its tidy table and its plots beside its page."""
        folder = (self.out / told.page_of(run)).parent
        folder.mkdir(parents=True, exist_ok=True)
        if run.broken:
            (folder / "faults.csv").write_text(faults_csv(run.broken), encoding="utf-8")
        shutil.copyfile(run.path, folder / "records.jsonl")
        if run.table.sections:
            (folder / "table.csv").write_text(to_csv(run.table), encoding="utf-8")
            drawn(told.layout.drawings(run.table), folder)
        if run.broken:
            drawn(of_faults(plots(run.broken)), folder)

    def _run(self, told: Told, run: Run | None, page: str, runs: Grid | None = None) -> None:
        beside = None if run is None else (self.out / told.page_of(run)).parent
        history = partial(_history, told, page)
        broken = partial(_fault_history, told, page)
        table = run.table if run else None
        sections = [show(one, told.layout, history) for one in table.sections] if table else []
        self.pages.write(
            *(page, "spike.html" if runs is not None else "run.html"),
            spike=told.spike,
            up=href(page, told.page),
            history=href(page, told.history_page),
            run=run,
            runs=runs,
            beside=href(page, told.page_of(run).removesuffix("/index.html")) if run else "",
            has_csv=bool(table and table.sections),
            table=table,
            how_to_read=_how_to_read(told, run),
            losses=losses(run.broken) if run else [],
            sections=sections,
            plots=_plots([one.name for one in sections], beside),
            broken=faults.show(run.broken, told.scenarios, broken) if run else [],
            itself=compared(table.itself, "itself", "Cells that were measured twice, A and B")
            if table and table.itself
            else None,
            versions=versions(table) if table else [],
            decisions=self._listed(
                [one for one in self.decisions if one.matter.get("spike") == told.spike.name], page
            ),
        )


def _tell(spike: Spike, results: Path) -> Told:
    scenarios = spike.read_scenarios()
    runs = runs_of(spike, scenarios, results)
    earliest_first = list(reversed(runs))
    pages = {run.run_id: f"{run.run_id}/index.html" for run in runs}
    return Told(
        spike,
        scenarios,
        load(spike.layout),
        tuple(runs),
        gather([(run.run_id, run.begun, pages[run.run_id], run.table) for run in earliest_first]),
        fault_history.gather(
            [(run.run_id, pages[run.run_id], run.broken) for run in earliest_first]
        ),
    )


def _history(told: Told, page: str, row: Row) -> tuple[str, str]:
    return _runs_of_cell(told, page, row.cell, told.history.runs(row))


def _fault_history(told: Told, page: str, fault: Fault) -> tuple[str, str]:
    return _runs_of_cell(told, page, fault.cell, told.fault_history.runs(fault))


def _runs_of_cell(told: Told, page: str, cell: Trials, count: int) -> tuple[str, str]:
    if not count:
        return "", ""
    address = f"{href(page, told.history_page)}#{anchor(key(cell))}"
    return f"{count} run{'' if count == 1 else 's'}", address


def _how_to_read(told: Told, run: Run | None) -> str:
    """What a reader must know of the tables that a run's page has, as HTML."""
    whole = [told.layout.how_to_read] if run and run.table.sections else []
    broken = [HOW_TO_READ] if run and run.broken else []
    return render("\n\n".join([*whole, *broken]), lambda _: None).html


def _runs(told: Told) -> Grid:
    headings = (
        Heading("run"),
        Heading("began"),
        Heading("scenarios"),
        Heading("trials", figures=True),
        Heading("void", figures=True),
    )
    lines = tuple(
        Line(
            (
                words(run.run_id, href=href(told.page, told.page_of(run))),
                words(run.begun[:16].replace("T", " ")),
                words(run.kind),
                words(str(run.valid)),
                words(str(run.void)),
            )
        )
        for run in told.runs
    )
    return Grid("runs", "All runs, the latest first", headings, lines)


def _plots(names: Sequence[str], folder: Path | None) -> dict[str, list[str]]:
    """The plots of each section: those whose file is named for it."""
    return by_section(sorted(file.name for file in folder.iterdir()) if folder else [], names)


def _decision_page(decision: Decision) -> str:
    return f"decisions/{decision.name}.html"


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)
