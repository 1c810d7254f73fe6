import json

from spikebench.target.connection import PrivateConnection

CONNECTION = PrivateConnection(host="broker", user="me", password="s3cret", secret_key="k3y")


def test_secrets_are_not_shown() -> None:
    for text in (repr(CONNECTION), str(CONNECTION), f"{CONNECTION}", f"{[CONNECTION]}"):
        assert "broker" in text
        assert "s3cret" not in text
        assert "k3y" not in text


def test_secrets_are_taken_out_of_a_log() -> None:
    assert CONNECTION.redact("login me/s3cret k3y") == "login me/*** ***"


def test_an_empty_secret_redacts_nothing() -> None:
    assert PrivateConnection(password="").redact("as it was") == "as it was"


def test_a_driver_gets_plain_values() -> None:
    assert json.loads(json.dumps(CONNECTION))["password"] == "s3cret"
