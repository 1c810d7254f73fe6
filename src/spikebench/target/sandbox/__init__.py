"""The sandbox target: an AWS account that may be spent in, one stack a run, and a budget."""
