"""The parser of REPORT lines against AWS's own examples, and against any line it could write."""

from __future__ import annotations

import base64
import random
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikes.serverless.sandbox.report_line import (
    FailedInit,
    NoReport,
    Report,
    decode_tail,
    parse_report,
)

# docs.aws.amazon.com/lambda/latest/dg/java-logging.html
JAVA = (
    "START RequestId: 6bc28136-xmpl-4365-b021-0ce6b2e64ab0 Version: $LATEST\n"
    "ENVIRONMENT VARIABLES: \n{}\n"
    "END RequestId: 6bc28136-xmpl-4365-b021-0ce6b2e64ab0\n"
    "REPORT RequestId: 6bc28136-xmpl-4365-b021-0ce6b2e64ab0\tDuration: 198.50 ms\t"
    "Billed Duration: 200 ms\tMemory Size: 512 MB\tMax Memory Used: 90 MB\tInit Duration: 524.75 ms"
)

# docs.aws.amazon.com/lambda/latest/dg/ruby-logging.html: blanks for tabs
RUBY = (
    "REPORT RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95  Duration: 15.74 ms  "
    "Billed Duration: 16 ms Memory Size: 128 MB Max Memory Used: 56 MB  Init Duration: 130.49 ms"
)

# a README of aws-samples, of a Java function under SnapStart; billed is ceil(306.34 + 303)
RESTORED = (
    "REPORT RequestId: b771fecc-1b53-4faf-922d-1d74357b1676\tDuration: 306.34 ms\t"
    "Billed Duration: 610 ms\tMemory Size: 3009 MB\tMax Memory Used: 155 MB\t"
    "Restore Duration: 511.25 ms\tBilled Restore Duration: 303 ms\t\n"
)

TRACED = (
    "REPORT RequestId: 24addd09 Duration: 127.10 ms Billed Duration: 154 ms Memory Size: 2048 MB "
    "Max Memory Used: 212 MB Restore Duration: 325.93 ms Billed Restore Duration: 26 ms "
    "XRAY TraceId: 1-66d978e5-56c7378e556e94b5461da07c SegmentId: 29c3839e6ecb5895 Sampled: true"
)

# the order of lines in the tail is one that was seen
INIT_AGAIN = (
    "INIT_REPORT Init Duration: 10337.01 ms\tPhase: init\tStatus: timeout\n"
    "INIT_REPORT Init Duration: 45045.69 ms\tPhase: invoke\tStatus: error\tError Type: "
    "Runtime.Unknown\n"
    "START RequestId: r Version: $LATEST\nEND RequestId: r\n"
    "REPORT RequestId: r\tDuration: 45100.00 ms\tBilled Duration: 55438 ms\tMemory Size: 256 MB\t"
    "Max Memory Used: 250 MB\tStatus: error\tError Type: Runtime.Unknown\n"
)


def test_a_cold_invoke_of_java_as_in_the_documentation() -> None:
    assert parse_report(JAVA) == Report(
        "6bc28136-xmpl-4365-b021-0ce6b2e64ab0", 198.5, 200, 512, 90, init_ms=524.75
    )


def test_blanks_serve_for_tabs() -> None:
    report = parse_report(RUBY)
    assert (report.duration_ms, report.init_ms, report.peak_memory_mb) == (15.74, 130.49, 56)


def test_a_restored_invoke_has_no_init() -> None:
    report = parse_report(RESTORED)
    assert (report.init_ms, report.restore_ms, report.billed_restore_ms) == (None, 511.25, 303)
    assert report.start_ms == 511.25
    assert report.billed_ms == 610


def test_tracing_is_passed_over() -> None:
    report = parse_report(TRACED)
    assert (report.duration_ms, report.billed_ms, report.memory_mb) == (127.1, 154, 2048)
    assert report.status == ""


def test_an_init_that_ran_into_its_limit_is_known_from_the_line_before() -> None:
    report = parse_report(INIT_AGAIN)
    assert report.failed_init == FailedInit(10337.01, "timeout")
    assert (report.start_ms, report.duration_ms) == (None, 45100)
    assert (report.status, report.error_type) == ("error", "Runtime.Unknown")


def test_a_warm_invoke_has_neither() -> None:
    report = parse_report(re.sub(r"\tInit Duration.*", "", JAVA))
    assert report.start_ms is None
    assert report.failed_init is None


def test_what_a_function_prints_is_not_taken_for_the_platforms_line() -> None:
    forged = JAVA.replace("ENVIRONMENT", RUBY + "\nENVIRONMENT")
    assert parse_report(forged).duration_ms == 198.5
    assert parse_report(JAVA + "\n" + RUBY, "6bc28136-xmpl-4365-b021-0ce6b2e64ab0").duration_ms == (
        198.5
    )


@pytest.mark.parametrize(
    ("log", "why"),
    [
        ("", "no REPORT line"),
        ("INIT_REPORT RequestId: r\tDuration: 1 ms", "no REPORT line"),
        ("RESTORE_REPORT RequestId: r\tDuration: 1 ms", "no REPORT line"),
        (JAVA.replace("\tDuration: 198.50 ms", ""), "has no Duration"),
        (JAVA.replace("Memory Size: 512 MB\t", ""), "has no Memory Size"),
        (JAVA + "\tInit Duration: 3 ms", "Init Duration twice"),
        (JAVA.replace("90 MB", "90 ms"), "Max Memory Used in ms"),
        (JAVA.replace("Duration: 198.50 ms", "Duration: 0.19 s"), "has no Duration"),
    ],
)
def test_what_is_not_certain_is_not_read(log: str, why: str) -> None:
    with pytest.raises(NoReport, match=why):
        parse_report(log)


def test_another_requests_line_is_not_taken() -> None:
    with pytest.raises(NoReport, match="of request other"):
        parse_report(JAVA, "other")


def test_a_tail_is_base64_and_may_begin_within_a_letter() -> None:
    cut = "né REPORT".encode()[2:]
    assert decode_tail(base64.b64encode(cut).decode()) == "� REPORT"
    with pytest.raises(NoReport, match="can't be read"):
        decode_tail("*")
    assert decode_tail("") == ""


MS = st.integers(0, 90_000_000).map(lambda hundredths: hundredths / 100)
MB = st.integers(1, 10_240)
NOISE = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=40).filter(
    lambda text: "REPORT" not in text
)
TOKEN = st.text("abcdef0123456789-", min_size=1, max_size=36)


@st.composite
def _reports(draw: st.DrawFn) -> Report:
    start = draw(st.sampled_from(["warm", "init", "restore"]))
    return Report(
        request_id=draw(TOKEN),
        duration_ms=draw(MS),
        billed_ms=draw(MS.map(round)),
        memory_mb=draw(MB),
        peak_memory_mb=draw(MB),
        init_ms=draw(MS) if start == "init" else None,
        restore_ms=draw(MS) if start == "restore" else None,
        billed_restore_ms=draw(MS.map(round)) if start == "restore" else None,
        status=draw(st.sampled_from(["", "error", "timeout"])),
    )


def _written(report: Report) -> list[str]:
    fields = {
        "Duration": (report.duration_ms, "ms"),
        "Billed Duration": (report.billed_ms, "ms"),
        "Memory Size": (report.memory_mb, "MB"),
        "Max Memory Used": (report.peak_memory_mb, "MB"),
        "Init Duration": (report.init_ms, "ms"),
        "Restore Duration": (report.restore_ms, "ms"),
        "Billed Restore Duration": (report.billed_restore_ms, "ms"),
    }
    parts = [
        f"{name}: {value} {unit}" for name, (value, unit) in fields.items() if value is not None
    ]
    return parts + ([f"Status: {report.status}"] if report.status else [])


@given(_reports(), st.sampled_from(["\t", " ", "  ", " \t"]), NOISE, st.randoms())
def test_any_line_is_read_back_whatever_its_order(
    report: Report, separator: str, noise: str, order: random.Random
) -> None:
    parts = _written(report)
    order.shuffle(parts)
    line = separator.join([f"REPORT RequestId: {report.request_id}", *parts])
    assert parse_report(f"{noise}\n{line}\t\n{noise}", report.request_id) == report


@given(st.text())
def test_any_other_text_is_refused_in_one_way(text: str) -> None:
    with suppress(NoReport):
        parse_report(text)
