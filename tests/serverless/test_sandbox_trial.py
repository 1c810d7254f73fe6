"""Trials against recorded answers of Lambda: the order of calls, and what may not count."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from spikebench.measure.outcome import Outcome
from spikebench.target.sandbox.budget import Budget, BudgetSpent, Use
from spikes.serverless.exchange import Exchange
from spikes.serverless.sandbox.cold import Chiller, Deployed, Setting, variables
from spikes.serverless.sandbox.invoke import Invoker
from spikes.serverless.sandbox.trial import Trials
from spikes.serverless.sandbox.upload import Upload
from spikes.serverless.warm import invokes_until_warm
from tests.synthetic.aws import (
    ACCOUNT,
    LAMBDA_PRICES,
    NUMBER,
    Waits,
    answer,
    report_text,
    stubbed,
)

UPLOAD = Upload(Path("f.zip"), "java21", "example.Handler", {"STAGE": "test"})
FUNCTION = Deployed("f", UPLOAD, timeout_s=60)
EXCHANGE = Exchange(b"{}", "hello")
COLD = report_text(duration=120, billed=921, peak=150, rest="Init Duration: 800.50 ms")
WARM = report_text(duration=4, billed=4, peak=160)
RESTORED = report_text(
    duration=90, billed=140, rest="Restore Duration: 400 ms\tBilled Restore Duration: 50 ms"
)


class Bench:
    """A function at a Lambda whose answers were written down."""

    def __init__(self, *waits_ms: float, usd: float | None = None) -> None:
        self.client, self.lambda_ = stubbed("lambda")
        self.budget = Budget(LAMBDA_PRICES, limit_usd=usd)
        invoker = Invoker(self.client, self.budget, ACCOUNT, Waits(*waits_ms))
        self.trials = Trials(Chiller(self.client, self.budget, ACCOUNT, poll_s=0), invoker)

    def run(self, warm: int = 0, lever: str = "baseline", mark: str = "7") -> Outcome:
        setting = Setting(lever, 1769, warm)
        outcome = self.trials.run(FUNCTION, setting, EXCHANGE, mark)
        self.lambda_.assert_no_pending_responses()
        return outcome

    def expect_change(self, mark: str = "7", **variables_: str) -> None:
        changed = {
            "FunctionName": "f",
            "MemorySize": 1769,
            "Environment": {"Variables": {"STAGE": "test", **variables_, "SPIKEBENCH_TRIAL": mark}},
        }
        self.lambda_.add_response("update_function_configuration", {}, changed)
        for status in ("InProgress", "Successful"):
            found = {"Configuration": {"LastUpdateStatus": status}}
            self.lambda_.add_response("get_function", found, {"FunctionName": "f"})

    def expect_look(
        self, qualifier: str = "$LATEST", mark: str = "7", memory: int = 1769, snap: str = "Off"
    ) -> None:
        found = {
            "MemorySize": memory,
            "Environment": {"Variables": {"SPIKEBENCH_TRIAL": mark}},
            "SnapStart": {"OptimizationStatus": snap},
        }
        asked = {"FunctionName": "f", "Qualifier": qualifier}
        self.lambda_.add_response("get_function_configuration", found, asked)

    def expect_invoke(self, answered: dict[str, Any], qualifier: str = "$LATEST") -> None:
        asked = {
            "FunctionName": "f",
            "Qualifier": qualifier,
            "LogType": "Tail",
            "Payload": b"{}",
        }
        self.lambda_.add_response("invoke", answered, asked)

    def expect_snapshot(self, *states: str) -> None:
        self.lambda_.add_response("publish_version", {"Version": "3"}, {"FunctionName": "f"})
        asked = {"FunctionName": "f", "Qualifier": "3"}
        for state in states:
            found = {"State": state, "StateReason": f"init of {NUMBER} failed"}
            self.lambda_.add_response("get_function_configuration", found, asked)

    def expect_version_gone(self) -> None:
        asked = {"FunctionName": "f", "Qualifier": "3"}
        self.lambda_.add_response("delete_function", {}, asked)


def _values(outcome: Outcome) -> dict[str, float | None]:
    return {name: metric.value for name, metric in outcome.metrics.items()}


def test_a_trial_changes_waits_looks_and_invokes_in_that_order() -> None:
    bench = Bench(1000, *[10] * 6)
    bench.expect_change()
    bench.expect_look()
    bench.expect_invoke(answer(COLD))
    for _ in range(6):
        bench.expect_invoke(answer(WARM))
    outcome = bench.run(warm=6)
    assert outcome.status == "valid"
    values = _values(outcome)
    assert values["init"] == 800.5
    assert values["first_invoke"] == 120
    assert values["cold_start"] == 920.5
    assert values["round_trip"] == 1000
    assert values["billed"] == 921
    assert values["warm_overhead"] == 6
    assert values["unreported"] == pytest.approx(1000 - 920.5 - 6)
    assert values["peak_memory"] == 160
    assert outcome.resources.peak_rss == 160 * 2**20
    assert "restore" not in values


def test_what_cannot_be_known_is_withheld_with_its_reason() -> None:
    bench = Bench(1000, *[10] * 5)
    bench.expect_change()
    bench.expect_look()
    bench.expect_invoke(answer(COLD))
    for _ in range(5):
        bench.expect_invoke(answer(WARM))
    metrics = bench.run(warm=5).metrics
    withheld = {name: m.note for name, m in metrics.items() if m.value is None}
    few = "6 invokes; 40 are needed to see it"
    assert withheld == {
        "runtime_up": "not visible from outside",
        "warm_p50": few,
        "warm_p99": few,
        "invokes_until_warm": few,
        "warm_overhead": "5 invokes, 6 needed",
        "unreported": "5 invokes, 6 needed",
    }


def test_warm_is_what_it_is_locally() -> None:
    bench = Bench(1000, *[10] * 60)
    bench.expect_change()
    bench.expect_look()
    bench.expect_invoke(answer(COLD))
    for duration in [40] * 19 + [4] * 41:
        bench.expect_invoke(answer(report_text(duration=duration)))
    outcome = bench.run(warm=60)
    values = _values(outcome)
    durations = [120.0, *[40.0] * 19, *[4.0] * 41]
    until, why = invokes_until_warm(durations)
    assert why == ""
    assert values["invokes_until_warm"] == until
    assert values["warm_p50"] == 4
    assert outcome.metrics["warm_p50"].n == len(durations) - (until or 0)
    assert outcome.metrics["warm_p99"].note.endswith("warm invokes, 300 are needed")
    assert outcome.series["invoke_ms"] == durations
    assert outcome.series["t"][:3] == pytest.approx([0, 1.0, 1.01])


def test_a_cold_start_that_was_warm_is_void() -> None:
    bench = Bench(20)
    bench.expect_change()
    bench.expect_look()
    bench.expect_invoke(answer(WARM))
    outcome = bench.run(warm=3)  # and no warm invoke is sent
    assert outcome.status == "void"
    assert outcome.reason == "was warm: its REPORT line has no Init Duration"
    assert outcome.metrics == {}


def test_an_environment_that_was_started_ahead_is_void() -> None:
    bench = Bench(150)  # the caller waited less than init and invoke took
    bench.expect_change()
    bench.expect_look()
    bench.expect_invoke(answer(COLD))
    outcome = bench.run()
    assert outcome.status == "void"
    assert outcome.reason.startswith("was started before it was invoked: its caller waited 150 ms")


@pytest.mark.parametrize(("mark", "memory"), [("6", 1769), ("7", 512)])
def test_a_change_that_did_not_take_is_void(mark: str, memory: int) -> None:
    bench = Bench()
    bench.expect_change()
    bench.expect_look(mark=mark, memory=memory)
    outcome = bench.run()
    assert (outcome.status, outcome.reason) == (
        "void",
        "the function's change did not take: it might be warm",
    )


def test_throttled_is_void_with_the_reason() -> None:
    bench = Bench(20)
    bench.expect_change()
    bench.expect_look()
    error = "TooManyRequestsException"
    bench.lambda_.add_client_error("invoke", error, f"Rate exceeded for {NUMBER}", 429)
    outcome = bench.run()
    assert outcome.status == "void"
    assert outcome.reason.startswith("throttled: ")
    assert NUMBER not in outcome.reason
    assert bench.budget.spent_usd == 0


def test_a_throttled_change_is_void_too() -> None:
    bench = Bench()
    error = "TooManyRequestsException"
    bench.lambda_.add_client_error("update_function_configuration", error, "slow down", 429)
    assert bench.run().status == "void"


def test_a_function_that_fails_is_failed_with_its_error() -> None:
    bench = Bench(900)
    bench.expect_change()
    bench.expect_look()
    log = report_text(duration=60000, billed=60800, rest="Init Duration: 800 ms\tStatus: timeout")
    body = json.dumps({"errorMessage": f"{NUMBER} Task timed out after 60.00 seconds"}).encode()
    bench.expect_invoke(answer(log, body, error="Unhandled"))
    outcome = bench.run()
    assert outcome.status == "failed"
    assert outcome.reason.startswith("Unhandled (timeout): ")
    assert "timed out after 60.00 seconds" in outcome.reason
    assert NUMBER not in outcome.reason


@pytest.mark.parametrize("body", [b'"other"', b"hello"])
def test_a_wrong_answer_is_failed(body: bytes) -> None:
    bench = Bench(1000)
    bench.expect_change()
    bench.expect_look()
    bench.expect_invoke(answer(COLD, body))
    outcome = bench.run()
    assert outcome.status == "failed"
    assert "it answered" in outcome.reason


def test_a_report_of_another_request_is_void() -> None:
    bench = Bench(1000)
    bench.expect_change()
    bench.expect_look()
    bench.expect_invoke(answer(COLD, request_id="r-2"))
    outcome = bench.run()
    assert outcome.status == "void"
    assert "no REPORT line of request r-2" in outcome.reason


def test_an_init_that_ran_again_gives_the_sum_alone() -> None:
    bench = Bench(22000)
    bench.expect_change()
    bench.expect_look()
    log = "INIT_REPORT Init Duration: 10008.00 ms\tPhase: init\tStatus: timeout\n" + report_text(
        duration=11000, billed=21008
    )
    bench.expect_invoke(answer(log))
    metrics = bench.run().metrics
    assert metrics["cold_start"].value == 21008
    assert metrics["init"].value is None
    assert metrics["first_invoke"].value is None
    assert metrics["init"].note == (
        "init failed (timeout after 10008 ms) and was run again in the first invoke"
    )


def test_a_warm_invoke_that_was_cold_withholds_the_warm_figures_only() -> None:
    bench = Bench(1000, *[10] * 5, 1000)
    bench.expect_change()
    bench.expect_look()
    bench.expect_invoke(answer(COLD))
    for _ in range(5):
        bench.expect_invoke(answer(WARM))
    bench.expect_invoke(answer(COLD))
    metrics = bench.run(warm=6).metrics
    assert metrics["cold_start"].value == 920.5
    assert metrics["warm_p50"].value is None
    assert metrics["warm_p50"].note == "1 of 6 invokes meant to be warm were cold"


def test_snapstart_publishes_waits_invokes_the_version_and_deletes_it() -> None:
    bench = Bench(600)
    bench.expect_change()
    bench.expect_snapshot("Pending", "Active")
    bench.expect_look("3", snap="On")
    bench.expect_invoke(answer(RESTORED), "3")
    bench.expect_version_gone()
    outcome = bench.run(lever="snapstart")
    assert outcome.status == "valid"
    values = _values(outcome)
    assert values["restore"] == 400
    assert values["init"] is None
    assert values["cold_start"] == 490
    assert outcome.metrics["init"].note == "restored from a snapshot: see restore"


def test_snapstart_that_initialises_is_void_and_the_version_goes() -> None:
    bench = Bench(1000)
    bench.expect_change()
    bench.expect_snapshot("Active")
    bench.expect_look("3", snap="On")
    bench.expect_invoke(answer(COLD), "3")
    bench.expect_version_gone()
    outcome = bench.run(lever="snapstart")
    assert outcome.reason == "was initialised, not restored from its snapshot"


def test_snapstart_that_is_off_is_void() -> None:
    bench = Bench()
    bench.expect_change()
    bench.expect_snapshot("Active")
    bench.expect_look("3", snap="Off")
    bench.expect_version_gone()
    outcome = bench.run(lever="snapstart")
    assert outcome.reason == "SnapStart is off, against what was asked"


def test_a_snapshot_that_fails_is_failed_with_lambdas_reason() -> None:
    bench = Bench()
    bench.expect_change()
    bench.expect_snapshot("Failed")
    outcome = bench.run(lever="snapstart")
    assert outcome.status == "failed"
    assert outcome.reason == "AWS would not make a snapshot: init of …9012 failed"


def test_the_budget_counts_what_lambda_bills() -> None:
    bench = Bench(1000, 10)
    bench.expect_change()
    bench.expect_look()
    bench.expect_invoke(answer(COLD))
    bench.expect_invoke(answer(WARM))
    bench.run(warm=1)
    gb_s = 1769 / 1024 * (0.921 + 0.004)
    assert bench.budget.spent_usd == pytest.approx(gb_s * 0.0000166667 + 2 * 0.20e-6)


def test_an_invoke_whose_report_is_missing_counts_as_the_longest_there_is() -> None:
    bench = Bench(1000)
    bench.expect_change()
    bench.expect_look()
    bench.expect_invoke(answer(""))
    bench.run()
    assert bench.budget.used["lambda.gb_second.x86_64"] == pytest.approx(1769 / 1024 * 70)


def test_it_stops_before_the_invoke_that_might_go_beyond_the_budget() -> None:
    cold_at_most = 1769 / 1024 * 70 * 0.0000166667 + 0.20e-6
    bench = Bench(1000, 50_100, usd=cold_at_most * 1.0001)
    bench.expect_change()
    bench.expect_look()
    bench.expect_invoke(answer(COLD))
    # of 70 s there are 69 left, room for the longest warm invoke (60 s); then only 19
    bench.expect_invoke(answer(report_text(duration=50_000, billed=50_000)))
    with pytest.raises(BudgetSpent, match="is used up"):
        bench.run(warm=9)
    bench.lambda_.assert_no_pending_responses()


def test_a_budget_spent_in_between_leaves_no_version() -> None:
    cold_at_most = 1769 / 1024 * 70 * 0.0000166667
    bench = Bench(usd=1)
    bench.expect_change()
    bench.expect_snapshot("Active")
    bench.expect_look("3", snap="On")
    bench.expect_version_gone()
    spend = bench.budget.spend

    def snapshot_used_much(uses: Iterable[Use]) -> None:
        spend([*uses, Use("lambda.request", (1 - cold_at_most / 2) / 0.20e-6)])

    bench.budget.spend = snapshot_used_much  # type: ignore[method-assign]
    with pytest.raises(BudgetSpent):
        bench.run(lever="snapstart")
    bench.lambda_.assert_no_pending_responses()


def test_no_snapshot_is_made_that_might_go_beyond_the_budget() -> None:
    bench = Bench(usd=1769 / 1024 * 129 * 0.0000166667)
    bench.expect_change()
    with pytest.raises(BudgetSpent):
        bench.run(lever="snapstart")
    bench.lambda_.assert_no_pending_responses()


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_version_goes_whatever_happens(error: type[BaseException]) -> None:
    bench = Bench()
    bench.expect_change()
    bench.expect_snapshot("Active")
    bench.expect_look("3", snap="On")
    bench.expect_version_gone()
    chiller, invoker = bench.trials.chiller, bench.trials.invoker
    with pytest.raises(error), chiller.cold(FUNCTION, Setting("snapstart"), "7", invoker):
        raise error
    bench.lambda_.assert_no_pending_responses()


def test_c1_is_added_to_the_options_there_are() -> None:
    own = Upload(Path("f.zip"), "java21", "h", {"JAVA_TOOL_OPTIONS": "-Xss1m"})
    assert variables(own, "c1", "1")["JAVA_TOOL_OPTIONS"] == (
        "-Xss1m -XX:+TieredCompilation -XX:TieredStopAtLevel=1"
    )
    assert variables(UPLOAD, "baseline", "1") == {"STAGE": "test", "SPIKEBENCH_TRIAL": "1"}
