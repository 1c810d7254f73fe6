"""The serverless spike's experiments: each is measured for every cell and block of a run."""

from __future__ import annotations

import pytest

from spikebench.plugin import Trial

pytestmark = pytest.mark.spike("serverless")


@pytest.mark.scenario("hello")
def test_hello(trial: Trial) -> None:
    """A handler that answers a constant: the runtime alone."""
    trial.measure()


@pytest.mark.scenario("json")
def test_json(trial: Trial) -> None:
    """Row events parsed, validated and mapped: classes without a framework."""
    trial.measure()


@pytest.mark.scenario("spring")
def test_spring(trial: Trial) -> None:
    """A REST controller, validation and a repository on Spring Boot."""
    trial.measure()


@pytest.mark.scenario("in-process")
def test_in_process(trial: Trial) -> None:
    """A JVM started inside a Python process, through JPype."""
    trial.measure()
