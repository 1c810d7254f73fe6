"""What is uploaded, what a template says of it, and what it is estimated to cost."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from pathlib import Path

import pytest

from spikebench.cost.prices import read_prices
from spikebench.errors import ScenarioError, TargetError
from spikes.serverless.function import Function
from spikes.serverless.sandbox import upload as uploads
from spikes.serverless.sandbox.cost import Planned, at_most, estimate
from spikes.serverless.sandbox.pack import pack, pack_jars
from spikes.serverless.sandbox.prices import BookPrices, prices_of
from spikes.serverless.sandbox.template import foundation, function
from spikes.serverless.sandbox.upload import Upload, effective_flags, withheld

ROOT = Path(__file__).parents[2]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("example/Handler.class", b"x" * 1000)
    return path


def test_a_package_is_named_by_its_content(package: Path, tmp_path: Path) -> None:
    same, other = tmp_path / "same.zip", tmp_path / "other.zip"
    same.write_bytes(package.read_bytes())
    other.write_bytes(package.read_bytes() + b"!")
    key = Upload(package, "java21", "h").key()
    assert Upload(same, "java17", "h").key() == key
    assert Upload(other, "java21", "h").key() != key


def test_what_lambda_would_not_take_is_refused(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(TargetError, match=r"text\.zip is no package"):
        Upload(tmp_path / "text.zip", "java21", "h").checked()
    with pytest.raises(TargetError, match=r"gone\.zip is no package"):
        Upload(tmp_path / "gone.zip", "java21", "h").checked()
    assert Upload(package, "java21", "h").checked().runtime == "java21"
    monkeypatch.setattr(uploads, "UNZIPPED_LIMIT_BYTES", 999)
    with pytest.raises(TargetError, match="above Lambda's"):
        Upload(package, "java21", "h").checked()


def test_levers_are_withheld_where_they_mean_nothing() -> None:
    java, go = "java21", "provided.al2023"
    assert [withheld(java, lever) for lever in ("baseline", "c1", "snapstart")] == ["", "", ""]
    assert withheld(go, "baseline") == ""
    assert withheld(go, "native") == ""
    assert withheld(go, "c1") == "c1: a lever of Java only"
    assert withheld(go, "snapstart") == "snapstart: a lever of Java only"
    assert withheld(java, "native") == (
        "native: the package is for java21: no native image is built"
    )
    assert "the very JVM that wrote it" in withheld(java, "appcds+c1")
    assert "the very JVM that wrote it" in withheld(java, "aot-cache")
    assert withheld(java, "snapshot") == "snapshot: the service has SnapStart"
    assert "the baseline there" in withheld(java, "lambda-flags")
    assert "the baseline there" in withheld(java, "lambda-runtime")
    assert withheld(java, "magic") == "magic: not known in a sandbox"


@pytest.mark.parametrize(
    ("runtime", "lever", "flags"),
    [
        ("java11", "baseline", "C1 and C2"),
        ("java11", "c1", "C1 only"),
        ("java17", "baseline", "C1 only"),
        ("java21", "snapstart", "C1 only"),
        ("java25", "baseline", "C1 only"),
        ("java25", "snapstart", "C1 and C2"),
        ("java11.al2023", "baseline", "C1 and C2"),
        ("python3.13", "baseline", ""),
    ],
)
def test_it_is_told_what_lambda_sets_by_itself(runtime: str, lever: str, flags: str) -> None:
    assert effective_flags(runtime, lever) == flags


def test_a_function_runs_as_the_stacks_role_with_a_text_log(package: Path) -> None:
    upload = Upload(package, "java21", "h", {"A": "1"}, "arm64")
    properties = function(upload, True, 512, 60)["Properties"]
    assert properties["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert properties["Architectures"] == ["arm64"]
    assert properties["LoggingConfig"]["LogFormat"] == "Text"
    assert properties["Code"]["S3Key"] == upload.key()
    assert "SnapStart" not in function(upload, False, 512, 60)["Properties"]
    references = json.dumps(properties)
    assert all(f'"{name}"' in references for name in foundation())


def test_the_role_may_write_its_log_and_nothing_else() -> None:
    (policy,) = foundation()["FunctionRole"]["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert statement["Resource"] == {"Fn::GetAtt": ["Log", "Arn"]}


def _function(folder: Path, **environ: str) -> Function:
    return Function(("x",), folder, {"_HANDLER": "h", **environ}, 1)


def test_a_folder_is_packed_as_it_is_with_what_may_be_executed(tmp_path: Path) -> None:
    root = tmp_path / "package"
    (root / "sub").mkdir(parents=True)
    (root / "bootstrap").write_bytes(b"binary")
    (root / "bootstrap").chmod(0o755)
    (root / "sub" / "data").write_bytes(b"data")
    upload = pack(_function(root), tmp_path / "f.zip")
    assert (upload.runtime, upload.handler) == ("provided.al2023", "h")
    with zipfile.ZipFile(upload.zip_path) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        assert archive.read("sub/data") == b"data"
    assert modes == {"bootstrap": 0o100755, "sub/data": 0o100644}
    assert pack(_function(root), tmp_path / "again.zip").key() == upload.key()


def test_jars_go_to_lib_and_nothing_else_is_packed(tmp_path: Path) -> None:
    for name in ("handler.jar", "b.jar", "sizes.json"):
        (tmp_path / name).write_bytes(name.encode())
    jars = [tmp_path / "handler.jar", tmp_path / "b.jar"]
    upload = pack_jars(jars, "java21", "example.Handler", tmp_path / "f.zip")
    assert (upload.runtime, upload.handler) == ("java21", "example.Handler")
    with zipfile.ZipFile(upload.zip_path) as archive:
        assert archive.namelist() == ["lib/b.jar", "lib/handler.jar"]


def test_the_price_book_prices_every_dimension_of_an_estimate() -> None:
    path = ROOT / "scenarios" / "prices" / "eu-west-2.yaml"
    prices = BookPrices(read_prices(path, today=date(2026, 11, 25)))
    assert prices.price("lambda.request") == pytest.approx(0.20e-6)
    assert prices.price("lambda.gb_second.x86_64") == 0.0000166667
    assert prices.price("lambda.gb_second.arm64") == 0.0000133334
    assert prices.price("lambda.anything") is None


def test_a_region_without_a_book_has_no_prices(tmp_path: Path) -> None:
    assert prices_of("eu-west-2").price("lambda.request") == pytest.approx(0.20e-6)
    assert prices_of("ap-southeast-2").price("lambda.request") is None
    (tmp_path / "eu-west-2.yaml").write_text("region: [")
    with pytest.raises(ScenarioError, match=r"eu-west-2\.yaml:1"):
        prices_of("eu-west-2", tmp_path)


def test_an_estimate_counts_trials_invokes_and_gigabyte_seconds() -> None:
    plans = [
        Planned(1024, "x86_64", snapstart=False, trials=10, warm_invokes=300),
        Planned(2048, "x86_64", snapstart=True, trials=1, warm_invokes=0),
        Planned(512, "arm64", snapstart=False, trials=2, warm_invokes=10),
    ]
    uses = {use.dimension: use.amount for use in estimate(plans)}
    assert uses == pytest.approx(
        {
            "lambda.gb_second.x86_64": 10 * (12 + 300 * 0.1) + 2 * (12 + 20),
            "lambda.gb_second.arm64": 0.5 * 2 * (12 + 10 * 0.1),
            "lambda.request": 10 * 301 + 1 + 2 * 11,
        }
    )


def test_an_invoke_costs_at_most_its_time_out_and_a_cold_one_its_init_too() -> None:
    request, warm = at_most(2048, "arm64", 60, cold=False)
    assert (request.amount, warm.amount) == (1, 120)
    assert at_most(2048, "arm64", 60, cold=True)[1].amount == 140
