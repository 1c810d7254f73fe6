"""Load: when messages are due, the workers that send and receive them, and the experiments."""
