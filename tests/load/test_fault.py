"""What is done to server and clients for each fault, in which order; the real thing is slow."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast, get_args

import pytest

from spikebench.errors import TargetError
from spikebench.load import fault as module
from spikebench.load.driver import Wiring
from spikebench.load.fault import Injection, Span
from spikebench.load.session import Session
from spikebench.measure.outcome import AWAY, STARTING, Event
from spikebench.scenario.messages import LEADER_FAULTS, Fault, FaultKind
from tests.synthetic.segment import T0_NS, segment

QUICK = {"at_s": 0.1, "down_s": 0, "paused_s": 0.01, "cut_s": 0.01, "away_s": 0, "full_s": 0.01}


@dataclass
class Noting:
    """Stands for a server and a session, and notes what is asked of it."""

    done: list[str] = field(default_factory=list)
    dead: bool = False
    flows: bool = True
    messages: int = 0
    ports = frozenset({5672})
    pids = (1, 2)
    wiring = Wiring("sb-1", {})
    led: str = ""

    def __getattr__(self, name: str) -> Any:
        return lambda: self.done.append(name)

    def alive(self) -> bool:
        return not self.dead

    def leader_of(self, name: str) -> Noting:
        self.led = name
        return self

    def received(self) -> int:
        self.messages += self.flows
        return self.messages


def injected(kind: FaultKind, noting: Noting) -> Injection:
    planned = Fault.model_validate({"kind": kind, **QUICK})
    injection = Injection(planned, cast(Session, noting), noting, lambda _: None)
    injection.run()
    return injection


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        ("kill-broker", ["crash", "start_again"]),
        ("kill-broker-holding", ["crash", "start_again", "attach"]),
        ("pause-broker", ["pause", "resume"]),
        ("kill-consumer", ["kill_consumer", "replace_consumer"]),
        ("fill-disk", ["fill_disk", "free_disk"]),
        ("kill-leader", ["crash", "start_again"]),
        ("pause-leader", ["pause", "resume"]),
    ],
)
def test_a_fault_is_put_in_and_taken_out(kind: FaultKind, done: list[str]) -> None:
    noting = Noting()
    injection = injected(kind, noting)
    assert noting.done == done
    assert injection.began_ns > 0
    assert injection.restarts == 0
    assert noting.led == ("sb-1" if kind in LEADER_FAULTS else "")


def test_every_kind_is_known() -> None:
    assert set(module._KINDS) == set(get_args(FaultKind))


@pytest.mark.parametrize("dead", [True, False])
def test_a_server_that_does_not_come_back_by_itself_is_started(
    dead: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.3)
    noting = Noting(dead=dead, flows=False)
    assert injected("fill-disk", noting).restarts == 1
    assert noting.done[2:] == (["start_again"] if dead else ["crash", "start_again"])


def test_connections_are_cut_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, Any]] = []

    def cut(pids: Any, ports: Any) -> int:
        asked.append((pids, ports))
        return 1

    monkeypatch.setattr(module, "cut", cut)
    injected("cut-connection", Noting())
    assert len(asked) > 1
    assert set(asked) == {((1, 2), frozenset({5672}))}


def test_nothing_to_cut_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cut", lambda *_: 0)
    with pytest.raises(TargetError, match="no connection to cut"):
        injected("cut-connection", Noting())


def test_what_was_rejected_is_told_apart_from_what_a_lost_connection_took() -> None:
    refusals = {"the connection was lost: EOF": 7, "the broker refused it": 3, "too large": 1}
    found = module._rejected(segment(20, refusals=refusals))["rejected"]
    assert (found.value, found.note) == (4, "the broker refused it")
    assert module._rejected(segment(20, refusals={"the connection was lost: EOF": 7})) == {}


@pytest.mark.parametrize(
    ("kind", "spans"),
    [
        ("kill-broker", ["kill-broker", STARTING]),
        ("kill-broker-holding", ["kill-broker-holding", STARTING]),
        ("pause-broker", ["pause-broker"]),
        ("kill-consumer", ["kill-consumer", STARTING]),
        ("fill-disk", ["fill-disk"]),
        ("kill-leader", ["kill-leader", STARTING]),
        ("pause-leader", ["pause-leader"]),
    ],
)
def test_a_fault_ends_where_it_is_undone_and_a_start_follows(
    kind: FaultKind, spans: list[str]
) -> None:
    injection = injected(kind, Noting())
    assert [span.what for span in injection.spans] == spans
    times = [at for span in injection.spans for at in (span.began_ns, span.ended_ns)]
    assert times == sorted(times)
    assert injection.began_ns == times[0]


def test_a_start_by_hand_is_told_apart_from_the_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    injection = injected("fill-disk", Noting(flows=False))
    assert [span.what for span in injection.spans] == ["fill-disk", STARTING]


def test_events_are_in_the_segments_own_time_and_tell_when_consumers_were_away() -> None:
    injection = injected("kill-broker", Noting())
    injection.spans = [
        Span("kill-broker", T0_NS + 2 * 10**9, T0_NS + 3 * 10**9),
        Span(STARTING, T0_NS + 3 * 10**9, T0_NS + 4_500_000_000),
    ]
    expected = (
        Event(what="kill-broker", began_s=2, ended_s=3),
        Event(what=STARTING, began_s=3, ended_s=4.5),
    )
    assert module._events(injection, segment(20)) == expected
    attached = replace(segment(20), attached_ns=T0_NS + 5 * 10**9)
    away = Event(what=AWAY, began_s=0, ended_s=5)
    assert module._events(injection, attached) == (away, *expected)
