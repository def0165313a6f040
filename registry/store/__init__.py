"""The append-only event store over PostgreSQL."""

from registry.store.records import (
    Answer,
    Command,
    CommitmentKey,
    ExclusiveNames,
    Idempotency,
    NewDataKey,
    NewEvent,
    Outcome,
    PrivatePart,
    Recorded,
    SourceRecord,
    StreamVersion,
)
from registry.store.store import NOTIFICATION_CHANNEL, EventStore

__all__ = [
    "NOTIFICATION_CHANNEL",
    "Answer",
    "Command",
    "CommitmentKey",
    "EventStore",
    "ExclusiveNames",
    "Idempotency",
    "NewDataKey",
    "NewEvent",
    "Outcome",
    "PrivatePart",
    "Recorded",
    "SourceRecord",
    "StreamVersion",
]
