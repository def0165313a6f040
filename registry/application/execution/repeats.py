"""Writes that were made before: by their Idempotency-Key, or by the sender's own record id."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from registry.application.execution.unit import OPERATOR_ID, Actor, WriteOptions
from registry.domain.mapper import noun_of
from registry.errors import IdempotencyKeyReused, SourceRecordDiffers
from registry.privacy.master import MasterKey
from registry.store import EventStore, Idempotency, SourceRecord


class Repeat(NamedTuple):
    """The events that answer a write which is a repetition; ``replayed`` if by its Idempotency-Key."""

    event_ids: tuple[UUID, ...]
    replayed: bool


class Repeats:
    """Knows earlier writes by HMACs of what was sent; nothing of what was sent is kept."""

    def __init__(self, store: EventStore, master: MasterKey) -> None:
        self._store = store
        self._master = master

    async def find(self, actor: Actor, options: WriteOptions) -> Repeat | None:
        """The earlier write. Raises IdempotencyKeyReused or SourceRecordDiffers if it was another one."""
        institution = actor.institution or OPERATOR_ID
        if options.idempotency_key is not None:
            known = await self._store.idempotency_key(institution, options.idempotency_key)
            if known is not None:
                if known.body != self._body(options):
                    raise IdempotencyKeyReused
                return Repeat(known.event_ids, replayed=True)
        if options.source_record_id is not None:
            record = await self._store.source_record(institution, options.source_record_id)
            if record is not None:
                if record.content != self.content(options):
                    raise await self.differing(record.event_ids)
                return Repeat(record.event_ids, replayed=False)
        return None

    async def differing(self, event_ids: Sequence[UUID]) -> SourceRecordDiffers:
        """The error that names the record which the known source record made."""
        first = (await self._store.events(event_ids[:1]))[0]
        return SourceRecordDiffers(noun_of(first.type), first.stream_id)

    def idempotency(self, actor: Actor, options: WriteOptions) -> Idempotency | None:
        """What to store so that this write is recognised by its key."""
        if options.idempotency_key is None:
            return None
        return Idempotency(actor.institution or OPERATOR_ID, options.idempotency_key, self._body(options))

    def source_record(
        self, actor: Actor, options: WriteOptions, first: int, last: int
    ) -> Iterator[SourceRecord]:
        """What to store so that this write, events ``first`` to ``last`` of its command, is recognised by its id."""
        if options.source_record_id is not None:
            institution = actor.institution or OPERATOR_ID
            yield SourceRecord(institution, options.source_record_id, self.content(options), first, last)

    def _body(self, options: WriteOptions) -> bytes:
        return self._master.mac("body", options.body)

    def content(self, options: WriteOptions) -> bytes:
        """What is stored of a source record's content, to compare it by."""
        return self._master.mac("source-record", options.content)
