"""``docs/proof.md``: the words stand here, every figure comes from ``ratios.csv``.

``python -m benchmarks`` writes it anew after each run; ``python -m benchmarks.proof`` does without
measuring.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.open_messaging_benchmark import HOW_TO_GET
from benchmarks.ratio import Ratio
from benchmarks.table import RESULT, figure, read, span
from benchmarks.tool import ARTEFACTS
from spikebench.target.maven import read_lock

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "proof.md"


@dataclass(frozen=True)
class Line:
    """A ratio on the page: its name in the file, what was measured, and what the methods differ in.

    ``differs`` is said wherever a target is not met, for it may be the reason; ``absent`` in place
    of a verdict where there is no such row.
    """

    name: str
    measured: str
    differs: str
    absent: str = "not measured"


@dataclass(frozen=True)
class Section:
    """Ratios of one kind under a heading."""

    heading: str
    words: str
    lines: Sequence[Line]


PERFTEST = (
    "PerfTest finds each unconfirmed message in a concurrent skip list and samples its latency; "
    "ours notes a time in an array."
)
SAMPLES = (
    "PerfTest's percentiles are of at most 1,028 samples a second, which a p99 feels; its rate "
    "limiter's bursts are imitated, not the same."
)
WHOLE_MS = (
    "ProducerPerformance reads a clock of whole milliseconds and prints whole milliseconds: where "
    "a percentile is a few of them, one more or less is already beyond 10 %."
)
THROTTLE = "ProducerPerformance's throttle makes bursts that are imitated, not the same."
CPU_RABBIT = (
    "Both wake once a millisecond. PerfTest samples latencies and counts; ours notes the times of "
    "every message, and adds the account of all at the end."
)
CPU_KAFKA = (
    "ProducerPerformance sends the bodies as they are; ours stamps and keys each, and adds the "
    "account of all at the end."
)
PING_PONG = (
    "EndToEndLatency asks for a record when it has been acknowledged, so that two trips follow one "
    "another; a consumer of ours waits at the broker meanwhile, as a service's does, so that they "
    "overlap, and costs the wake-up of another thread."
)
OMB_ABSENT = "not measured, see above"
OMB_WORK = (
    "OpenMessaging Benchmark makes a future for each record and notes its latency in four "
    "histograms, but sends bodies and keys as they are; ours stamps a body for each record, keeps "
    "its times, and proves that all came once."
)
OMB_EVEN = (
    "OpenMessaging Benchmark stops the clock in a future's callback, ours in the client's own."
)
OMB_TICKS = (
    "At this rate OpenMessaging Benchmark wakes for each record and so spreads records over the "
    "linger of 1 ms; ours wakes once a millisecond and sends what is due together, so that a "
    "record waits longer in its batch."
)

SECTIONS = (
    Section(
        "Throughput",
        "Messages or records a second. Target: at least 1.",
        (
            Line(
                "kafka-throughput",
                "Kafka, producing: `ProducerPerformance`",
                "Ours sends keys, stamps each body and keeps each record's times; the tool sends "
                "the bodies as they are, and keeps a sample of latencies.",
            ),
            Line(
                "kafka-consumer-throughput",
                "Kafka, consuming: `ConsumerPerformance`",
                "The tool adds up records and their lengths; ours reads the number of each, notes "
                "its arrival, and proves that all came once and in order.",
            ),
            Line("rabbitmq-classic-throughput", "RabbitMQ, classic queue: PerfTest", PERFTEST),
            Line("rabbitmq-quorum-throughput", "RabbitMQ, quorum queue: PerfTest", PERFTEST),
            Line("rabbitmq-stream-throughput", "RabbitMQ, stream over AMQP: PerfTest", PERFTEST),
            Line(
                "kafka-python-producer-throughput",
                "kafka-python, producing: `kafka.benchmarks.producer_performance`",
                "The tool sends one and the same bytes without a key or a callback; ours makes, "
                "stamps and keys a body for each record, and notes when it was acknowledged.",
            ),
            Line(
                "kafka-python-consumer-throughput",
                "kafka-python, consuming: `kafka.benchmarks.consumer_performance`",
                "The tool iterates record by record, and joining the group is in its time; ours "
                "takes what a poll returns at once.",
            ),
        ),
    ),
    Section(
        "Publish latency",
        "From the send to the broker's confirm, at 30 % and 60 % of the capacity that a flood of "
        "ours had just shown. Below 1, ours is faster. Target: within 10 %.",
        tuple(
            Line(
                f"rabbitmq-classic-publish-{what}-at-{share}",
                f"RabbitMQ, classic queue, {what} at {share} %: PerfTest",
                SAMPLES,
            )
            for share in (30, 60)
            for what in ("p50", "p99")
        )
        + tuple(
            Line(
                f"kafka-publish-{what}-at-{share}",
                f"Kafka, {what} at {share} %: `ProducerPerformance`",
                THROTTLE if what == "mean" else WHOLE_MS,
            )
            for share in (30, 60)
            for what in ("mean", "p50", "p99")
        ),
    ),
    Section(
        "Beside OpenMessaging Benchmark",
        "Kafka with one producer and one consumer in one process, by its local worker. Records a "
        "second: target at least 1; publish latency: below 1, ours is faster, target within 10 %. "
        "Its own build makes the drivers of all brokers and cannot: "
        "`org.apache.bookkeeper:shaded-parent:4.14.4`, which that of BookKeeper needs, is not on "
        "Maven Central. So its local worker and its Kafka driver are compiled from their source, "
        "unchanged. "
        f"To run it: {HOW_TO_GET}. Where the variable is not set, `tox -e benchmarks` goes on "
        "without it, and says so.",
        (
            Line("open-messaging-kafka-published", "records published", OMB_WORK, OMB_ABSENT),
            Line(
                "open-messaging-kafka-consumed", "records consumed meanwhile", OMB_WORK, OMB_ABSENT
            ),
            *(
                Line(
                    f"open-messaging-kafka-publish-{what}-at-{where}",
                    f"publish latency, {what} at {rate}",
                    differs,
                    OMB_ABSENT,
                )
                for where, rate, differs in (
                    ("4000", "4,000 records/s", OMB_EVEN),
                    ("30", "30 % of the flood", OMB_TICKS),
                )
                for what in ("p50", "p99")
            ),
        ),
    ),
    Section(
        "End to end, one record at a time",
        "No target: the methods differ.",
        tuple(
            Line(f"kafka-end-to-end-{what}", f"Kafka, {what}: `EndToEndLatency`", PING_PONG + more)
            for what, more in (
                ("mean", ""),
                ("p50", " Its percentiles are cut off to whole milliseconds."),
                ("p99", " Its percentiles are cut off to whole milliseconds."),
            )
        ),
    ),
    Section(
        "CPU of the client process",
        "Time on a processor a message, of the whole process, at 5,000 messages a second, sent in "
        "bursts of a few milliseconds at most. Below 1, ours takes less. No target.",
        (
            Line("client-cpu-rabbitmq-classic", "RabbitMQ, a classic queue: PerfTest", CPU_RABBIT),
            Line("client-cpu-kafka", "Kafka: `ProducerPerformance`", CPU_KAFKA),
        ),
    ),
)

HEAD = """\
# Proof against the vendors' tools

Does this harness reach what a broker's own tool reaches, and does it tell the same latency? This
page is written by `tox -e benchmarks` from `results/benchmarks/ratios.csv`: the words stand in
`benchmarks/proof.py`, every figure comes from that file. `python -m benchmarks.proof` writes it
anew without measuring.

## What was compared

{tools}

Each ratio is ours ÷ theirs. Both ran in the same round against the same broker process with the
same settings, one right after the other, and took turns in going first; the broker on the server's
cores, both clients on the load's; both as fresh processes, Java with the same runtime and flags.
`n` is the number of such pairs. The ratio is the geometric mean of the pairs' ratios, the interval
Student's t on their logs, 95 %. How each was made is in [benchmarks.md](benchmarks.md).

A target is *met* where the whole interval meets it, *not met* where none of the interval does, and
*not shown* where the interval straddles it: then these pairs do not decide.
"""

REST = """\
- What these ratios are elsewhere: broker and clients shared one machine. Where other work ran on
  it, which the figures below tell of each run, intervals are wide.
- A latency above 60 % of capacity, and latencies of quorum queues and streams.
- Consuming from RabbitMQ by itself: PerfTest's throughput has a producer beside the consumer.
- RabbitMQ beside OpenMessaging Benchmark: its driver has neither a confirm window nor a prefetch,
  and its consumer acknowledges nothing, so that it cannot be given the settings of the others.
- End-to-end latency beside OpenMessaging Benchmark: it takes the difference of two clocks of whole
  milliseconds, and leaves out those that are zero.
"""


def write_page(rows: Sequence[Ratio], path: Path) -> None:
    """Write the page of ``rows``."""
    path.write_text(page(rows))


def page(rows: Sequence[Ratio]) -> str:
    """Return the page of ``rows``; a ratio without a row is said to be not measured."""
    known = {row.name: row for row in rows}
    parts = [HEAD.format(tools=_tools()), _summary(known)]
    parts += [_section(section, known) for section in SECTIONS]
    parts += ["## What is not shown\n", _undecided(known) + REST, _figures(known)]
    return "\n".join(parts)


def _tools() -> str:
    versions = {
        "Kafka's `ProducerPerformance`, `ConsumerPerformance`, `EndToEndLatency`": _java_version(
            "kafka-tools.lock", "kafka-tools"
        ),
        "OpenMessaging Benchmark": "by commit, see its figures",
        "RabbitMQ's PerfTest": _java_version("vendor-tools.lock", "perf-test"),
        "kafka-python's own benchmark, in its package": _python_version("kafka-python"),
    }
    lines = ["| tool | version |", "|---|---|"]
    return "\n".join([*lines, *(f"| {tool} | {version} |" for tool, version in versions.items())])


def _java_version(lock: str, artefact: str) -> str:
    pins = {pin.artifact: pin.version for pin in read_lock(ARTEFACTS / lock)}
    return pins[artefact]


def _python_version(name: str) -> str:
    pinned = re.search(rf"^{name}==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    return pinned[1] if pinned else "not pinned"


def _lines() -> Iterator[Line]:
    for section in SECTIONS:
        yield from section.lines


def _summary(known: Mapping[str, Ratio]) -> str:
    told = [known[line.name].verdict for line in _lines() if line.name in known]
    asked = [verdict for verdict in told if verdict]
    counts = {word: asked.count(word) for word in ("met", "not met", "not shown")}
    counted = ", ".join(f"{count} {word}" for word, count in counts.items())
    single = len(asked) - sum(counts.values())
    more = f", {single} of one pair only" if single else ""
    return f"Of {len(asked)} ratios with a target: {counted}{more}.\n"


def _section(section: Section, known: Mapping[str, Ratio]) -> str:
    heading = ("what", "ours ÷ theirs", "95 % interval", "n", "target", "verdict")
    lines = [f"## {section.heading}\n", f"{section.words}\n", _cells(heading)]
    lines += ["|---|---:|---|---:|---|---|"]
    lines += [_cells(_row(line, known.get(line.name))) for line in section.lines]
    return "\n".join([*lines, "", *_reasons(section, known), ""])


def _row(line: Line, row: Ratio | None) -> tuple[str, ...]:
    if row is None:
        return (line.measured, "—", "—", "0", "—", line.absent)
    target = str(row.target) if row.target else "—"
    verdict = "withheld, see below" if row.ratio is None else row.verdict or "no target"
    return (line.measured, figure(row.ratio), span(row), str(row.n), target, verdict)


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _reasons(section: Section, known: Mapping[str, Ratio]) -> list[str]:
    """What the methods differ in, once for all the ratios of which it says why."""
    by_reason: dict[str, list[str]] = {}
    for line in section.lines:
        row = known.get(line.name)
        if row is not None and row.ratio is not None and not row.verdict.startswith("met"):
            by_reason.setdefault(line.differs, []).append(f"`{line.name}`")
    told = [f"- {', '.join(names)}: {reason}" for reason, names in by_reason.items()]
    return (
        ["What the methods differ in, where a target was not met, not shown or not set:", "", *told]
        if told
        else []
    )


def _undecided(known: Mapping[str, Ratio]) -> str:
    """The ratios that these pairs leave open, that have none, and that were not measured."""
    open_ = [n.name for n in _lines() if n.name in known and known[n.name].verdict == "not shown"]
    missing = [line.name for line in _lines() if line.name not in known]
    empty = [n.name for n in _lines() if n.name in known and known[n.name].ratio is None]
    said = ""
    if open_:
        said += f"- Whether the target is met, for the interval straddles it: {_named(open_)}.\n"
    if empty:
        said += f"- Withheld, for the reason among the figures below: {_named(empty)}.\n"
    if missing:
        said += f"- Not measured yet: {_named(missing)}.\n"
    return said


def _named(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _figures(known: Mapping[str, Ratio]) -> str:
    lines = ["## Figures and settings\n", "As the run noted them:\n"]
    found = [known[line.name] for line in _lines() if line.name in known]
    return "\n".join([*lines, *(f"- `{row.name}`: {row.note}" for row in found), ""])


if __name__ == "__main__":
    write_page(read(RESULT), PAGE)
