"""What every scenario file says, whatever its spike: a question, how it is analysed, and sweeps.

Each spike has a model of its own that adds its workload: ``messages.py`` for message brokers,
another spike's beside its experiments.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from pydantic_core import PydanticCustomError

from spikebench.scenario.document import Document


def refuse(key: str, what: str) -> PydanticCustomError:
    """An error of several keys, to be shown at ``key`` (dotted, from the part that is checked).

    A part that is a number is a place in a list.
    """
    return PydanticCustomError("scenario", "{what}", {"what": what, "key": key})


class Part(BaseModel):
    """A part of a scenario file: frozen, with no unknown key and no number that is not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Analysis(Part):
    """Declared before the run: what is compared, on which metric, and the difference that matters.

    ``delta`` is a ratio: 0.10 means that ±10 % does not matter. ``baseline`` is the candidate the
    others are compared with. Where ``baseline_params`` names parameters, a cell that differs in
    them is compared with its own candidate's cell at these values instead: one change at a time.
    """

    metric: str
    delta: float = Field(default=0.10, gt=0, lt=1)
    baseline: str = Field(min_length=1)
    baseline_params: Mapping[str, str] = {}
    trials: int = Field(default=6, ge=1, le=1000)


class Scenario(Part):
    """A workload's name and question, how it is analysed, and what is swept.

    ``sweep`` maps a dotted key to the values it takes; each combination is a cell. ``full_sweep``
    widens it in the profile ``full``. ``emulator`` maps dotted keys to the values used where the
    target is an emulator, whose speed says nothing of the service.
    """

    SWEPT: ClassVar[tuple[str, ...]] = ()
    """Parts whose keys may be swept."""

    SAID: ClassVar[frozenset[str]] = frozenset(
        {"title", "question", "analysis", "requires", "sweep", "full_sweep", "emulator"}
    )
    """Parts that a trial of a cell does not depend on."""

    scenario: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    title: str = Field(min_length=1)
    question: str = Field(min_length=1)
    analysis: Analysis
    sweep: dict[str, list[Any]] = {}
    full_sweep: dict[str, list[Any]] = {}
    emulator: dict[str, Any] = {}

    _document: Document | None = PrivateAttr(None)

    @property
    def document(self) -> Document | None:
        """The file this was read from, for errors that name its lines; None if made in code."""
        return self._document

    def read_from(self, document: Document | None) -> Self:
        """Return a copy that knows the file it was read from."""
        copy = self.model_copy()
        copy._document = document
        return copy

    @property
    def kind(self) -> str:
        """What sort of experiment it is, in a word or two, for lists of scenarios."""
        return ""

    @property
    def breaks(self) -> bool:
        """Whether something breaks in the middle of a trial: it is run with ``-m faults`` only."""
        return False

    @property
    @abstractmethod
    def seconds(self) -> float:
        """About how long a trial takes, in seconds."""

    @abstractmethod
    def shortened(self) -> Self:
        """Return the scenario as the profile ``smoke`` runs it: does everything work?"""

    def stretched(self, factor: float) -> Self:
        """Return the scenario with ``factor`` times as much measured in a trial."""
        raise NotImplementedError(f"{type(self).__name__} has nothing to stretch by {factor:g}")
