"""Events as messages of JetStream, and back. Pure.

The payload is a CloudEvent in structured mode, as the NATS Protocol Binding for CloudEvents 1.0.2 (section 3) asks;
``Content-Type`` says so, by which drafts of its successor tell it from binary mode. The other headers are JetStream's:
the message is taken only as the next one of our stream (``Nats-Expected-Last-Sequence``), and one that comes again
within the duplicate window is known by its id.
"""

from typing import Final, NamedTuple

import msgspec

from api.streams.envelope import MEDIA_TYPE
from api.streams.following import StreamedEvent
from registry.errors import MalformedLog
from registry.log.merkle import leaf_hash

SUBJECTS: Final = "constancia"
"""Before the type: ``constancia.incident.disclosed``, ``constancia.entry``."""

ALL_SUBJECTS: Final = f"{SUBJECTS}.>"

CONTENT_TYPE: Final = "Content-Type"
MESSAGE_ID: Final = "Nats-Msg-Id"
EXPECTED_STREAM: Final = "Nats-Expected-Stream"
EXPECTED_LAST_SEQUENCE: Final = "Nats-Expected-Last-Sequence"


class Relayed(NamedTuple):
    """What a message says: of which log, at which position, what. ``leaf_hash`` was computed from its leaf."""

    source: str
    position: int
    type: str
    leaf_hash: bytes


class _Data(msgspec.Struct):
    leaf: msgspec.Raw


class _Event(msgspec.Struct):
    id: str
    source: str
    type: str
    position: int
    leafhash: str
    data: _Data


class _Leaf(msgspec.Struct):
    id: str
    type: str


_decode: Final = msgspec.json.Decoder(_Event).decode
_decode_leaf: Final = msgspec.json.Decoder(_Leaf).decode


def sequence_of(position: int) -> int:
    """The sequence in the stream: JetStream counts from 1."""
    return position + 1


def subject_of(type_: str) -> str:
    """Where events of this type are published."""
    return f"{SUBJECTS}.{type_}"


def headers_of(event: StreamedEvent, stream: str) -> dict[str, str]:
    """What makes JetStream take the event at its place, once, or not at all."""
    return {
        CONTENT_TYPE: MEDIA_TYPE,
        MESSAGE_ID: event.id,
        EXPECTED_STREAM: stream,
        EXPECTED_LAST_SEQUENCE: str(event.position),
    }


def read_message(subject: str, payload: bytes) -> Relayed:
    """What a message says, which agrees with itself: its leaf has its hash, id and type, its subject is that type's.

    :raises MalformedLog: it does not, or is no event of a register at all.
    """
    try:
        event = _decode(payload)
        leaf = _decode_leaf(event.data.leaf)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise MalformedLog(
            "El mensaje no es un evento de un registro.", "The message is no event of a register."
        ) from None
    digest = leaf_hash(bytes(event.data.leaf))
    if digest.hex() != event.leafhash:
        raise MalformedLog(
            "La hoja no tiene el hash que se dice.", "The leaf has not the hash that is given."
        )
    if (leaf.id, leaf.type, subject) != (event.id, event.type, subject_of(event.type)):
        raise MalformedLog(
            "El sobre dice otra cosa que la hoja.", "The envelope says something else than the leaf."
        )
    return Relayed(event.source, event.position, event.type, digest)
