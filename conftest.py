"""Nothing but this file's place: it puts the repository's root, and so ``spikes``, on the path."""
