"""Validates and maps a batch of row events, as ../../README.md says."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StrictInt,
    StrictStr,
    ValidationError,
)

_DECIMAL = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,2}))?")


def _more_than_blanks(text: str) -> str:
    if not (stripped := text.strip()):
        raise ValueError("blank")
    return stripped


def _in_cents(value: object) -> int:
    if not isinstance(value, str) or (match := _DECIMAL.fullmatch(value)) is None:
        raise ValueError("not a decimal with at most two places")
    whole, places = match.groups(default="")
    return int(whole + places.ljust(2, "0"))


class Data(BaseModel):
    """What is validated of a row, in the order in which it can be refused."""

    id: Annotated[StrictInt, Field(gt=0)]
    name: Annotated[StrictStr, Field(max_length=100), AfterValidator(_more_than_blanks)]
    email: Annotated[StrictStr, Field(pattern=r"^[^@]+@[^@]+$")]
    amount: Annotated[int, BeforeValidator(_in_cents)]


class Row(BaseModel):
    """A row event as change-data capture writes it."""

    type: Literal["insert", "update", "delete"]
    database: str
    table: str
    data: Data = Field(default={}, validate_default=True)  # type: ignore[assignment]
    old: dict[str, Any] = {}

    def change(self) -> Change:
        """Return what becomes of the row."""
        return Change(
            key=f"{self.database}.{self.table}/{self.data.id}",
            operation=self.type,
            name=self.data.name,
            amount_cents=self.data.amount,
            changed=sorted(self.old),
        )


class Change(BaseModel):
    """A row that was accepted."""

    key: str
    operation: str
    name: str
    amount_cents: int
    changed: list[str]


class Refusal(BaseModel):
    """A row that was refused."""

    index: int
    reason: str


class Answer(BaseModel):
    """What an invoke answers."""

    accepted: list[Change] = []
    refused: list[Refusal] = []
    total_cents: int = 0


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Return the rows that are accepted, those that are refused, and the sum in cents."""
    answer = Answer()
    for index, row in enumerate(event["rows"]):
        try:
            change = Row.model_validate(row).change()
        except ValidationError as error:
            reason = str(error.errors()[0]["loc"][-1])
            answer.refused.append(Refusal(index=index, reason=reason))
        else:
            answer.accepted.append(change)
            answer.total_cents += change.amount_cents
    return answer.model_dump()
