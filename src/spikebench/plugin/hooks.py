"""The hooks themselves: each a few lines that hand over to the campaign of its spike."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import pytest
from rich.console import Console

from spikebench.cell import Cell
from spikebench.errors import SpikebenchError
from spikebench.plugin.campaign import Campaign
from spikebench.plugin.ending import Ending
from spikebench.plugin.options import add_options, read_options
from spikebench.plugin.progress import Progress
from spikebench.plugin.trial import Trial, clock
from spikebench.record import Record
from spikebench.report import terminal as print_table

CAMPAIGNS = pytest.StashKey[dict[str, Campaign]]()
PROGRESS = pytest.StashKey[Progress]()
TERMINATED = pytest.StashKey[list[int]]()
REFUSED = pytest.StashKey[SpikebenchError]()

interrupted: list[str] = []
"""What interrupted the session; the hook that learns of it is given no session to keep it in."""

WRITTEN = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of a run."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks."""
    config.addinivalue_line("markers", "spike(name): the module's experiments belong to a spike")
    config.addinivalue_line("markers", "scenario(name): the experiment runs this scenario")
    config.addinivalue_line(
        "markers", "faults: something breaks in the middle; run with -m faults, and only then"
    )
    config.pluginmanager.register(Ending(_finish, _tell), "spikebench-ending")
    config.stash[CAMPAIGNS] = {}
    interrupted.clear()
    config.stash[TERMINATED] = []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make an item of each cell and block of the function's scenario."""
    if "trial" not in metafunc.fixturenames:
        return
    spike, scenario = _marked(metafunc, "spike"), _marked(metafunc, "scenario")
    try:
        trials = _campaign(metafunc.config, spike).trials(scenario)
    except SpikebenchError as error:  # told after collection, which would make a traceback of it
        metafunc.config.stash.setdefault(REFUSED, error)
        trials = []
    ids = [f"{cell.key}-block{block}" for cell, block in trials]
    metafunc.parametrize("trial", trials, ids=ids, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drop what the run leaves out, put the rest in blocks, and give them the headline's clock."""
    empty = [item for item in items if _is_of_a_spike(item) and _trial_of(item) is None]
    if empty:
        config.hook.pytest_deselected(items=empty)
        items[:] = [item for item in items if item not in empty]
    for item in items:
        if found := _trial_of(item):
            item.add_marker(pytest.mark.benchmark(timer=clock, group=found[0].scenario.scenario))
    try:
        items.sort(key=lambda item: _place(config, item))
    except SpikebenchError as error:
        config.stash.setdefault(REFUSED, error)
    if refused := config.stash.get(REFUSED, None):
        items.clear()
        pytest.exit(str(refused), returncode=refused.exit_code)


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Say what will be measured and about how long it takes."""
    lines = []
    for name, campaign in config.stash[CAMPAIGNS].items():
        trials = [t for item in items if _spike_of(item) == name and (t := _trial_of(item))]
        if not trials:
            continue
        with _one_clear_error():
            ahead = [trial for trial in trials if not campaign.finished(*trial)]
            cost = campaign.cost(ahead)
        campaign.ahead, seconds = ahead, campaign.seconds(ahead)
        _progress(config).begin(len(trials), seconds)
        _end_on_sigterm(config)
        lines.append(_summary(campaign, trials, len(trials) - len(ahead), seconds, cost))
        lines.extend(filter(None, [campaign.advice(trials)]))
        if config.option.collectonly:
            lines.extend(_cell_lines(campaign, trials))
    return lines


@pytest.fixture
def trial(request: pytest.FixtureRequest) -> Trial:
    """One trial of one cell of the marked scenario."""
    cell, block = request.param
    config = request.config
    campaign = _campaign(config, _marked(request.node, "spike"))
    progress = _progress(config)
    progress.start(cell, block)
    if campaign.finished(cell, block):
        progress.end(cell, None)
        campaign.pass_over()
        pytest.skip("already measured by the run that is gone on with")

    def measure(cell: Cell, block: int) -> Record:
        with _one_clear_error():
            record = campaign.measure(cell, block)
        progress.end(cell, record)
        return record

    return Trial(cell, block, measure, lambda: request.getfixturevalue("benchmark"))


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Keep pytest's letters out of our lines: a trial writes a line of its own."""
    if "spike" not in getattr(report, "keywords", ()):
        return None
    if report.skipped:
        return "not counted", "", ""
    return ("failed" if report.failed else "measured" if report.when == "call" else ""), "", ""


def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Note that a person, or SIGTERM, ended the run: an error of ours comes through here, too."""
    if isinstance(excinfo.value, KeyboardInterrupt):
        interrupted.append(excinfo.typename)


def _finish(session: pytest.Session) -> bool:
    """Stop everything and write the table, whatever happened; 130 for Ctrl-C, 143 for SIGTERM.

    Returns whether the session had a run of ours.
    """
    stash = session.config.stash
    campaigns, written = stash[CAMPAIGNS], stash.setdefault(WRITTEN, [])
    _name_failures(session, campaigns.values())
    for campaign in campaigns.values():
        try:
            campaign.stop()
        except SpikebenchError as error:  # what was measured has its table all the same
            _tell(session, error)
        try:
            written += [str(path) for path in campaign.write()]
        except SpikebenchError as error:
            _tell(session, error)
    if interrupted and campaigns:
        session.exitstatus = 143 if stash[TERMINATED] else 130
    return bool(campaigns)


def _name_failures(session: pytest.Session, campaigns: Iterable[Campaign]) -> None:
    """End with the code of the failed trials' errors where all have the same, instead of with 1."""
    codes = [code for campaign in campaigns for code in campaign.failures]
    alike = len(set(codes)) == 1 and len(codes) == session.testsfailed
    if alike and session.exitstatus == pytest.ExitCode.TESTS_FAILED:
        session.exitstatus = codes[0]


def _tell(session: pytest.Session, error: SpikebenchError) -> None:
    """Say what went wrong at the end, among what was written, and end with its exit code."""
    session.config.stash.setdefault(WRITTEN, []).append(f"error: {error}")
    if not interrupted:
        session.exitstatus = error.exit_code


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(machine_info: dict[str, object]) -> None:
    """Keep the host's name out of pytest-benchmark's files, as it is out of records."""
    machine_info["node"] = ""


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table and say where everything was written."""
    written = config.stash.get(WRITTEN, [])
    if not written:
        return
    for campaign in config.stash[CAMPAIGNS].values():
        if campaign.recorded:
            console = Console(file=config.get_terminal_writer()._file)  # pytest's own, as it was
            with suppress(SpikebenchError):  # among what is written below, if so
                records, spike = campaign.records(), campaign.spike
                print_table(records, campaign.scenarios, console, spike.candidates, spike.layout)
    for path in written:
        terminalreporter.write_line(path if path.startswith("error") else f"wrote {path}")


def _campaign(config: pytest.Config, spike: str) -> Campaign:
    campaigns = config.stash[CAMPAIGNS]
    if spike not in campaigns:
        progress = _progress(config)
        options = read_options(config)
        campaigns[spike] = Campaign(spike, options, progress.say, progress.running)
    return campaigns[spike]


def _progress(config: pytest.Config) -> Progress:
    if PROGRESS not in config.stash:
        terminal: pytest.TerminalReporter | None = config.pluginmanager.get_plugin(
            "terminalreporter"
        )
        assert terminal is not None, "pytest always has one"
        terminal.showfspath = False
        capture = config.pluginmanager.get_plugin("capturemanager")
        config.stash[PROGRESS] = Progress(terminal, capture)
    return config.stash[PROGRESS]


@contextmanager
def _one_clear_error() -> Iterator[None]:
    """End the session with an error's message and exit code instead of a traceback."""
    try:
        yield
    except SpikebenchError as error:
        pytest.exit(str(error), returncode=error.exit_code)


def _end_on_sigterm(config: pytest.Config) -> None:
    """Make SIGTERM end a run as Ctrl-C does: what was measured is kept, everything is stopped."""

    def interrupt(number: int, _: object) -> None:
        config.stash[TERMINATED].append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def _marked(node: pytest.Item | pytest.Metafunc, name: str) -> str:
    """Return the name that a mark of the function or its module gives."""
    definition = node.definition if isinstance(node, pytest.Metafunc) else node
    mark = definition.get_closest_marker(name)
    if mark is None or not mark.args:
        raise pytest.UsageError(f'{definition.nodeid}: takes a trial but has no mark {name}("...")')
    return str(mark.args[0])


def _trial_of(item: pytest.Item) -> tuple[Cell, int] | None:
    """The (cell, block) of an item; None for any other test and for an empty parameter set."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    found = params.get("trial")
    return found if isinstance(found, tuple) else None


def _is_of_a_spike(item: pytest.Item) -> bool:
    return "trial" in getattr(item, "fixturenames", ())


def _spike_of(item: pytest.Item) -> str | None:
    return _marked(item, "spike") if _is_of_a_spike(item) else None


def _place(config: pytest.Config, item: pytest.Item) -> tuple[int, int]:
    found = _trial_of(item)
    if found is None:
        return (-1, 0)
    return _campaign(config, _marked(item, "spike")).place(*found)


def _summary(
    campaign: Campaign,
    trials: list[tuple[Cell, int]],
    already: int,
    seconds: float,
    cost: str,
) -> str:
    cells = len({cell.key for cell, _ in trials})
    blocks = len({block for _, block in trials})
    goes_on = f", {already} of them already measured" if already else ""
    return (
        f"run {campaign.run_id}: {len(trials)} trials of {cells} cells, {blocks} blocks{goes_on}; "
        f"about {round(seconds) // 60} min {round(seconds) % 60} s{cost and f'; {cost}'}"
    )


def _cell_lines(campaign: Campaign, trials: list[tuple[Cell, int]]) -> list[str]:
    """A line a cell: its trials, an estimate of time, and where it runs; money for a sandbox."""
    cells: dict[str, list[tuple[Cell, int]]] = {}
    for trial in trials:
        cells.setdefault(trial[0].key, []).append(trial)
    lines = []
    for key, of_it in cells.items():
        cell = of_it[0][0]
        cost = campaign.cost(of_it) or "no money: nothing of it runs in a cloud account"
        took = f"{len(of_it)} trials of {cell.seconds:.1f} s on {cell.berth.target}"
        what = cell.withheld or took
        lines.append(f"  {key}: {what}; {cost}")
    return lines
