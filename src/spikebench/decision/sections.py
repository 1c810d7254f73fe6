"""The parts of a record that say what comes out: the outcome, must-haves, matrix, what flips it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from spikebench.decision import flips
from spikebench.decision.assess import Assessment
from spikebench.decision.matrix import SETTLED, Entry, Matrix, Standing
from spikebench.decision.model import Criterion, JudgedScore, Measured, Option
from spikebench.decision.must_have import Held, together
from spikebench.decision.wording import foreign, grid, own, percent, points
from spikebench.report.column import NOTHING, figure

Lines = Iterator[str]


def context(found: Assessment) -> Lines:
    """The question and where it comes from."""
    yield own(found.decision.context)
    yield ""
    yield f"**{own(found.decision.question)}**"


def drivers(found: Assessment) -> Lines:
    """What the decision is driven by."""
    yield from (f"* {own(driver)}" for driver in found.decision.drivers)


def options(found: Assessment) -> Lines:
    """The options, each with what it is in the table."""
    yield from (f"* {own(one.title)} ({_measured_as(one)})" for one in found.decision.options)


def _measured_as(option: Option) -> str:
    if option.candidate is None:
        return "judged, not measured here"
    with_params = "".join(f", {name}={value}" for name, value in option.params.items())
    elsewhere = "".join(f"; in {name} `{one}`" for name, one in option.stand_ins.items())
    return f"`{option.candidate}`{with_params}{elsewhere}"


def outcome(found: Assessment) -> Lines:
    """What the figures propose, or why they propose nothing yet."""
    yield _chosen(found)
    yield ""
    yield from _open(found)
    yield "This is what criteria and figures come to. Only a person accepts it, in `status` above."


def _chosen(found: Assessment) -> str:
    leader, proposed = found.leader, found.proposed
    if proposed is not None:
        ranked = len(found.matrix.ranked)
        among = f"highest of the {ranked} options that could be ranked"
        first = percent(proposed.first)
        return (
            f"Chosen option (proposed): “{own(proposed.option.title)}”, because it scores "
            f"{among if ranked > 1 else 'as the only one that could be ranked'} "
            f"({points(proposed.total)}), and comes first in {first} of {found.matrix.draws:,} "
            "draws of the trials."
        )
    if leader is not None:
        return (
            f"Chosen option: none yet, because the measurements do not settle it: "
            f"“{own(leader.option.title)}” leads with {points(leader.total)}, but comes first in "
            f"{percent(leader.first)} of the draws only ({SETTLED:.0%} are asked for)."
        )
    why = "the first ones score the same" if found.matrix.ranked else "no option could be ranked"
    return f"Chosen option: none yet, because {why}."


def _open(found: Assessment) -> Lines:
    for option in found.decision.options:
        failed = [one for one in found.held[option.name] if one.outcome == "not met"]
        if failed:
            what = "; ".join(f"{own(one.asked.name)} ({foreign(one.reason)})" for one in failed)
            yield f"* Out: “{own(option.title)}” fails a must-have: {what}."
    for one in found.missing:
        could = "could still come first" if one.needed is not None else "could not come first"
        if not found.matrix.ranked:
            could = "may be anywhere"
        about = ", ".join(own(criterion.name) for criterion in one.criteria)
        yield f"* Not ranked: “{own(one.option.title)}” has no figure for {about}; it {could}."
    if found.leader is not None:
        for held in found.held[found.leader.option.name]:
            if held.outcome == "not shown":
                yield (
                    f"* Open: that “{own(held.option.title)}” holds “{own(held.asked.name)}” is "
                    f"not shown: {foreign(held.reason)}."
                )
    yield ""


def consequences(found: Assessment) -> Lines:
    """What follows from taking the leader, by its scores beside the others'."""
    if found.leader is None:
        yield "* Neutral, because nothing is proposed yet."
        return
    yield from _arguments(found, found.leader.option)


def confirmation(found: Assessment) -> Lines:
    """How it is seen later that the record still holds."""
    yield (
        f"`spikebench decide {found.spike.name} --check` fails where this record no longer matches "
        "its evidence: a record file that has changed, or a figure that comes out otherwise."
    )
    yield (
        f"The decision is looked at again by **{found.decision.review}**, and earlier when a value "
        "below has moved past the point that turns it round."
    )


def option(found: Assessment, one: Option) -> Lines:
    """One option's pros and cons, by its must-haves and scores."""
    yield f"### {own(one.title)}"
    yield ""
    for held in found.held[one.name]:
        word = {"met": "Good", "not met": "Bad", "not shown": "Neutral"}[held.outcome]
        yield f"* {word}, because “{own(held.asked.name)}” is {held.outcome}: {_reason(held)}"
    if found.is_out(one):
        yield "* Bad, because it is out by a must-have, and was not weighed."
    else:
        yield from _arguments(found, one)


def _reason(held: Held) -> str:
    at = f" ({_row(held)})" if held.row else ""
    return f"{foreign(held.reason)}{at}"


def _row(held: Held) -> str:
    assert held.row is not None
    cell = held.row.cell
    named = [cell.scenario, cell.candidate, cell.client, *filter(None, [held.row.params])]
    return foreign(", ".join([*named, cell.fidelity]))


def _arguments(found: Assessment, one: Option) -> Lines:
    matrix = found.matrix
    at = matrix.options.index(one)
    for criterion, entries in zip(matrix.criteria, matrix.entries, strict=True):
        entry = entries[at]
        had = [other.score for other in entries if other.score is not None]
        yield f"* {_word(entry, had)}, because of {own(criterion.name)}: {_said(entry, criterion)}"


def _word(entry: Entry, had: Sequence[float]) -> str:
    """Good where nobody scores higher, bad where nobody lower; neutral between, or all the same."""
    if entry.score is None or max(had) - min(had) < 1e-9:
        return "Neutral"
    if entry.score >= max(had) - 1e-9:
        return "Good"
    return "Bad" if entry.score <= min(had) + 1e-9 else "Neutral"


def _said(entry: Entry, criterion: Criterion) -> str:
    if entry.score is None:
        return f"not shown ({foreign(entry.why)})"
    if entry.value is None or criterion.measured is None:
        return f"{own(entry.why)} (judged {points(entry.score)}){_not_measured(entry)}"
    return f"{figure(entry.value)} {foreign(criterion.measured.unit)} (score {points(entry.score)})"


def _not_measured(entry: Entry) -> str:
    """Why a judged score stands where a measured one was to; nothing where none was."""
    missing = entry.figure.missing if entry.figure is not None else ""
    return f" (not measured: {foreign(missing)})" if missing else ""


def must_haves(found: Assessment) -> Lines:
    """Every must-have of every option, with the row that shows it."""
    yield "### Must-haves"
    yield ""
    if not found.decision.must_haves:
        yield "None was asked for."
        return
    yield "One that is not met puts an option out. One that is not shown keeps it in, marked."
    yield ""
    rows = []
    for each in found.held.values():
        for held in each:
            row = _row(held) if held.row else NOTHING
            name, title = own(held.asked.name), own(held.option.title)
            rows.append([title, name, _bold_if_out(held), row, foreign(held.reason)])
    yield from grid(["option", "must-have", "outcome", "row", "why"], rows)


def _bold_if_out(held: Held) -> str:
    return f"**{held.outcome}**" if held.outcome == "not met" else held.outcome


def matrix(found: Assessment) -> Lines:
    """Scores by criterion and option, totals, and how often each comes first."""
    yield "### Weighted matrix"
    yield ""
    if not found.matrix.options:
        yield "No option is left to weigh."
        return
    yield (
        "Scores go from 0 to 1; the value in brackets is the mean over trials. ʲ is judged, not "
        "measured. docs/decisions.md has the formula."
    )
    yield ""
    titles = [own(one.title) for one in found.matrix.options]
    rows = [*_scores(found.matrix), *_totals(found)]
    yield from grid(["criterion", "weight", *titles], rows)
    yield ""
    yield from _scales(found.matrix)
    yield from _single(found.matrix)


def _scores(table: Matrix) -> Iterator[list[str]]:
    for criterion, share, entries in zip(table.criteria, table.shares, table.entries, strict=True):
        cells = [_cell(entry, criterion) for entry in entries]
        yield [own(criterion.name), percent(share), *cells]


def _cell(entry: Entry, criterion: Criterion) -> str:
    if entry.score is None:
        return "not shown"
    if entry.value is None or criterion.measured is None:
        return f"{points(entry.score)}ʲ"
    return f"{points(entry.score)} ({figure(entry.value)} {foreign(criterion.measured.unit)})"


def _totals(found: Assessment) -> Iterator[list[str]]:
    by_option = {id(one.option): one for one in found.standings}
    mine = [by_option[id(option)] for option in found.matrix.options]
    yield ["**total** [95 % of draws]", "100 %", *(_total(one) for one in mine)]
    yield ["**comes first**", "", *(_first(one) for one in mine)]
    outcomes = (together(found.held[one.option.name]) for one in mine)
    asked = bool(found.decision.must_haves)
    yield ["**must-haves**", "", *(outcome if asked else NOTHING for outcome in outcomes)]


def _total(one: Standing) -> str:
    if one.total is None:
        return f"between {points(one.low)} and {points(one.high)}"
    return f"**{points(one.total)}** [{points(one.low)}, {points(one.high)}]"


def _first(one: Standing) -> str:
    return "not ranked" if one.first is None else percent(one.first)


def _scales(table: Matrix) -> Lines:
    for criterion, entries in zip(table.criteria, table.entries, strict=True):
        if criterion.measured is not None:
            yield f"* {own(criterion.name)}: {_scale(criterion.measured)}"
        if criterion.judged is not None:
            by_option = dict(zip((option.name for option in table.options), entries, strict=True))
            scores = [_judged(one, by_option.get(one.option)) for one in criterion.judged.scores]
            said = "; ".join(filter(None, scores)) or "every option was measured"
            yield f"* {own(criterion.name)}: judged by {own(criterion.judged.by)}. {said}."


def _judged(given: JudgedScore, entry: Entry | None) -> str:
    """A judged score with its reason; nothing where a measured one has taken its place."""
    if entry is not None and entry.value is not None:
        return ""
    why_not = _not_measured(entry) if entry is not None else ""
    return f"{own(given.option)} {points(given.score)}: {own(given.why)}{why_not}"


def _scale(asked: Measured) -> str:
    where = "".join(f", {name}={value}" for name, value in asked.params.items())
    unit = foreign(asked.unit)
    instead = "; the judged score where no row shows it" if asked.or_judged else ""
    return (
        f"`{asked.metric}` of {asked.scenario}{where}; 1 at {figure(asked.best)} {unit}, "
        f"0 at {figure(asked.worst)} {unit}, {asked.scale}{instead}."
    )


def _single(table: Matrix) -> Lines:
    """Figures of one value: nobody knows how far another trial would have come out otherwise."""
    for criterion, entries in zip(table.criteria, table.entries, strict=True):
        drawn = [entry.figure for entry in entries if entry.figure is not None]
        if any(len(one.values) == 1 for one in drawn):
            yield f"* {own(criterion.name)} is one count a row: no spread is carried for it."


def turning(found: Assessment) -> Lines:
    """What would turn the decision round, and by how much."""
    yield "### What would turn it round"
    yield ""
    if found.leader is None:
        yield "Nothing is ahead that could be turned round."
    else:
        title = own(found.leader.option.title)
        yield f"“{title}” is first at the means over trials. Everything else as it is:"
        yield ""
        yield from _weights(found)
        yield from _turned(found)
    yield from _missing(found)


def _weights(found: Assessment) -> Lines:
    rows = [
        [
            own(one.criterion.name),
            percent(one.share),
            f"{percent(one.low)} to {percent(one.high)}",
            own(one.below.title) if one.below else NOTHING,
            own(one.above.title) if one.above else NOTHING,
        ]
        for one in flips.weight_flips(found.matrix)
    ]
    if rows:
        yield "Weights, the others scaled along:"
        yield ""
        yield from grid(["criterion", "weight", "stays first", "below", "above"], rows)
        yield ""


def _turned(found: Assessment) -> Lines:
    turned = flips.score_flips(found.matrix)
    if not turned:
        yield "No single judged score or measured value turns it round."
        yield ""
        return
    yield "Judged scores and measured values, the smallest change first:"
    yield ""
    header = ["criterion", "option", "is", "turns at", "by", "then first"]
    yield from grid(header, [_turn(one) for one in turned])
    yield ""
    if any(one.near for one in turned):
        yield "† lies within the 95 % interval of what was measured."
        yield ""


def _turn(one: flips.ScoreFlip) -> list[str]:
    named = [own(one.criterion.name), own(one.option.title)]
    then = own(one.passing.title)
    if one.value is None or one.needed_value is None or one.criterion.measured is None:
        by = f"{one.needed - one.score:+.2f}"
        return [*named, f"{points(one.score)} (judged)", points(one.needed), by, then]
    unit = foreign(one.criterion.measured.unit)
    near = "†" if one.near else ""
    is_now, at = f"{figure(one.value)} {unit}", f"{figure(one.needed_value)} {unit}{near}"
    by = f"{figure(one.needed_value / one.value)}×" if one.value else NOTHING
    return [*named, is_now, at, by, then]


def _missing(found: Assessment) -> Lines:
    for one in found.missing:
        title = own(one.option.title)
        if not found.matrix.ranked:
            yield f"* “{title}” is not shown on {_criteria(one.criteria)}."
        elif one.needed is None:
            yield f"* “{title}” stays behind, whatever {_criteria(one.criteria)} come to."
        elif one.needed <= 0:
            yield f"* “{title}” comes first, whatever {_criteria(one.criteria)} come to."
        else:
            yield f"* “{title}” comes first with {_values(one)} or better: to be shown."


def _criteria(criteria: Iterable[Criterion]) -> str:
    return ", ".join(own(one.name) for one in criteria)


def _values(one: flips.Missing) -> str:
    said = [
        f"{own(criterion.name)} at {figure(value)} {foreign(criterion.measured.unit)}"
        for criterion, value in zip(one.criteria, one.values, strict=True)
        if criterion.measured is not None
    ]
    return " and ".join(said)
