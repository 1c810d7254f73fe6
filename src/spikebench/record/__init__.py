"""Trial records: the evidence everything else is made from.

One line of JSON a trial, appended, flushed and synced as the trial ends.
"""

from spikebench.measure.outcome import Better, Event, Ledger, Limit, Metric, Resources, Status
from spikebench.record.file import RecordFile, TornLineWarning, read_records
from spikebench.record.model import SCHEMA, Record
from spikebench.record.run import Kind, find_run, latest_run, of_faults, run_path, runs_of

__all__ = [
    "SCHEMA",
    "Better",
    "Event",
    "Kind",
    "Ledger",
    "Limit",
    "Metric",
    "Record",
    "RecordFile",
    "Resources",
    "Status",
    "TornLineWarning",
    "find_run",
    "latest_run",
    "of_faults",
    "read_records",
    "run_path",
    "runs_of",
]
