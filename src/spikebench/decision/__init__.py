"""From a run's records to a decision record: must-haves, weighted criteria, and what flips them."""
