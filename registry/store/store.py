"""The event store: append through the writer, read by stream and by position."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from registry.gathering import Gathering
from registry.sql import load_queries
from registry.store.connections import Connections
from registry.store.records import Answer, Command, Recorded
from registry.store.writer import Writer

NOTIFICATION_CHANNEL = "constancia_events"
"""Notified once per group commit. Only a hint: readers read by position."""

_QUERIES = load_queries("registry.store", "queries.sql")


class StoredKey(msgspec.Struct, frozen=True):
    """A wrapped commitment key as it lies in the store."""

    event_id: UUID
    field: str
    subjects: tuple[str, ...]
    wrapped: bytes


class ContentKey(msgspec.Struct, frozen=True):
    """The wrapped key of an entry's content. ``private``: that has values which are encrypted apart."""

    event_id: UUID
    subjects: tuple[str, ...]
    wrapped: bytes
    private: bool


class StoredPart(msgspec.Struct, frozen=True):
    """An encrypted private part as it lies in the store."""

    event_id: UUID
    subject: str
    ciphertext: bytes


class KnownKey(msgspec.Struct, frozen=True):
    """What was stored under an Idempotency-Key: the HMAC of its body, and the events that answer it."""

    body: bytes
    event_ids: tuple[UUID, ...]


class KnownRecord(msgspec.Struct, frozen=True):
    """What an institution's own record made: the HMAC of its content, the stream, the events that answer it."""

    content: bytes
    stream_id: UUID
    event_ids: tuple[UUID, ...]


class CurrentRecord(msgspec.Struct, frozen=True):
    """What an institution's own record says now: ``name`` is that of its newest revision, ``positions`` its events'."""

    stream_id: UUID
    name: str
    content: bytes
    positions: tuple[int, ...]


class EventStore:
    """Every accepted event, once, for ever, at one position.

    Owns the writer and the ``connections`` that it keeps; the pool belongs to the caller, who closes it afterwards.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.connections = Connections(pool)
        self._writer = Writer(self.connections)
        self._histories = Gathering(self._read_histories)
        self._keys = Gathering(self._idempotency_keys)
        self._records = Gathering(self._source_records)

    async def close(self) -> None:
        """Writes what waits, gives the connections back. The pool stays open."""
        await self._writer.close()
        await self.connections.close()

    async def append(self, command: Command) -> Answer:
        """Stores the command's events together or not at all. Raises StoreUnavailable (see Writer.append)."""
        return await self._writer.append(command)

    async def size(self) -> int:
        """The number of leaves."""
        ((size,),) = await self.connections.fetch(_QUERIES["size"])
        return int(size)

    async def read_stream(self, stream_id: UUID, after_version: int = 0) -> list[Recorded]:
        """The events of a stream after a version, in order; empty for a stream that does not exist."""
        return [
            Recorded(*row)
            for row in await self.connections.fetch(_QUERIES["stream"], stream_id, after_version)
        ]

    async def history(self, stream_id: UUID, after_version: int = 0) -> list[tuple[str, bytes]]:
        """(type, state) of the events of a stream after a version, in order: all that folding needs."""
        return await self._histories.ask((stream_id, after_version))

    async def _read_histories(self, asked: Sequence[tuple[UUID, int]]) -> list[list[tuple[str, bytes]]]:
        if len(asked) == 1:  # a long stream is read by the plain statement in two thirds of the time
            rows = await self.connections.fetch(_QUERIES["history"], *asked[0], None)
            return [[(name, state) for name, state in rows]]
        found: list[list[tuple[str, bytes]]] = [[] for _ in asked]
        for number, name, state in await self.connections.fetch(_QUERIES["histories"], *_columns(asked)):
            found[number - 1].append((name, state))
        return found

    async def read(self, after: int, limit: int) -> list[Recorded]:
        """At most ``limit`` events from position ``after`` on (``after`` = a log size = the next index wanted)."""
        return [Recorded(*row) for row in await self.connections.fetch(_QUERIES["page"], after, limit)]

    async def events(self, event_ids: Sequence[UUID]) -> list[Recorded]:
        """Events by id, in the order asked for; unknown ids are left out."""
        return [Recorded(*row) for row in await self.connections.fetch(_QUERIES["by_ids"], event_ids)]

    async def at(self, position: int) -> Recorded | None:
        rows = await self.connections.fetch(_QUERIES["at_position"], position)
        return Recorded(*rows[0]) if rows else None

    async def private_parts(self, event_ids: Sequence[UUID]) -> list[StoredPart]:
        """The encrypted parts of some events; none for what was erased."""
        return [
            StoredPart(*row) for row in await self.connections.fetch(_QUERIES["private_parts"], event_ids)
        ]

    async def commitment_keys(self, event_ids: Sequence[UUID]) -> list[StoredKey]:
        """The wrapped commitment keys of some events; none for what was erased."""
        rows = await self.connections.fetch(_QUERIES["commitment_keys"], event_ids)
        return [
            StoredKey(row["event_id"], row["field"], tuple(row["subjects"]), row["wrapped"]) for row in rows
        ]

    async def content_keys(self, event_ids: Sequence[UUID]) -> list[ContentKey]:
        """The wrapped keys of the contents of some entries; none for what was erased."""
        rows = await self.connections.fetch(_QUERIES["content_keys"], event_ids)
        return [
            ContentKey(row["event_id"], tuple(row["subjects"]), row["wrapped"], row["private"])
            for row in rows
        ]

    async def idempotency_key(self, institution: UUID, key: str) -> KnownKey | None:
        return await self._keys.ask((institution, key))

    async def _idempotency_keys(self, asked: Sequence[tuple[UUID, str]]) -> list[KnownKey | None]:
        found: list[KnownKey | None] = [None] * len(asked)
        for number, body, event_ids in await self.connections.fetch(
            _QUERIES["idempotency_keys"], *_columns(asked)
        ):
            found[number - 1] = KnownKey(body, tuple(event_ids))
        return found

    async def forget_idempotency_keys(self) -> None:
        """Deletes the Idempotency-Keys that have expired."""
        await self.connections.fetch(_QUERIES["forget_idempotency_keys"])

    async def source_record(self, institution: UUID, source_record_id: str) -> KnownRecord | None:
        return await self._records.ask((institution, source_record_id))

    async def _source_records(self, asked: Sequence[tuple[UUID, str]]) -> list[KnownRecord | None]:
        found: list[KnownRecord | None] = [None] * len(asked)
        rows = await self.connections.fetch(_QUERIES["source_records"], *_columns(asked))
        for number, content, stream_id, event_ids in rows:
            found[number - 1] = KnownRecord(content, stream_id, tuple(event_ids))
        return found

    async def current_source_records(
        self, institution: UUID, names: Sequence[tuple[str, str]]
    ) -> list[CurrentRecord | None]:
        """For each (name, what the names of its revisions begin with) what it says now; None for an unknown name."""
        found: list[CurrentRecord | None] = [None] * len(names)
        if names:
            rows = await self.connections.fetch(
                _QUERIES["current_source_records"], institution, *_columns(names)
            )
            for number, stream_id, name, content, positions in rows:
                found[number - 1] = CurrentRecord(stream_id, name, content, tuple(positions))
        return found

    async def source_record_id(self, stream_id: UUID) -> str | None:
        """The sender's own id of the record that a stream is, if it was sent with one."""
        rows = await self.connections.fetch(_QUERIES["source_record_id"], stream_id)
        return rows[0]["source_record_id"] if rows else None

    async def holders(self, names: Sequence[str]) -> dict[str, UUID]:
        """The stream that holds each of some exclusive names now; a free name is left out."""
        rows = await self.connections.fetch(_QUERIES["holders"], names)
        return {row["name"]: row["stream_id"] for row in rows}

    async def source_records_named(self, source_record_id: str) -> list[tuple[UUID, UUID]]:
        """(institution, stream) of every record of this name, whoever sent it."""
        rows = await self.connections.fetch(_QUERIES["source_records_named"], source_record_id)
        return [(row["institution"], row["stream_id"]) for row in rows]


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows as the parallel arrays of a statement."""
    return [list(column) for column in zip(*rows, strict=True)]
