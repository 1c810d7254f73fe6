"""``python -m tests.stress``: kill runs, print what held, write ``results/stress/kills.csv``."""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import click

from spikebench.measure.environment import environment
from tests.stress.kill import Kill, kill_once
from tests.stress.subject import REAL, ROOT, SYNTHETIC, Subject

RESULT = ROOT / "results" / "stress" / "kills.csv"


@click.command()
@click.option("--kills", default=50, show_default=True, type=click.IntRange(min=1))
@click.option("--real", default=8, show_default=True, help="how many of them on real brokers")
@click.option("--seed", default=1, show_default=True, help="draws the moments")
def main(kills: int, real: int, seed: int) -> None:
    """Kill runs with SIGKILL at random moments and look at what is left.

    The exit code is 1 where anything that is promised did not hold.
    """
    rng = random.Random(seed)
    done: list[Kill] = []
    for number, subject in enumerate(subjects(kills, real), 1):
        done.append(kill_once(subject, rng, number))
        click.echo(f"[{number}/{kills}] {told(done[-1])}")
        write(done, RESULT)
    click.echo(summary(done))
    click.echo(f"written to {RESULT.relative_to(ROOT)}")
    sys.exit(0 if all(kill.held for kill in done) else 1)


def subjects(kills: int, real: int) -> list[Subject]:
    """What is killed, in order: the synthetic spike, then each real broker by turns."""
    brokers = [REAL[number % len(REAL)] for number in range(min(real, kills))]
    return [*[SYNTHETIC] * (kills - len(brokers)), *brokers]


def told(kill: Kill) -> str:
    """One kill in a line."""
    gone = "never" if kill.gone_after_s is None else f"after {kill.gone_after_s:.1f} s"
    left = f"left {kill.folders}, " if kill.folders else ""
    return (
        f"{kill.subject} killed after {kill.after_s:.1f} s: {kill.kept} kept of {kill.completed} "
        f"completed, all processes gone {gone}, {left}"
        f"{'held' if kill.held else 'NOT HELD'} {kill.said}"
    ).rstrip()


def summary(done: Sequence[Kill]) -> str:
    """All kills in a line."""
    kept = sum(min(kill.kept, kill.completed) for kill in done)
    slowest = max((kill.gone_after_s or 0.0 for kill in done), default=0.0)
    return (
        f"{len(done)} kills: {kept} of {sum(kill.completed for kill in done)} completed trials "
        f"kept, {sum(kill.half_line for kill in done)} half lines, "
        f"{sum(kill.finished and kill.same for kill in done)} runs finished by --resume with the "
        f"same cells, blocks and seeds, {sum(kill.left for kill in done)} processes left "
        f"(all gone after {slowest:.1f} s at most), "
        f"{sum(bool(kill.folders) for kill in done)} scratch folders left"
    )


def write(done: Sequence[Kill], path: Path) -> None:
    """Write a line a kill, each with the machine it was measured on."""
    here = environment()
    machine = f"{here['cores']} cores, {here['memory_gib']} GiB, {here['os']}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        columns = [field.name for field in fields(Kill)]
        writer = csv.DictWriter(file, [*columns, "machine"], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**asdict(kill), "machine": machine} for kill in done)


if __name__ == "__main__":
    main()
