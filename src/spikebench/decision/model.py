"""What ``scenarios/<spike>/decision.yaml`` says: a question, its options, and how they are weighed.

Everything here is declared before a run is looked at: what must be, what counts how much, and
between which values a measure goes from worthless to as good as it need be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from spikebench.scenario.document import Key
from spikebench.scenario.model import Part, refuse

Name = str
Params = Mapping[str, str | int | float]

SLUG = r"^[a-z0-9][a-z0-9+.-]{0,59}$"


def _day(text: str) -> str:
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    what = f"{text!r} does not fit; write a day as 2027-05-25"
    raise PydanticCustomError("scenario", "{what}", {"what": what})


Day = Annotated[str, AfterValidator(_day)]
"""A day of the calendar, as ISO 8601 has it."""


class Option(Part):
    """One answer to the question: a candidate, with the parameters that make it this option.

    ``candidate`` is None for what this spike does not measure; such an option is judged. ``client``
    is the candidate's first that has rows, where none is named. ``stand_ins`` maps a scenario to
    another candidate whose rows are the option's there, such as a cluster in one of faults.
    """

    name: Name = Field(pattern=SLUG)
    title: str = Field(min_length=1)
    candidate: str | None = None
    client: str | None = None
    params: Params = Field(default_factory=dict)
    stand_ins: Mapping[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if self.stand_ins and self.candidate is None:
            raise refuse("stand_ins", "stand in for a candidate; name it, or remove them")
        return self

    def candidate_in(self, scenario: str) -> str | None:
        """The candidate whose rows of a scenario are the option's."""
        return self.stand_ins.get(scenario, self.candidate)


class MustHave(Part):
    """A requirement without which an option is out: a scenario's own, or a bound on a metric.

    ``requires: met`` is the judgement of the table's layout; else ``metric`` is held against
    ``at_most`` or ``at_least``, in its own ``unit``, by where its 95 % interval lies. What a
    scenario of faults asks must hold each time that something breaks: there the worst trial is
    held against the bound.
    """

    name: str = Field(min_length=1)
    scenario: str
    params: Params = Field(default_factory=dict)
    requires: Literal["met"] | None = None
    metric: str | None = None
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        bounds = [bound for bound in (self.at_most, self.at_least) if bound is not None]
        if (self.requires is None) == (self.metric is None):
            raise refuse("name", "write 'requires: met', or a metric with at_most or at_least")
        if self.metric is not None and len(bounds) != 1:
            raise refuse("metric", "needs one bound: at_most or at_least")
        if self.metric is None and bounds:
            raise refuse("requires", "has its bounds in the scenario; remove at_most and at_least")
        return self


class Measured(Part):
    """A metric of a scenario, and the values between which it counts, in the metric's ``unit``.

    At ``best`` and beyond it the score is 1, at ``worst`` and beyond it 0; between them it is even
    on a ``log`` scale (each halving is worth the same), or on a ``linear`` one. ``or_judged`` is
    whether a judged score stands for an option for as long as no row shows the metric; a row that
    does takes its place.
    """

    scenario: str
    metric: str
    params: Params = Field(default_factory=dict)
    unit: str = Field(min_length=1)
    best: float = Field(ge=-1e15, le=1e15)
    worst: float = Field(ge=-1e15, le=1e15)
    scale: Literal["log", "linear"] = "log"
    or_judged: bool = False

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.best == self.worst:
            raise refuse("worst", "must differ from best; between them the score goes from 1 to 0")
        if self.scale == "log" and min(self.best, self.worst) <= 0:
            raise refuse("scale", "log needs best and worst above 0; write 'scale: linear'")
        return self


class JudgedScore(Part):
    """What somebody gives an option, from 0 (worst that could be) to 1, and why."""

    option: Name
    score: float = Field(ge=0, le=1)
    why: str = Field(min_length=1)


class Judged(Part):
    """Scores that no run here can measure; ``by`` is who gave them."""

    by: str = Field(min_length=1)
    scores: list[JudgedScore] = Field(min_length=1)


class Criterion(Part):
    """What counts beyond the must-haves; its share is its ``weight`` over the sum of all.

    ``measured``, or ``judged``, or both: then the judged scores are of options without a candidate,
    and with ``or_judged`` of those that no row shows yet.
    """

    name: str = Field(min_length=1)
    weight: float = Field(ge=0.001, le=1000)
    measured: Measured | None = None
    judged: Judged | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.measured is None and self.judged is None:
            raise refuse("name", "must be measured or judged; add one of them")
        if self.may_be_judged and self.judged is None:
            raise refuse("measured.or_judged", "has no judged scores; add them, or remove it")
        return self

    @property
    def may_be_judged(self) -> bool:
        """Whether a judged score stands where a measured one is not shown."""
        return self.measured is not None and self.measured.or_judged

    def given(self, option: Name) -> JudgedScore | None:
        """The score that somebody gave an option; None where nobody did."""
        scores = self.judged.scores if self.judged else []
        return next((one for one in scores if one.option == option), None)


class Decision(Part):
    """A question with its options; ``decision`` is the name that its record's file has."""

    decision: str = Field(pattern=SLUG)
    title: str = Field(min_length=1)
    question: str = Field(min_length=1)
    context: str = Field(min_length=1)
    review: Day
    drivers: list[str] = Field(min_length=1)
    options: list[Option] = Field(min_length=2)
    must_haves: list[MustHave] = Field(default_factory=list)
    criteria: list[Criterion] = Field(min_length=1)
    cannot_show: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = {
            "options": [one.name for one in self.options],
            "must_haves": [one.name for one in self.must_haves],
            "criteria": [one.name for one in self.criteria],
        }
        for key, names in named.items():
            for at, name in _repeated(names):
                raise refuse(f"{key}.{at}.name", f"{name!r} is given twice; keep one")
        for at, criterion in enumerate(self.criteria):
            self._check_scores(at, criterion)
        return self

    def _check_scores(self, at: int, criterion: Criterion) -> None:
        key = f"criteria.{at}.judged"
        scores = criterion.judged.scores if criterion.judged else []
        options = {option.name: option for option in self.options}
        alone = criterion.measured is not None and not criterion.may_be_judged
        for place, one in enumerate(scores):
            if one.option not in options:
                known = ", ".join(options)
                raise refuse(f"{key}.scores.{place}.option", f"no such option; there are: {known}")
            if alone and options[one.option].candidate is not None:
                what = f"{one.option} is measured here; remove its judged score, or write"
                raise refuse(f"{key}.scores.{place}.option", f"{what} 'or_judged: true'")
        for place, name in _repeated([one.option for one in scores]):
            raise refuse(f"{key}.scores.{place}.option", f"{name!r} has two scores; keep one")
        for option in self.options:
            judged = criterion.measured is None or option.candidate is None
            if judged and criterion.given(option.name) is None:
                where = key if criterion.judged else f"criteria.{at}"
                raise refuse(where, f"{option.name} has no score; add one with who judged and why")

    @property
    def shares(self) -> list[float]:
        """Each criterion's share of the whole, in order; they add up to 1."""
        whole = sum(criterion.weight for criterion in self.criteria)
        return [criterion.weight / whole for criterion in self.criteria]

    @property
    def asked(self) -> dict[Key, MustHave | Measured]:
        """All that is asked of scenarios, by where it stands in the file."""
        criteria: dict[Key, MustHave | Measured] = {
            ("criteria", at, "measured"): one.measured
            for at, one in enumerate(self.criteria)
            if one.measured is not None
        }
        must_haves: dict[Key, MustHave | Measured] = {
            ("must_haves", at): one for at, one in enumerate(self.must_haves)
        }
        return {**must_haves, **criteria}


def _repeated(names: Iterable[str]) -> Iterator[tuple[int, str]]:
    seen: Counter[str] = Counter()
    for at, name in enumerate(names):
        seen[name] += 1
        if seen[name] > 1:
            yield at, name
