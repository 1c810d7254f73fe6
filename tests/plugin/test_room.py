"""What is said before a run whose blocks are too few for the comparisons it declares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from spikebench.candidate import Client
from spikebench.cell import Cell
from spikebench.plugin.room import advice, comparisons
from spikebench.record.trials import by_cell
from spikebench.report.declared import declared
from spikebench.scenario.model import Scenario
from spikebench.target.fleet import Berth
from tests.report import synthetic as messages
from tests.serverless import cold_starts
from tests.synthetic.workload import candidate

SOFTWARE = Berth("local", "software")
EMULATOR = Berth("local", "emulator")


def cell(scenario: Scenario, name: str, client: str = "java", **changes: Any) -> Cell:
    its = Client(client, "java", "x.Y", "x")
    return replace(Cell("tiny", scenario, candidate(name), its, SOFTWARE), **changes)


def brokers() -> list[Cell]:
    """Two scenarios of three brokers, two rates, two clients, and what is compared with nothing."""
    found: list[Cell] = []
    for scenario in (messages.scenario("change-data"), messages.scenario("backlog")):
        for rate in (100, 200):
            at: dict[str, Any] = {"params": {"rate_per_s": rate}}
            found += [
                cell(scenario, name, client, **at)
                for name in ("rabbitmq-quorum", "rabbitmq-classic", "kafka")
                for client in ("java", "python")
            ]
            found += [
                cell(scenario, "null", **at),
                cell(scenario, "sqs-fifo", berth=EMULATOR, **at),
                cell(scenario, "rabbitmq-quorum", arm="A/A", **at),
                cell(scenario, "rabbitmq-stream", withheld="it cannot share", **at),
                cell(scenario, "kinesis", berth=replace(SOFTWARE, reason="none is here"), **at),
            ]
    return found


def starts() -> list[Cell]:
    """Cold starts, which also meet their own candidate's without a lever."""
    scenario = cold_starts.scenario()
    return [
        cell(scenario, name, cold_starts.CLIENTS[name], params={"lever": lever})
        for name, lever in cold_starts.STARTS
    ]


def measured(cells: Sequence[Cell], make: Any, metric: str) -> int:
    """How many comparisons with a p value there are, once each cell has six trials."""
    records = [
        make(
            c.candidate.name,
            block=block,
            values={metric: 5.0 + 0.1 * block + 0.3 * place},
            scenario=c.scenario.scenario,
            client=c.client.name,
            params=c.params,
            arm=c.arm,
            fidelity=c.berth.fidelity,
        )
        for place, c in enumerate(cells)
        if not c.withheld and c.berth.available
        for block in range(6)
    ]
    scenarios = {c.scenario.scenario: c.scenario for c in cells}
    found = declared(by_cell(records), scenarios)
    return sum(one.comparison.p_different is not None for one in found)


def test_as_many_comparisons_are_foreseen_as_a_run_of_brokers_then_has() -> None:
    assert comparisons(brokers()) == 16
    assert measured(brokers(), messages.record, "end_to_end_p50") == 16


def test_as_many_are_foreseen_as_a_run_of_cold_starts_then_has() -> None:
    assert comparisons(starts()) == 8
    assert measured(starts(), cold_starts.record, "cold_start") == 8


def test_without_its_baseline_nothing_is_compared() -> None:
    without = [c for c in brokers() if c.candidate.name != "rabbitmq-quorum"]
    assert comparisons(without) == 0
    assert advice(without, 6) == ""


@pytest.mark.parametrize(
    ("rates", "blocks", "asked_for"),
    [(23, 6, ""), (24, 6, "--trials 7"), (24, 7, ""), (86, 7, "--trials 8"), (24, 5, "")],
)
def test_a_run_too_wide_for_its_blocks_is_told_how_many_would_do(
    rates: int, blocks: int, asked_for: str
) -> None:
    """Two comparisons a rate: 46 for six blocks and 171 for seven are the most."""
    scenario = messages.scenario()
    cells = [
        cell(scenario, name, params={"rate_per_s": rate})
        for name in ("rabbitmq-quorum", "rabbitmq-classic", "kafka")
        for rate in range(rates)
    ]
    told = advice(cells, blocks)
    assert bool(told) == bool(asked_for)
    assert asked_for in told
    assert not told or told.startswith(f"{2 * rates} comparisons are declared, and {blocks} trials")
