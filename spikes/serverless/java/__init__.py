"""Java on Lambda: from the sources of a handler to a process that can be started."""
