"""The envelope of streams, held against the CloudEvents SDK and against what leaves show."""

import json
from datetime import date
from hashlib import sha256
from uuid import uuid4

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from api.streams.envelope import HIDDEN, OPEN_TYPES, Envelope, Shown, publicly
from registry.domain.mapper import EVENTS, decode_event
from registry.log.leaf import entry_leaf, open_leaf
from registry.log.merkle import leaf_hash
from tests.golden import corpus

COMMITMENT = "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def test_the_text_is_the_cloud_event_that_the_sdk_reads_and_writes() -> None:
    event_id = uuid4()
    leaf = open_leaf(event_id, "institution.renamed", date(2026, 11, 22), {"name": "Peñón “Sur”\u2028"})
    shown = Shown("institution.renamed", f"institution/{uuid4()}")
    time = "2026-11-22T10:11:12.000013Z"
    for origin in ("register.example/log", 'a"b\\c'):
        envelope = Envelope(origin)
        text = envelope.encode(7, event_id, shown, leaf, leaf_hash(leaf), time=time, more=b'"event":{}')
        assert b"\n" not in text
        read = JSONFormat().read(CloudEvent, text)
        attributes = {
            "specversion": "1.0",
            "id": str(event_id),
            "source": f"//{origin}",
            "type": shown.type,
            "subject": shown.subject,
            "time": read.get_time(),
            "datacontenttype": "application/json",
            "position": 7,
            "leafhash": leaf_hash(leaf).hex(),
        }
        assert read.get_attributes() == attributes
        built = CloudEvent(attributes, {"leaf": json.loads(leaf), "event": {}})
        assert json.loads(JSONFormat().write(built)) == json.loads(text)
        # The leaf stands in it verbatim: who cuts it out need not write canonical JSON to check it.
        assert b'"data":{"leaf":' + leaf in text
        assert sha256(b"\0" + leaf).hexdigest() == read.get_extension("leafhash")


def test_nothing_optional_is_said_of_an_entry() -> None:
    event_id, leaf = uuid4(), entry_leaf(uuid4(), COMMITMENT)
    text = Envelope("register.example/log").encode(0, event_id, HIDDEN, leaf, leaf_hash(leaf))
    assert json.loads(text) == {
        "specversion": "1.0",
        "id": str(event_id),
        "source": "//register.example/log",
        "type": "entry",
        "datacontenttype": "application/json",
        "position": 0,
        "leafhash": leaf_hash(leaf).hex(),
        "data": {"leaf": json.loads(leaf)},
    }


def test_an_entry_leaf_hides_whatever_is_stored_beside_it() -> None:
    for type_ in EVENTS:
        assert publicly(type_, uuid4(), entry_leaf(uuid4(), COMMITMENT)) == HIDDEN


def test_what_is_said_of_an_open_leaf_stands_in_it() -> None:
    seen = set()
    for name, state in corpus.stored().items():
        event = decode_event(corpus.Name.parse(name).topic, state)
        if not event.OPEN:
            continue
        leaf = open_leaf(event.event_id, event.TOPIC, event.recorded.date(), event.public())
        shown = publicly(event.TOPIC, event.originator_id, leaf)
        assert shown.type == json.loads(leaf)["type"]
        noun, _, record = (shown.subject or "").partition("/")
        if noun != "register":  # of which there is one, under an id that is known to all
            assert json.loads(leaf)["public"][noun] == record
        seen.add(event.TOPIC)
    assert seen == OPEN_TYPES
