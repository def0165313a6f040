"""What a message of the relay says, and what the command says without a server."""

from uuid import uuid4

import pytest

from api.cli.relay import run_check
from api.delivery.relay.messages import headers_of, read_message, subject_of
from api.streams.envelope import HIDDEN, Envelope
from api.streams.following import StreamedEvent
from registry.errors import MalformedLog
from registry.log.leaf import entry_leaf
from registry.log.merkle import leaf_hash
from registry.settings import Settings

COMMITMENT = "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def test_a_message_is_taken_at_its_place_only_and_says_what_its_leaf_is() -> None:
    event_id = uuid4()
    leaf = entry_leaf(event_id, COMMITMENT)
    body = Envelope("register.example/log").encode(7, event_id, HIDDEN, leaf, leaf_hash(leaf))
    event = StreamedEvent(7, "entry", None, str(event_id), body)
    assert subject_of(event.type) == "constancia.entry"
    assert headers_of(event, "constancia") == {
        "Content-Type": "application/cloudevents+json",
        "Nats-Msg-Id": str(event_id),
        "Nats-Expected-Stream": "constancia",
        "Nats-Expected-Last-Sequence": "7",
    }
    assert read_message("constancia.entry", body) == ("//register.example/log", 7, "entry", leaf_hash(leaf))
    for changed in (
        body.replace(b'"v":1', b'"v":2'),
        body.replace(str(event_id).encode(), str(uuid4()).encode(), 1),
        body.replace(b'"type":"entry"', b'"type":"release.published"', 1),
        body[:-1],
        b'{"data":{"leaf":"\xff"}}',
        b"",
    ):
        with pytest.raises(MalformedLog):
            read_message("constancia.entry", changed)
    with pytest.raises(MalformedLog):
        read_message("constancia.release.published", body)


def test_without_a_server_the_check_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_check(Settings()) == 2
    assert "CONSTANCIA_NATS_URL is missing" in capsys.readouterr().err
