"""What the Python drivers of AWS count of their calls; the answers are stubbed."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from spikebench.load.driver import Billed, Wiring
from spikes.messaging.candidates.calls import Calls
from spikes.messaging.candidates.kinesis import KinesisDriver
from spikes.messaging.candidates.null import NullDriver
from spikes.messaging.candidates.sns_sqs import SnsSqsDriver
from spikes.messaging.candidates.sqs import SqsDriver

URL = "http://127.0.0.1:1/queue"


@pytest.fixture
def sqs() -> Any:
    return boto3.client(
        "sqs",
        region_name="eu-west-2",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )


def test_calls_are_counted_by_operation_and_vain_receives_apart(sqs: Any) -> None:
    calls = Calls()
    message = {"MessageId": "1", "ReceiptHandle": "h", "Body": "b"}
    with Stubber(calls.of(sqs)) as stub:
        for answer in ({}, {"Messages": [message, message]}, {}):
            stub.add_response("receive_message", answer)
            sqs.receive_message(QueueUrl=URL)
        stub.add_response("send_message_batch", {"Successful": [], "Failed": []})
        sqs.send_message_batch(QueueUrl=URL, Entries=[{"Id": "0", "MessageBody": "b"}])
    assert calls.so_far() == {
        "receive_message_empty": 2,
        "receive_message": 1,
        "send_message_batch": 1,
    }


@pytest.mark.parametrize("driver", [SqsDriver, SnsSqsDriver, KinesisDriver])
def test_drivers_of_aws_tell_their_calls(driver: Any) -> None:
    made = driver(Wiring(name="sb-1", connection={}))
    assert isinstance(made, Billed)
    assert made.calls_answered() == {}


def test_a_driver_of_what_bills_no_calls_tells_none() -> None:
    assert not isinstance(NullDriver(Wiring(name="sb-1", connection={})), Billed)
