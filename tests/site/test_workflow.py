"""The workflow that publishes the site: pinned, with no more leave than it needs, and runnable."""

from __future__ import annotations

import re
import shlex
from typing import Any

import click
from ruamel.yaml import YAML

from spikebench.cli import cli
from tests.site.conftest import ROOT

FILE = ROOT / ".github" / "workflows" / "site.yml"


def jobs() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(FILE)["jobs"]
    return found


def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it() -> None:
    used = [line for line in FILE.read_text().splitlines() if "uses:" in line]
    assert len(used) == sum("uses" in step for job in jobs().values() for step in job["steps"])
    for line in used:
        assert re.search(r"uses: actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_only_the_job_that_publishes_may_write() -> None:
    whole = YAML(typ="safe", pure=True).load(FILE)
    assert whole["permissions"] == {"contents": "read"}
    assert "permissions" not in jobs()["build"]
    assert jobs()["publish"]["permissions"] == {"pages": "write", "id-token": "write"}
    assert jobs()["publish"]["needs"] == "build"


def test_its_commands_are_ours_and_what_they_write_is_what_is_uploaded() -> None:
    steps = jobs()["build"]["steps"]
    ours = [shlex.split(step["run"]) for step in steps if "spikebench " in step.get("run", "")]
    assert [words[1] for words in ours] == ["decide", "site"]
    for _, name, *options in ours:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        command.make_context(name, list(options))  # a UsageError for an option that is not there
    (path,) = (step["with"]["path"] for step in steps if "upload-pages" in step.get("uses", ""))
    assert ours[-1][2:] == ["--out", path]


def test_a_push_of_what_the_site_is_made_of_publishes_it() -> None:
    whole = YAML(typ="safe", pure=True).load(FILE)
    asked = whole.get("on", whole.get(True))["push"]
    made_of = {"results/**", "scenarios/**", "spikes/**", "docs/**", "src/spikebench/**"}
    assert made_of <= set(asked["paths"])
    assert asked["branches"] == ["main"]
