"""The parts of a record that say what comes out: the outcome, must-haves, matrix, what flips it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from spikebench.decision import flips
from spikebench.decision.assess import Assessment
from spikebench.decision.matrix import SETTLED, Entry, Matrix, Standing
from spikebench.decision.model import Criterion, Option
from spikebench.decision.must_have import Held, together
from spikebench.decision.wording import foreign, grid, own, percent, points, run_that_shows
from spikebench.report import wording
from spikebench.report.column import NOTHING, figure
from spikebench.report.table import Row

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
    return f"`{option.candidate}`{with_params}"


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
        return f"{own(entry.why)} (judged {points(entry.score)})"
    return f"{figure(entry.value)} {foreign(criterion.measured.unit)} (score {points(entry.score)})"


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
    yield from _scales(found.matrix.criteria)
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


def _scales(criteria: Iterable[Criterion]) -> Lines:
    for one in criteria:
        if one.measured is not None:
            asked = one.measured
            where = "".join(f", {name}={value}" for name, value in asked.params.items())
            unit = foreign(asked.unit)
            yield (
                f"* {own(one.name)}: `{asked.metric}` of {asked.scenario}{where}; 1 at "
                f"{figure(asked.best)} {unit}, 0 at {figure(asked.worst)} {unit}, {asked.scale}."
            )
        if one.judged is not None:
            scores = "; ".join(
                f"{own(given.option)} {points(given.score)}: {own(given.why)}"
                for given in one.judged.scores
            )
            yield f"* {own(one.name)}: judged by {own(one.judged.by)}. {scores}."


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


def verdicts(found: Assessment) -> Lines:
    """The rows behind all this, with the comparisons that their scenarios declared."""
    yield "### Verdicts"
    yield ""
    yield "Each row that was used, with its scenario's declared comparison, Holm-adjusted."
    yield ""
    header = ["scenario", "option", "client, target, fidelity", "n (void)", "median"]
    rows = [_verdict(name, row) for (name, _), row in found.rows.items()]
    yield from grid([*header, "÷ baseline [95 %]", "verdict", "requirement"], rows)


def _verdict(name: str, row: Row) -> list[str]:
    against, cell = row.against, row.cell
    metric = row.scenario.analysis.metric if row.scenario else ""
    seen = row.intervals.get(metric)
    unit = cell.metrics[metric].unit if metric in cell.metrics else ""
    alone = "the baseline" if _is_baseline(row) else NOTHING
    return [
        foreign(", ".join(filter(None, [cell.scenario, row.params]))),
        own(name),
        foreign(f"{cell.client}, {cell.target}, {cell.fidelity}"),
        wording.trials(row),
        f"{foreign(metric)} {figure(seen.median)} {foreign(unit)}" if seen else NOTHING,
        wording.ratio(against.comparison) if against else NOTHING,
        foreign(wording.verdict(against)) if against else alone,
        foreign(wording.requirement(row.judgement)),
    ]


def _is_baseline(row: Row) -> bool:
    if row.scenario is None or not row.cell.valid:
        return False
    analysis = row.scenario.analysis
    has = analysis.baseline_params.items() <= dict(row.cell.params).items()
    return has and row.cell.candidate == analysis.baseline


def limits(found: Assessment) -> Lines:
    """What this record cannot show, and the run that would."""
    yield "### What this cannot show"
    yield ""
    yield from (f"* {own(said)}" for said in found.decision.cannot_show)
    yield from (f"* **Warning.** {foreign(said)}" for said in found.table.warnings)
    yield from _emulated(found)
    yield from _few(found)


def _emulated(found: Assessment) -> Lines:
    """The sandbox runs that would show what an emulator cannot, an option each."""
    by_option: dict[str, dict[str, None]] = {}
    for (name, _), row in found.rows.items():
        if row.cell.fidelity == "emulator":
            by_option.setdefault(name, {})[row.cell.scenario] = None
    if by_option:
        yield (
            "* An emulator stood in for the service below; its timings say nothing of AWS and were "
            "not counted. What would show it:"
        )
    for option in found.decision.options:
        if option.name in by_option:
            yield f"  * {run_that_shows(found.spike, option, by_option[option.name], sandbox=True)}"


def _few(found: Assessment) -> Lines:
    """The runs that would show what this one has too little of."""
    for option in found.decision.options:
        wanting = [*_unheld(found, option), *_unscored(found, option)]
        scenarios = dict.fromkeys(name for name, row in wanting if _is_runnable(row))
        if scenarios and option.candidate is not None:
            said = run_that_shows(found.spike, option, scenarios, sandbox=False)
            yield f"* Not shown for want of trials. What may show it: {said}"


def _unheld(found: Assessment, option: Option) -> list[tuple[str, Row | None]]:
    held = found.held[option.name]
    return [(one.asked.scenario, one.row) for one in held if one.outcome == "not shown"]


def _unscored(found: Assessment, option: Option) -> Iterator[tuple[str, Row | None]]:
    matrix = found.matrix
    if option not in matrix.options:
        return
    for place in matrix.missing(matrix.options.index(option)):
        asked = matrix.criteria[place].measured
        found_figure = matrix.entries[place][matrix.options.index(option)].figure
        if asked is not None and found_figure is not None:
            yield asked.scenario, found_figure.row


def _is_runnable(row: Row | None) -> bool:
    """Whether more trials here may tell: there were none of it, or some, and no emulator's."""
    return row is None or (bool(row.cell.valid) and row.cell.fidelity != "emulator")
