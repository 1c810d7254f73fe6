"""Answers a constant."""


def handler(event: object, context: object) -> dict[str, str]:  # noqa: ARG001
    """Say hello."""
    return {"message": "hello spike"}
