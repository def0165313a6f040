"""What goes into the store and what comes out of it."""

from enum import StrEnum
from uuid import UUID

import msgspec


class Recorded(msgspec.Struct, frozen=True):
    """A stored event. ``position`` = leaf index, from 0; ``state`` = encoded event; ``leaf`` = the exact leaf."""

    position: int
    event_id: UUID
    stream_id: UUID
    version: int
    type: str
    state: bytes
    leaf: bytes
    leaf_hash: bytes


class PrivatePart(msgspec.Struct, frozen=True):
    """The values of one subject in one event, encrypted under the subject's data key."""

    subject: str
    ciphertext: bytes


class CommitmentKey(msgspec.Struct, frozen=True):
    """The key of one commitment in the event's leaf, wrapped under the data keys of all ``subjects``."""

    field: str
    subjects: tuple[str, ...]
    wrapped: bytes


class NewEvent(msgspec.Struct, frozen=True):
    """An event ready to be stored: sealed, its leaf built. Nothing is computed after this."""

    event_id: UUID
    stream_id: UUID
    version: int
    type: str
    state: bytes
    leaf: bytes
    leaf_hash: bytes
    private_parts: tuple[PrivatePart, ...] = ()
    commitment_keys: tuple[CommitmentKey, ...] = ()


class Idempotency(msgspec.Struct, frozen=True):
    """An Idempotency-Key of an institution (the nil UUID for the operator) and the HMAC of the body it came with."""

    institution: UUID
    key: str
    body: bytes


class SourceRecord(msgspec.Struct, frozen=True):
    """An institution's own record id, the HMAC of its content, and which events of the command it made."""

    institution: UUID
    source_record_id: str
    content: bytes
    first_event: int
    last_event: int


class NewDataKey(msgspec.Struct, frozen=True):
    """The first data key of a subject, wrapped by the master key: stored with what it seals, or not at all."""

    subject: str
    wrapped: bytes


class StreamVersion(msgspec.Struct, frozen=True):
    """Where a stream stood when a decision read it."""

    stream_id: UUID
    version: int


class ExclusiveNames(msgspec.Struct, frozen=True):
    """All names that a stream holds once a command is stored. No other stream may hold one of them meanwhile."""

    stream_id: UUID
    names: tuple[str, ...]


class Command(msgspec.Struct, frozen=True):
    """Events that are stored together or not at all. Versions follow on what the caller read.

    ``reads`` are streams without new events that must still stand where they stood.
    """

    events: tuple[NewEvent, ...]
    idempotency: Idempotency | None = None
    source_records: tuple[SourceRecord, ...] = ()
    data_keys: tuple[NewDataKey, ...] = ()
    reads: tuple[StreamVersion, ...] = ()
    exclusive: tuple[ExclusiveNames, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of what is stored with it, but for ids and names."""
        size = 0
        for new in self.data_keys:
            size += len(new.wrapped)
        for event in self.events:
            size += len(event.state) + len(event.leaf)
            for part in event.private_parts:
                size += len(part.ciphertext)
            for key in event.commitment_keys:
                size += len(key.wrapped)
        return size


class Outcome(StrEnum):
    """What became of a command; the meanings stand beside the type ``append_outcome`` in the database."""

    STORED = "STORED"
    REPLAYED = "REPLAYED"
    KEY_REUSED = "KEY_REUSED"
    RECORD_REPLAYED = "RECORD_REPLAYED"
    RECORD_DIFFERS = "RECORD_DIFFERS"
    DUPLICATE = "DUPLICATE"
    CONFLICT = "CONFLICT"


class Answer(msgspec.Struct, frozen=True):
    """The outcome of a command with the events that answer it: its own, or those that came before."""

    outcome: Outcome
    event_ids: tuple[UUID, ...]
    positions: tuple[int, ...]
