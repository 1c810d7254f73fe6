"""Lambda's own account of an invoke: the REPORT line at the end of its log.

https://docs.aws.amazon.com/lambda/latest/dg/java-logging.html (fields),
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-monitoring.html (what a restore adds).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

_NUMBER = r"(\d+(?:\.\d+)?)"
# The longer names come first, so that "Billed Duration" is not read as "Duration".
_FIELD = re.compile(
    r"(Billed Restore Duration|Restore Duration|Init Duration|Billed Duration|Duration"
    rf"|Memory Size|Max Memory Used):\s*{_NUMBER}\s*(ms|MB)\b"
)
_LINE = re.compile(r"(?<![A-Z_])REPORT RequestId:\s*(\S+)([^\n]*)")
_INIT = re.compile(
    rf"INIT_REPORT Init Duration:\s*{_NUMBER}\s*ms\s+Phase:\s*init\s+Status:\s*(\w+)"
)
_STATUS = re.compile(r"(?<!\S)Status:\s*(\S+)")
_ERROR_TYPE = re.compile(r"(?<!\S)Error Type:\s*(\S+)")

_UNITS = {"Memory Size": "MB", "Max Memory Used": "MB"}
_NEEDED = ("Duration", "Billed Duration", "Memory Size", "Max Memory Used")


class NoReport(ValueError):  # noqa: N818 - what happened
    """A log holds no REPORT line of the invoke, or one that can't be read."""


@dataclass(frozen=True)
class FailedInit:
    """An initialisation that failed or hit its limit of 10 s: Lambda runs it again in the invoke.

    ``duration_ms`` is that of the first attempt; the second is part of the invoke's Duration.
    """

    duration_ms: float
    status: str


@dataclass(frozen=True)
class Report:
    """One invoke as Lambda accounts for it: times in ms, memory in MB.

    ``init_ms`` is there where an environment was initialised for this invoke, ``restore_ms`` and
    ``billed_restore_ms`` where one was restored from a snapshot. ``billed_ms`` has all that is
    charged: Duration, Init Duration (since 2025-08-01) and Billed Restore Duration.
    ``status`` is empty for an invoke that ended well, else ``error`` or ``timeout``.
    """

    request_id: str
    duration_ms: float
    billed_ms: float
    memory_mb: int
    peak_memory_mb: int
    init_ms: float | None = None
    restore_ms: float | None = None
    billed_restore_ms: float | None = None
    status: str = ""
    error_type: str = ""
    failed_init: FailedInit | None = None

    @property
    def start_ms(self) -> float | None:
        """What came before the invoke: init or restore; None where neither is reported."""
        return self.init_ms if self.restore_ms is None else self.restore_ms


def decode_tail(log_result: str) -> str:
    """Return the log (its last 4 KB) that an invoke with ``LogType=Tail`` brings along.

    Raises NoReport where it is not base64.
    """
    try:
        return base64.b64decode(log_result, validate=True).decode(errors="replace")
    except (binascii.Error, ValueError) as error:
        raise NoReport(f"the log that came with the answer can't be read: {error}") from None


def parse_report(log: str, request_id: str = "") -> Report:
    """Return the report in a log: that of ``request_id`` where given, else the last.

    Fields may come in any order, with tabs or blanks between them; what is not known is passed
    over. Raises NoReport where there is none, a field is missing, given twice or in another unit.
    """
    line = _find_line(log, request_id)
    fields = _fields(line.group(2))
    status = _STATUS.search(line.group(2))
    error_type = _ERROR_TYPE.search(line.group(2))
    return Report(
        request_id=line.group(1),
        duration_ms=fields["Duration"],
        billed_ms=fields["Billed Duration"],
        memory_mb=int(fields["Memory Size"]),
        peak_memory_mb=int(fields["Max Memory Used"]),
        init_ms=fields.get("Init Duration"),
        restore_ms=fields.get("Restore Duration"),
        billed_restore_ms=fields.get("Billed Restore Duration"),
        status=status.group(1) if status else "",
        error_type=error_type.group(1) if error_type else "",
        failed_init=_failed_init(log[: line.start()]),
    )


def _find_line(log: str, request_id: str) -> re.Match[str]:
    # a function may print whatever it likes: the platform's line is the last of this request
    lines = [m for m in _LINE.finditer(log) if request_id in ("", m.group(1))]
    if not lines:
        wanted = f" of request {request_id}" if request_id else ""
        raise NoReport(f"the log holds no REPORT line{wanted}")
    return lines[-1]


def _fields(text: str) -> dict[str, float]:
    fields: dict[str, float] = {}
    for name, value, unit in _FIELD.findall(text):
        if name in fields:
            raise NoReport(f"the REPORT line gives {name} twice")
        if unit != _UNITS.get(name, "ms"):
            raise NoReport(f"the REPORT line gives {name} in {unit}")
        fields[name] = float(value)
    if missing := [name for name in _NEEDED if name not in fields]:
        raise NoReport(f"the REPORT line has no {', '.join(missing)}")
    return fields


def _failed_init(log: str) -> FailedInit | None:
    failed = [(ms, status) for ms, status in _INIT.findall(log) if status != "success"]
    return FailedInit(float(failed[-1][0]), failed[-1][1]) if failed else None
