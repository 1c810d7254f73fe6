"""A decision record: MADR 4.0's headings, with what measurements add under "More Information".

The template is https://github.com/adr/madr/blob/4.0.0/template/adr-template.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from spikebench.decision import money, proof, rows, sections
from spikebench.decision.assess import Assessment
from spikebench.decision.blocks import Block, Part
from spikebench.decision.limits import limits
from spikebench.decision.wording import own

WRITE_HERE = "\n<!-- What you write outside the generated blocks is kept. -->\n"

Section = Callable[[Assessment], Iterator[str]]


def parts(found: Assessment, date: str, supersedes: str = "") -> list[Part]:
    """The record in order; ``supersedes`` is the number of the one it takes the place of."""
    return [
        _front(found.spike.name, date, supersedes),
        f"# {own(found.decision.title)}\n",
        *_headed("## Context and Problem Statement", "context", sections.context, found),
        WRITE_HERE,
        *_headed("## Decision Drivers", "drivers", sections.drivers, found),
        *_headed("## Considered Options", "options", sections.options, found),
        *_headed("## Decision Outcome", "outcome", sections.outcome, found),
        WRITE_HERE,
        *_headed("### Consequences", "consequences", sections.consequences, found),
        *_headed("### Confirmation", "confirmation", sections.confirmation, found),
        "\n## Pros and Cons of the Options\n",
        *_options(found),
        "\n## More Information\n",
        *_more(found),
    ]


def _front(spike: str, date: str, supersedes: str) -> str:
    lines = ["---", "status: proposed", f"date: {date}"]
    lines += [f"{who}: []" for who in ("decision-makers", "consulted", "informed")]
    lines += [f"spike: {spike}"]
    lines += [f"supersedes: ADR-{supersedes}"] if supersedes else []
    return "\n".join([*lines, "---", "", ""])


def _headed(heading: str, name: str, section: Section, found: Assessment) -> list[Part]:
    return [f"\n{heading}\n\n", Block(name, "\n".join(section(found)))]


def _options(found: Assessment) -> Iterator[Part]:
    for option in found.decision.options:
        yield "\n"
        yield Block(f"option-{option.name}", "\n".join(sections.option(found, option)))


def _more(found: Assessment) -> Iterator[Part]:
    more: dict[str, Section] = {
        "must-haves": sections.must_haves,
        "matrix": sections.matrix,
        "turning": sections.turning,
        "verdicts": rows.verdicts,
        "faults": rows.faults,
        "limits": limits,
        "cost": proof.cost,
        "cheapest": money.cheapest,
        "evidence": proof.evidence,
        "again": proof.again,
        "review": proof.review,
    }
    for name, section in more.items():
        text = "\n".join(section(found))
        if text:
            yield "\n"
            yield Block(name, text)
