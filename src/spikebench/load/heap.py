"""The C library's heap of this process: what arrays leave in it when they are gone."""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3
LARGE_BYTES = 1 << 20


def return_large_blocks() -> None:
    """Have blocks of a megabyte and more go back to the system as soon as they are free.

    Left to itself glibc raises that bound to the largest block freed so far, up to 32 MiB, and
    keeps what lies below: a run held 150 MB of arrays that were gone. Nothing without glibc.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option:
        set_option(_M_MMAP_THRESHOLD, LARGE_BYTES)


def return_free_pages() -> None:
    """Give back what is free now; it takes milliseconds, for between trials. glibc alone does."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
