"""What would turn a decision round: a weight, a judged score, a measured value, a missing one.

All of it is of the totals at the means over trials. Totals are sums of shares times scores, so that
each turning point is the root of a straight line, found in closed form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from spikebench.decision.matrix import SAME, Matrix
from spikebench.decision.model import Criterion, Option
from spikebench.decision.scale import value_at


@dataclass(frozen=True)
class WeightFlip:
    """The shares of one criterion between which the leader stays first, the others scaled.

    ``below`` and ``above`` are who comes first beyond ``low`` and ``high``; None where nobody does,
    down to 0 or up to 1.
    """

    criterion: Criterion
    share: float
    low: float
    high: float
    below: Option | None = None
    above: Option | None = None


@dataclass(frozen=True)
class ScoreFlip:
    """The score of one option on one criterion at which ``passing`` draws level with ``passed``.

    ``value`` and ``needed_value`` are those of the metric, None for a judged score. ``near`` is
    whether the measured 95 % interval holds ``needed_value``.
    """

    criterion: Criterion
    option: Option
    score: float
    needed: float
    passing: Option
    passed: Option
    value: float | None = None
    needed_value: float | None = None
    near: bool = False


@dataclass(frozen=True)
class Missing:
    """An option that is not ranked: the score that all its missing ones must have to come first.

    ``needed`` is None where not even 1 is enough, and 0 where it comes first whatever they are.
    ``values`` are the metrics' values at that score, by criterion.
    """

    option: Option
    criteria: tuple[Criterion, ...]
    reasons: tuple[str, ...]
    needed: float | None
    values: tuple[float, ...] = ()


def weight_flips(matrix: Matrix) -> list[WeightFlip]:
    """For each criterion, how far its share can go before another option comes first."""
    leader = matrix.leader
    if leader is None or len(matrix.criteria) < 2:
        return []
    return [_weight_flip(matrix, leader, place) for place in range(len(matrix.criteria))]


def _weight_flip(matrix: Matrix, leader: int, place: int) -> WeightFlip:
    share = matrix.shares[place]
    low, high, below, above = 0.0, 1.0, None, None
    for rival in (at for at in matrix.ranked if at != leader):
        root = _root(*(_parts(matrix, at, place) for at in (leader, rival)))
        if root is None:
            continue
        if low < root <= share:
            low, below = root, matrix.options[rival]
        elif share < root < high:
            high, above = root, matrix.options[rival]
    return WeightFlip(matrix.criteria[place], share, low, high, below, above)


def _parts(matrix: Matrix, at: int, place: int) -> tuple[float, float]:
    """An option's score on a criterion, and its mean over the others by their weights."""
    own = matrix.entries[place][at].score or 0.0
    share = matrix.shares[place]
    return own, (matrix.known(at) - share * own) / (1 - share)


def _root(leader: tuple[float, float], rival: tuple[float, float]) -> float | None:
    """The share t at which t × own + (1 - t) × others is the same for both; None for parallels."""
    own, others = leader[0] - rival[0], leader[1] - rival[1]
    return None if abs(own - others) < SAME else others / (others - own)


def score_flips(matrix: Matrix) -> list[ScoreFlip]:
    """Every score that alone turns the decision round, within what a score can be.

    The smallest change comes first. The leader's are of its fall behind the next, the others' of
    their rise to the leader.
    """
    leader = matrix.leader
    rivals = [at for at in matrix.ranked if at != leader]
    if leader is None or not rivals:
        return []
    second = max(rivals, key=matrix.known)
    found = [
        flip
        for place in range(len(matrix.criteria))
        for flip in (
            _flip(matrix, place, leader, second, leader),
            *(_flip(matrix, place, rival, rival, leader) for rival in rivals),
        )
        if flip is not None
    ]
    return sorted(found, key=lambda flip: abs(flip.needed - flip.score))


def _flip(matrix: Matrix, place: int, at: int, passing: int, leader: int) -> ScoreFlip | None:
    entry, criterion = matrix.entries[place][at], matrix.criteria[place]
    assert entry.score is not None, "a ranked option has all its scores"
    gap = (matrix.known(leader) - matrix.known(passing)) / matrix.shares[place]
    needed = entry.score - gap if at == leader else entry.score + gap
    if not -SAME <= needed <= 1 + SAME:
        return None
    flip = ScoreFlip(
        criterion=criterion,
        option=matrix.options[at],
        score=entry.score,
        needed=min(max(needed, 0.0), 1.0),
        passing=matrix.options[passing],
        passed=matrix.options[leader],
    )
    return flip if entry.value is None else _in_units(flip, matrix)


def _in_units(flip: ScoreFlip, matrix: Matrix) -> ScoreFlip:
    place, at = matrix.criteria.index(flip.criterion), matrix.options.index(flip.option)
    entry, asked = matrix.entries[place][at], flip.criterion.measured
    assert asked is not None, "it is in the metric's units"
    assert entry.figure is not None, "and so it has a figure"
    assert entry.figure.row is not None, "of a row"
    value = value_at(flip.needed, asked)
    seen = entry.figure.row.intervals[asked.metric]
    near = seen.low is not None and seen.high is not None and seen.low <= value <= seen.high
    return ScoreFlip(
        flip.criterion, flip.option, flip.score, flip.needed, flip.passing, flip.passed,
        value=entry.value, needed_value=value, near=near,
    )  # fmt: skip


def missing(matrix: Matrix) -> list[Missing]:
    """For each option that is not ranked, what it would take to draw level with the first."""
    ahead = max(map(matrix.known, matrix.ranked), default=0.0)
    return list(_missing(matrix, ahead))


def _missing(matrix: Matrix, ahead: float) -> Iterator[Missing]:
    for at, option in enumerate(matrix.options):
        places = matrix.missing(at)
        if not places:
            continue
        criteria = tuple(matrix.criteria[place] for place in places)
        share = sum(matrix.shares[place] for place in places)
        needed = max(0.0, (ahead - matrix.known(at)) / share)
        asked = [one.measured for one in criteria if one.measured is not None]
        reached = needed <= 1
        yield Missing(
            option=option,
            criteria=criteria,
            reasons=tuple(matrix.entries[place][at].why for place in places),
            needed=needed if reached else None,
            values=tuple(value_at(needed, one) for one in asked) if reached else (),
        )
