"""The header every message body starts with: which trial, which message, and when it was sent.

A body is one JSON object in ASCII whose first member is the header::

    {"_sb":"0000002a0000000700001ca3e1f7b9c4", ...
            └ trial ┘└  seq  ┘└ sent, ns    ┘

Fixed places and widths let a sender patch a template with one concatenation and a receiver read it
back without parsing JSON. Times are nanoseconds of CLOCK_MONOTONIC, so they compare on one host.
"""

from __future__ import annotations

import struct
from binascii import Error as NotHexadecimal
from binascii import hexlify, unhexlify
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OPENING = b'{"_sb":"'
CLOSING = b'",'
HEADER_BYTES = 42
"""Length of the opening, 8 + 8 + 16 hexadecimal digits and the closing."""

_DIGITS_END = HEADER_BYTES - len(CLOSING)
_FIELDS = struct.Struct(">IIq")
_RECORD = np.dtype([("tag", ">u4"), ("seq", ">u4"), ("sent_ns", ">i8")])

_pack = _FIELDS.pack
BLANK = OPENING + hexlify(_pack(0, 0, 0)) + CLOSING
"""A header of zeros, for templates."""


def patch(template: bytes, tag: int, seq: int, sent_ns: int) -> bytes:
    """Return ``template`` with its header's fields replaced.

    ``tag`` and ``seq`` are below 2**32, ``sent_ns`` below 2**63; raises struct.error otherwise.
    """
    return OPENING + hexlify(_pack(tag, seq, sent_ns)) + template[_DIGITS_END:]


def parse(body: bytes) -> tuple[int, int, int] | None:
    """Return (tag, seq, sent_ns) of a body of ours, or None for any other bytes."""
    if not body.startswith(OPENING) or body[_DIGITS_END:HEADER_BYTES] != CLOSING:
        return None
    try:
        tag, seq, sent_ns = _FIELDS.unpack(unhexlify(body[len(OPENING) : _DIGITS_END]))
    except NotHexadecimal:
        return None
    return tag, seq, sent_ns


@dataclass(frozen=True)
class Headers:
    """Headers of many bodies, an element a body; where ``ours`` is False the others are 0."""

    ours: NDArray[np.bool_]
    tag: NDArray[np.int64]
    seq: NDArray[np.int64]
    sent_ns: NDArray[np.int64]


def parse_many(bodies: Sequence[bytes]) -> Headers:
    """Return the headers of ``bodies``, the same answers as ``parse`` gives one by one."""
    heads = b"".join([body[:HEADER_BYTES].ljust(HEADER_BYTES, b"\0") for body in bodies])
    return parse_heads(heads)


def parse_heads(heads: bytes | bytearray) -> Headers:
    """Return the headers in ``heads``: the first 42 bytes of many bodies, one after the other.

    Raises ValueError where the length is no multiple of 42.
    """
    rows = np.frombuffer(heads, np.uint8).reshape(-1, HEADER_BYTES)
    values = _NIBBLES[rows[:, len(OPENING) : _DIGITS_END]]
    ours = (
        (rows[:, : len(OPENING)] == np.frombuffer(OPENING, np.uint8)).all(axis=1)
        & (rows[:, _DIGITS_END:] == np.frombuffer(CLOSING, np.uint8)).all(axis=1)
        & (values <= 15).all(axis=1)
    )
    octets = np.where(ours[:, None], values[:, 0::2] * 16 + values[:, 1::2], 0).astype(np.uint8)
    fields = np.ascontiguousarray(octets).view(_RECORD).reshape(-1)
    return Headers(
        ours=ours,
        tag=fields["tag"].astype(np.int64),
        seq=fields["seq"].astype(np.int64),
        sent_ns=fields["sent_ns"].astype(np.int64),
    )


def _nibbles() -> NDArray[np.uint8]:
    table = np.full(256, 16, np.uint8)
    for digit in b"0123456789abcdefABCDEF":
        table[digit] = int(chr(digit), 16)
    return table


_NIBBLES = _nibbles()
