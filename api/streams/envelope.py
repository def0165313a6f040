"""One envelope for all streams: CloudEvents 1.0.2 in their JSON format 1.0.2, one line each.

Required attributes are ``id``, ``source``, ``specversion`` and ``type``. ``subject`` is ``<kind of record>/<id>``. Of
our own are two extensions: ``position``, the index of the leaf in the log, and ``leafhash``, its RFC 6962 hash in
hexadecimal digits. ``data.leaf`` is the leaf itself: its canonical bytes stand in the text verbatim.

``position`` is an Integer of CloudEvents, which end at 2^31 - 1. There is no ``dataschema``, which would have to be an
absolute URI: the log's origin has no scheme. The schema of each type stands in ``/asyncapi.json``.
"""

from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from registry.domain.mapper import AGGREGATES, EVENTS
from registry.log.leaf import ENTRY, is_entry_leaf

MEDIA_TYPE: Final = "application/cloudevents+json"
BATCH_MEDIA_TYPE: Final = "application/cloudevents-batch+json"

OPEN_TYPES: Final = frozenset(name for name, event in EVENTS.items() if event.OPEN)
"""Events whose leaves show what they are."""

TYPES: Final = frozenset(EVENTS) | {ENTRY}
"""All that an event can be called in a stream."""


class Shown(NamedTuple):
    """What a reader may know of an event beside its leaf. ``subject`` is None where the leaf hides it."""

    type: str
    subject: str | None


HIDDEN: Final = Shown(ENTRY, None)


def subject_of(type_: str, stream: UUID) -> str:
    """``incident/<id>``: the record that an event of this name in this stream is about."""
    return f"{AGGREGATES[type_].NOUN}/{stream}"


def publicly(type_: str, stream: UUID, leaf: bytes) -> Shown:
    """What everybody may know: of an entry nothing, whatever is stored beside its leaf."""
    # An open leaf says its type, and its record where it has one, as tests/unit/api/test_envelope.py holds.
    return HIDDEN if is_entry_leaf(leaf) else Shown(type_, subject_of(type_, stream))


class Envelope:
    """Writes the CloudEvents of one log. ``origin`` is its name, a URL without a scheme: hence a network-path
    reference (RFC 3986 section 4.2) as ``source``."""

    def __init__(self, origin: str) -> None:
        self.source = f"//{origin}"
        self._source = msgspec.json.encode(self.source)

    def encode(
        self,
        position: int,
        event_id: UUID,
        shown: Shown,
        leaf: bytes,
        leaf_hash: bytes,
        *,
        time: str | None = None,
        more: bytes | None = None,
    ) -> bytes:
        """The event as JSON.

        :param time: when it was recorded (RFC 3339), for those who may know the time of day.
        :param more: further members of ``data`` for those who may see more than the leaf: JSON, ``"name":value,…``.
        """
        # Nothing here needs escaping but the source: names of events, ids and hexadecimal digits are plain ASCII.
        subject = f',"subject":"{shown.subject}"' if shown.subject is not None else ""
        recorded = f',"time":"{time}"' if time is not None else ""
        head = (
            f',"type":"{shown.type}"{subject}{recorded},"datacontenttype":"application/json",'
            f'"position":{position},"leafhash":"{leaf_hash.hex()}","data":{{"leaf":'
        )
        further = b"," + more if more is not None else b""
        return b"".join(
            (
                b'{"specversion":"1.0","id":"%s","source":' % str(event_id).encode(),
                self._source,
                head.encode(),
                leaf,
                further,
                b"}}",
            )
        )
