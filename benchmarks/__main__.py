"""``python -m benchmarks``: measure, print and write the ratios."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import click
from rich.console import Console

from benchmarks.client_cpu import client_cpu
from benchmarks.cold_start import init_beside_rie, start_beside_bare
from benchmarks.cold_start_hyperfine import starts_beside_hyperfine
from benchmarks.kafka_consumer import kafka_consumer_throughput
from benchmarks.kafka_end_to_end import kafka_end_to_end
from benchmarks.kafka_publish import kafka_publish_latency
from benchmarks.kafka_python import kafka_python
from benchmarks.kafka_throughput import kafka_throughput
from benchmarks.memory import memory
from benchmarks.null_rate import null_rate
from benchmarks.open_messaging import open_messaging_latency, open_messaging_throughput
from benchmarks.other_work import Reading
from benchmarks.own_cpu import own_cpu_share
from benchmarks.proof import PAGE, write_page
from benchmarks.rabbitmq_publish import rabbitmq_publish_latency
from benchmarks.rabbitmq_throughput import queue_throughput, stream_throughput
from benchmarks.ratio import Ratio
from benchmarks.rig import Rig
from benchmarks.table import RESULT, figure, read, show, write
from benchmarks.ten_thousand_trials import ten_thousand_trials
from spikebench.errors import SpikebenchError

Benchmark = Callable[[Rig, int], list[Ratio]]

BENCHMARKS: dict[str, Benchmark] = {
    "null-rate": null_rate,
    "kafka-throughput": kafka_throughput,
    "kafka-consumer-throughput": kafka_consumer_throughput,
    "kafka-publish-latency": kafka_publish_latency,
    "kafka-end-to-end": kafka_end_to_end,
    "kafka-python": kafka_python,
    "open-messaging-throughput": open_messaging_throughput,
    "open-messaging-latency": open_messaging_latency,
    "rabbitmq-classic-throughput": partial(queue_throughput, "classic"),
    "rabbitmq-quorum-throughput": partial(queue_throughput, "quorum"),
    "rabbitmq-stream-throughput": stream_throughput,
    "rabbitmq-publish-latency": rabbitmq_publish_latency,
    "own-cpu-share": own_cpu_share,
    "client-cpu": client_cpu,
    "cold-start-init-rie": init_beside_rie,
    "cold-start-overhead": start_beside_bare,
    "cold-start-hyperfine": starts_beside_hyperfine,
    "memory": memory,
    "ten-thousand-trials": ten_thousand_trials,
}


@click.command()
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(min=1))
@click.option("--only", multiple=True, type=click.Choice(list(BENCHMARKS)), help="may be repeated")
def main(rounds: int, only: tuple[str, ...]) -> None:
    """Measure the harness beside the tools people would use instead.

    The exit code is 0 when all ran, whether targets were met or not, and 1 if one could not run.
    """
    console = Console(stderr=True)
    rows: list[Ratio] = []
    failed = 0
    with Rig(lambda text: console.print(f"  {text}", highlight=False)) as rig:
        for name in only or tuple(BENCHMARKS):
            try:
                rows += _measured(name, rig, rounds, console)
            except (SpikebenchError, RuntimeError, OSError) as error:
                failed += 1
                console.print(f"{name} could not run: {error}", markup=False, highlight=False)
    show(rows, Console())
    if rows:
        write(rows, RESULT)
        write_page(read(RESULT), PAGE)
        click.echo(f"written to {RESULT} and {PAGE}")
    sys.exit(1 if failed else 0)


def _measured(name: str, rig: Rig, rounds: int, console: Console) -> list[Ratio]:
    console.print(f"{name}: {rounds} rounds", highlight=False)
    began = time.monotonic()
    before = Reading.now()
    rows = BENCHMARKS[name](rig, rounds)
    others = Reading.now().others_share(before)
    rows = [replace(row, note=f"{row.note}; other work took {others:.0%} of CPU") for row in rows]
    for row in rows:
        console.print(
            f"  {row.name} {figure(row.ratio)} {row.verdict}: {row.note}", highlight=False
        )
    console.print(f"  took {time.monotonic() - began:.0f} s", highlight=False)
    return rows


if __name__ == "__main__":
    main()
