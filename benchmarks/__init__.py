"""The harness beside the tools that people would use instead, on this machine, in one run."""
