"""A static site of all spikes and decisions, made from ``results/`` alone.

Its pages need no server, no network and no script to be read; scripts sort, filter and draw charts.
"""

from spikebench.site.build import build

__all__ = ["build"]
