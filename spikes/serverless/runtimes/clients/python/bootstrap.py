"""Starts Python's runtime interface client as the managed runtime does; the mark comes first."""

import os
import sys


def mark() -> None:
    """Write one byte to the pipe that the harness named; do nothing where none is named."""
    if path := os.environ.get("SPIKEBENCH_MARK"):
        pipe = os.open(path, os.O_WRONLY)
        os.write(pipe, b"1")
        os.close(pipe)


def serve() -> None:
    """Answer invokes until the process is ended."""
    from awslambdaric.__main__ import main

    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    main([__file__, os.environ["_HANDLER"]])


if __name__ == "__main__":
    mark()
    serve()
