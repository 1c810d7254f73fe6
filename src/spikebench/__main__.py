"""``python -m spikebench`` is the command line."""

from spikebench.cli import main

main()
