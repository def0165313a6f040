"""The two shapes of a leaf, as bytes. Canonical JSON (RFC 8785, restricted). Pure.

An *entry leaf* shows nothing but a random id and one commitment, and always has the same length: who reported
when is what an armed group would want to know. An *open leaf* is readable by all::

    {"id":<UUIDv4>,"sealed":{"content":<base64>},"type":"entry","v":1}
    {"id":<UUIDv4>,"public":{...},"recorded":<UTC date>,"type":<name>,"v":1}
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from registry.errors import MalformedLog
from registry.log.canonical import JSON, decode, encode
from registry.log.lines import read_hash
from registry.log.tiles import MAX_ENTRY_SIZE

VERSION = 1
ENTRY = "entry"
ENTRY_LEAF_SIZE = 134
"""Bytes of every entry leaf."""

_ENTRY = re.compile(
    rb'\{"id":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",'
    rb'"sealed":\{"content":"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="\},"type":"entry","v":1\}'
)
"""All entry leaves: the text is fixed, the id a UUIDv4, the commitment 32 bytes, whose last base64 digit has two bits
to spare."""

_EVENT_TYPE = re.compile(r"[a-z]+(?:_[a-z]+)*\.[a-z]+(?:_[a-z]+)*")


@dataclass(frozen=True, slots=True)
class EntryLeaf:
    """An event that the public sees only as a commitment (base64) to its content."""

    event_id: UUID
    content: str


@dataclass(frozen=True, slots=True)
class OpenLeaf:
    """An event that everyone may read. ``recorded`` is a UTC date: the time of day could identify people."""

    event_id: UUID
    type: str
    recorded: date
    public: Mapping[str, JSON]


def entry_leaf(event_id: UUID, content_commitment: str) -> bytes:
    """The leaf of a closed event. MalformedLog unless the commitment is 32 bytes in base64."""
    _check_id(event_id)
    read_hash(content_commitment, "compromiso / commitment")
    # Canonical JSON needs no encoder where nothing varies but a UUID and base64.
    text = (
        f'{{"id":"{event_id}","sealed":{{"content":"{content_commitment}"}},"type":"{ENTRY}","v":{VERSION}}}'
    )
    return text.encode()


def open_leaf(event_id: UUID, type: str, recorded: date, public: Mapping[str, JSON]) -> bytes:  # noqa: A002
    """The leaf of an open event. MalformedLog when it would not be readable back."""
    _check_id(event_id)
    _check_type(type)
    leaf = encode(
        {"id": str(event_id), "public": dict(public), "recorded": _day(recorded), "type": type, "v": VERSION}
    )
    if len(leaf) > MAX_ENTRY_SIZE:
        raise MalformedLog(
            f"La hoja tendría {len(leaf)} bytes y el máximo es {MAX_ENTRY_SIZE}. Divida la publicación en "
            "varias.",
            f"The leaf would have {len(leaf)} bytes and the limit is {MAX_ENTRY_SIZE}. Split the "
            "publication.",
        )
    return leaf


def is_entry_leaf(data: bytes) -> bool:
    """Whether ``parse_leaf`` would give an EntryLeaf, at a fifteenth of its price: most leaves are entries, and who
    audits them all needs to know no more of them."""
    return _ENTRY.fullmatch(data) is not None


def parse_leaf(data: bytes) -> EntryLeaf | OpenLeaf:
    """What a leaf says; MalformedLog unless it is exactly what one of the functions above writes."""
    # 1. Canonical JSON: only one spelling.
    value = decode(data)
    # 2. The members of one of the two shapes, and no others.
    if not isinstance(value, dict) or type(value.get("v")) is not int or value["v"] != VERSION:
        raise _malformed("no es un objeto con «v» igual a 1", "it is not an object with “v” equal to 1")
    event_id = _parse_id(value.get("id"))
    if value.get("type") == ENTRY:
        sealed = value.get("sealed")
        if (
            set(value) != {"id", "sealed", "type", "v"}
            or not isinstance(sealed, dict)
            or set(sealed) != {"content"}
        ):
            raise _malformed("una entrada solo lleva su compromiso", "an entry carries its commitment only")
        # 3. A commitment is 32 bytes.
        commitment = sealed["content"]
        if not isinstance(commitment, str):
            raise _malformed("el compromiso no es texto", "the commitment is not a string")
        read_hash(commitment, "compromiso / commitment")
        return EntryLeaf(event_id, commitment)
    public, name, recorded = value.get("public"), value.get("type"), value.get("recorded")
    if set(value) != {"id", "public", "recorded", "type", "v"} or not isinstance(public, dict):
        raise _malformed(
            "sus campos no son los de una hoja abierta", "its members are not those of an open leaf"
        )
    if not isinstance(name, str) or not isinstance(recorded, str):
        raise _malformed("«type» o «recorded» no es texto", "“type” or “recorded” is not a string")
    _check_type(name)
    return OpenLeaf(event_id, name, _parse_day(recorded), public)


def _day(recorded: date) -> str:
    # A datetime is a date too, and would write its time.
    if type(recorded) is not date:
        raise TypeError("recorded is a date in UTC, without a time")
    return recorded.isoformat()


def _parse_day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # fromisoformat also reads 20261122 and 2026-W47-7
        raise _malformed("«recorded» no es una fecha AAAA-MM-DD", "“recorded” is not a date YYYY-MM-DD")
    return day


def _check_id(event_id: UUID) -> None:
    if event_id.version != 4:
        raise _malformed("«id» no es un UUID aleatorio (v4)", "“id” is not a random UUID (v4)")


def _parse_id(text: object) -> UUID:
    try:
        event_id = UUID(text) if isinstance(text, str) else None
    except ValueError:
        event_id = None
    if event_id is None or str(event_id) != text:
        raise _malformed("«id» no es un UUID en minúsculas", "“id” is not a UUID in lower case")
    _check_id(event_id)
    return event_id


def _check_type(name: str) -> None:
    if not _EVENT_TYPE.fullmatch(name):
        raise _malformed("«type» no es un nombre de evento", "“type” is not an event name")


def _malformed(es: str, en: str) -> MalformedLog:
    return MalformedLog(
        f"No es una hoja de esta bitácora: {es}. Use los bytes originales de la hoja.",
        f"Not a leaf of this log: {en}. Use the original bytes of the leaf.",
    )
