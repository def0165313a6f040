"""The shapes of what streams deliver, for the documents that describe them (OpenAPI, AsyncAPI)."""

from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from registry.domain.event import By

DIGEST: Final = "^[0-9a-f]{64}$"

Digest = Annotated[str, Meta(pattern=DIGEST)]


class Commitment(Struct, frozen=True, kw_only=True):
    """What an entry leaf says: HMAC-SHA-256 of the event, in base64."""

    content: str


class EntryLeaf(Struct, frozen=True, kw_only=True):
    """The leaf of an event that is not public: a commitment to it, and nothing else."""

    id: str
    sealed: Commitment
    type: Literal["entry"]
    v: Literal[1]


class EventContent(Struct, frozen=True, kw_only=True):
    """An event in codes, for those who may see it. ``private``, which the leaf commits to as well, is never in it."""

    type: str
    stream: str
    version: int
    recorded: str
    by: By
    data: dict[str, Any]


class ContentOpening(Struct, frozen=True, kw_only=True):
    """``value`` is what the leaf commits to, whole; ``key`` (base64 of 32 bytes) shows it."""

    value: dict[str, Any]
    key: str


class Openings(Struct, frozen=True, kw_only=True):
    content: ContentOpening


class EventData(Struct, frozen=True, kw_only=True):
    """``leaf`` is the leaf; its bytes are canonical JSON, and stand so in the text. The rest only of entries, for
    those who may see what they are; ``openings`` only where nothing private or erased is among it."""

    leaf: dict[str, Any]
    event: EventContent | UnsetType = UNSET
    openings: Openings | UnsetType = UNSET


class StreamEvent(Struct, frozen=True, kw_only=True):
    """A CloudEvent 1.0. ``position`` is the index of the leaf, ``leafhash`` its RFC 6962 hash."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    datacontenttype: Literal["application/json"]
    position: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    leafhash: Digest
    data: EventData
    subject: str | UnsetType = UNSET
    time: str | UnsetType = UNSET


class EventPage(Struct, frozen=True, kw_only=True):
    """A page of events. ``next`` is the ``after`` of the next page, also where there is nothing more for now."""

    items: list[StreamEvent]
    next: int
