import sys
from pathlib import Path

import pytest

from spikebench.errors import TargetError
from spikes.serverless.java.rehearsal import rehearse

ANSWERS = """
import http.client, os
link = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
link.request("GET", "/2018-06-01/runtime/invocation/next")
event = link.getresponse()
content = event.read()
name = event.headers["Lambda-Runtime-Aws-Request-Id"]
link.request("POST", f"/2018-06-01/runtime/invocation/{name}/ANSWER", body=b"<" + content + b">")
link.getresponse().read()
link.request("GET", "/2018-06-01/runtime/invocation/next")
link.getresponse()
"""


def _rehearse(script: str, folder: Path) -> bytes:
    return rehearse([sys.executable, "-c", script], folder, {"PATH": ""}, b'{"a": 1}')


def test_the_answer_to_the_one_event_is_returned(tmp_path: Path) -> None:
    assert _rehearse(ANSWERS.replace("ANSWER", "response"), tmp_path) == b'<{"a": 1}>'


def test_an_answer_in_chunks_is_put_together(tmp_path: Path) -> None:
    chunked = ANSWERS.replace("ANSWER", "response").replace(
        'body=b"<" + content + b">"', 'body=iter([b"<", content, b">"])'
    )
    assert _rehearse(chunked, tmp_path) == b'<{"a": 1}>'


def test_a_function_that_says_it_failed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"answered with an error: <\{"):
        _rehearse(ANSWERS.replace("ANSWER", "error"), tmp_path)


def test_a_function_that_ends_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"exit code 3 before it answered: no such thing"):
        _rehearse("import sys; print('no such thing'); sys.exit(3)", tmp_path)
