"""Which cells there are in a sandbox, what they are estimated to take and to cost."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from spikebench.cell import Cell
from spikebench.plan import Selection
from spikebench.plan import plan as plan_run
from spikebench.target.cache import Cache
from spikes.serverless.method import METHOD
from spikes.serverless.profiles import PROFILES
from spikes.serverless.sandbox import plan
from spikes.serverless.sandbox.pack import architecture
from spikes.serverless.sandbox.package import Packaged, withheld_in_sandbox
from spikes.serverless.scenario import ColdStart
from spikes.serverless.spike import SPIKE


def cells(profile: str, *candidates: str, target: str = "sandbox") -> list[Cell]:
    selection = Selection(candidates=candidates, target=target)  # type: ignore[arg-type]
    scenarios = SPIKE.read_scenarios()
    return plan_run(SPIKE, scenarios, PROFILES[profile], selection, Cache.open())


def levers(found: Sequence[Cell]) -> set[tuple[str, str]]:
    """Handler and lever of those that are measured."""
    kept = [cell for cell in found if not cell.withheld and not cell.arm]
    return {(cell.scenario.scenario, str(cell.params["lever"])) for cell in kept}


def test_what_is_measured_there_is_what_the_service_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPIKEBENCH_SANDBOX_ACCOUNTS", raising=False)
    handlers, there = ("hello", "json", "spring"), ("baseline", "c1", "snapstart")
    every = {(handler, lever) for handler in handlers for lever in there}
    assert levers(cells("standard", "java-21")) == every - {("spring", "c1")}
    assert levers(cells("standard", "java-11")) == {
        (h, lever) for h in ("hello", "json") for lever in there
    }
    assert levers(cells("standard", "go")) == {("hello", "baseline"), ("json", "baseline")}


def test_here_snapstart_is_withheld_and_flags_of_lambda_are_not() -> None:
    here = levers(cells("standard", "java-21", target="local"))
    assert ("hello", "snapstart") not in here
    assert {("hello", "lambda-flags"), ("hello", "appcds")} <= here


def test_all_that_is_measured_there_says_that_the_service_did_it() -> None:
    assert {(c.berth.target, c.berth.fidelity) for c in cells("standard", "python")} == {
        ("sandbox", "service")
    }


def test_the_services_caches_are_not_ours_to_drop() -> None:
    scenario = SPIKE.read_scenarios()["hello"]
    assert isinstance(scenario, ColdStart)
    dropped = scenario.model_copy(update={"page_cache": "dropped"})
    assert withheld_in_sandbox("java-21", scenario) == ""
    assert "not ours to choose" in withheld_in_sandbox("java-21", dropped)


def test_a_plan_has_a_line_a_cell_with_all_of_its_trials() -> None:
    found = [cell for cell in cells("standard", "java-21") if not cell.arm]
    planned = plan.planned(found * 6)
    plain, snapstart = [(False, 6, 40)] * 5, [(True, 6, 40)] * 3  # spring's c1 is in full alone
    assert sorted((p.snapstart, p.trials, p.warm_invokes) for p in planned) == plain + snapstart
    assert {p.architecture for p in planned} == {architecture()}
    assert plan.planned(cells("standard", "java-21", target="local")) == []


def test_a_cost_is_that_of_the_region_and_nothing_else_has_one() -> None:
    found = cells("standard", "java-21")
    assert METHOD.cost(cells("standard", "java-21", target="local")) == ""
    assert plan.cost([cell for cell in found if cell.withheld], {}) == ""
    here = plan.cost(found, {})
    assert here.startswith("at most about $")
    assert here.endswith("(eu-west-2)")
    assert plan.cost(found, {"AWS_REGION": "nowhere"}) == here
    assert plan.cost(found, {"AWS_REGION": "us-east-1"}).endswith("(us-east-1)")
    unpriced = plan.cost(found, {"AWS_DEFAULT_REGION": "ap-southeast-2"})
    assert unpriced.startswith("not priced in ap-southeast-2: ")
    assert "of lambda.request" in unpriced


def test_putting_up_and_snapshots_take_time_of_their_own() -> None:
    found = [cell for cell in cells("standard", "java-21") if not cell.arm]
    plain = [cell for cell in found if cell.params["lever"] == "baseline"]
    snapshot = [cell for cell in found if cell.params["lever"] == "snapstart"]
    assert plan.seconds([]) == 0
    assert plan.seconds(plain) == plan.STACK_S + 3 * plan.FORCING_S
    assert plan.seconds(snapshot) == plan.seconds(plain) + 3 * plan.SNAPSHOT_S


@pytest.mark.slow
def test_javas_package_holds_jars_for_whichever_java(tmp_path: Path) -> None:
    cache = Cache.open()
    uploads = [
        Packaged(name, "json").make(tmp_path, cache, print) for name in ("java-17", "java-25")
    ]
    assert [upload.runtime for upload in uploads] == ["java17", "java25"]
    assert {upload.handler for upload in uploads} == {"rows.Handler"}
    assert len({upload.digest for upload in uploads}) == 1
    with zipfile.ZipFile(uploads[0].zip_path) as archive:
        names = archive.namelist()
    assert "lib/handler.jar" in names
    assert any(name.startswith("lib/jackson-databind") for name in names)
    assert not any("runtime-interface-client" in name for name in names)


@pytest.mark.slow
def test_other_packages_are_named_by_the_runtime_they_were_built_for(tmp_path: Path) -> None:
    upload = Packaged("python", "hello").make(tmp_path, Cache.open(), print)
    assert upload.runtime.startswith("python3.")
    assert upload.handler == "app.handler"
    key = upload.key()
    upload.zip_path.unlink()
    assert upload.key() == key == f"{upload.digest}.zip"
