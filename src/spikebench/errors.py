"""Errors that reach a person, and the exit codes they end a command with.

    SpikebenchError            1   anything of ours not named below
    ├── UsageError             2   an unknown candidate, client, scenario, target or option value
    ├── ScenarioError          3   a scenario file that cannot be read; names file, line and key
    ├── TargetError            4   a candidate's server that cannot be had, started or kept up
    │   └── ArtefactError      5   a download that failed, or a cached file that was changed
    ├── RecordError            6   a record file that cannot be read or written
    ├── DriverError            7   a client library that refused what it was asked
    └── GateError              8   ``compare --gate`` found what is worse, ``decide --check``
                               what no longer matches its evidence

A run goes on without what cannot be had; it ends with the code that the errors of all its failed
trials have in common, else with 1. 130 is Ctrl-C, 143 SIGTERM.

Every message says what happened, where, and what to do about it.
"""

from __future__ import annotations


class SpikebenchError(Exception):
    """An error with one clear message: what happened, where, and what to do."""

    exit_code = 1


class UsageError(SpikebenchError):
    """The command line names something that does not exist."""

    exit_code = 2


class ScenarioError(SpikebenchError):
    """A scenario file is malformed; the message starts with ``file:line: key``."""

    exit_code = 3


class TargetError(SpikebenchError):
    """A candidate's server could not be had, started or kept up."""

    exit_code = 4


class ArtefactError(TargetError):
    """A download failed, or a cached file is not the one that was pinned."""

    exit_code = 5


class RecordError(SpikebenchError):
    """A record file could not be read or written; earlier trials are intact."""

    exit_code = 6


class DriverError(SpikebenchError):
    """A client library refused what it was asked, or lost its connection."""

    exit_code = 7


class GateError(SpikebenchError):
    """What was to gate a change found it worse, or a decision that its evidence does not give."""

    exit_code = 8
