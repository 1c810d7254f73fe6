"""``python -m tests.stress``: kill -9 at random moments of a run, and what is left of it."""
