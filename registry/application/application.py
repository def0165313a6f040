"""Executes decisions: load, decide, seal, append, answer. Owns the store's writer; pools belong to the caller."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal, Self
from uuid import UUID

import asyncpg
import msgspec

from registry.application.repository import Repository
from registry.application.sealing import Opening, Sealed, seal, unseal
from registry.application.turns import Turn, Turns
from registry.application.unit import OPERATOR_ID, A, Actor, Decision, Unit, WriteOptions
from registry.domain.mapper import decode_event, noun_of
from registry.errors import (
    Erased,
    IdempotencyKeyReused,
    InvalidInput,
    RegistryError,
    SourceRecordDiffers,
    StoreUnavailable,
    VersionConflict,
)
from registry.log.keys import LogKeys
from registry.log.receipt import Receipt
from registry.privacy.master import MasterKey
from registry.privacy.pseudonyms import Pseudonyms
from registry.privacy.vault import Vault
from registry.store import (
    Answer,
    Command,
    EventStore,
    Idempotency,
    Outcome,
    Recorded,
    SourceRecord,
)
from registry.store.snapshots import Snapshots

MAX_MERGE_DELAY_SECONDS = 172_800
"""Receipts promise publication within two days, twice the production cadence of one checkpoint a day."""

MAX_ATTEMPTS = 5
"""A decision that lost the race for a version is taken anew on what is there now, this many times."""


class AcceptedEvent(msgspec.Struct, frozen=True):
    """One stored event as its sender sees it: position, exact leaf, openings of its commitments, signed receipt."""

    position: int
    event_id: UUID
    leaf: bytes
    openings: dict[str, Opening]
    receipt: str


class Accepted(msgspec.Struct, frozen=True):
    """The answer to an accepted write.

    ``version`` is that of the stream ``id`` after it. ``replayed``: the answer to an earlier request with the same
    Idempotency-Key. ``created`` False: nothing was new (a source record known with the same content, say).
    """

    id: UUID
    version: int
    events: tuple[AcceptedEvent, ...]
    replayed: bool
    created: bool


class RowRejected(RegistryError):
    """One decision of several that were to be stored together was refused, so none was. ``row`` from 0."""

    def __init__(self, row: int, error: RegistryError) -> None:
        self.row = row
        self.error = error
        super().__init__(error.text.es, error.text.en)


def utc_now() -> datetime:
    """The system's clock."""
    return datetime.now(UTC)


class Application:
    """The write side of the register. One per process; safe to use from any number of tasks of its loop."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        master: MasterKey,
        keys: LogKeys,
        *,
        vault_pool: asyncpg.Pool | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.store = EventStore(pool)
        self.vault = Vault(vault_pool or pool, master)
        self.keys = keys
        self.master = master
        self.clock = clock
        self._pseudonyms = Pseudonyms(master)
        self._repository = Repository(self.store, Snapshots(pool))
        self._turns = Turns()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Writes what waits."""
        await self.store.close()

    async def execute(self, actor: Actor, decision: Decision, options: WriteOptions) -> Accepted:
        """Takes one decision and stores it. Durable when this returns.

        Raises what the decision raises, and IdempotencyKeyReused, SourceRecordDiffers, VersionConflict, Erased,
        StoreUnavailable.
        """
        if known := await self._known(actor, options):
            return known
        attempt = 0
        contended: frozenset[UUID] = frozenset()
        while True:
            attempt += 1
            async with self._turns.attempt(contended) as turn:
                unit = self._unit(actor, options.expected_version, turn)
                try:
                    aggregate = await decision(unit)
                except RegistryError:
                    # Sent twice at once, the second must not be refused for what the first has done.
                    if known := await self._known(actor, options):
                        return known
                    raise
                sealed = await seal(self.vault, unit.pending())
                if not sealed:
                    return Accepted(aggregate.id, aggregate.version, (), replayed=False, created=False)
                command = Command(
                    tuple(one.event for one in sealed),
                    self._idempotency(actor, options),
                    tuple(self._source_record(actor, options, 0, len(sealed) - 1)),
                )
                answer = await self.store.append(command)
            if answer.outcome is not Outcome.CONFLICT:
                return await self._answer(answer, aggregate.id, sealed)
            if options.expected_version is not None:
                raise VersionConflict(aggregate.id)
            if attempt == MAX_ATTEMPTS:
                raise _contended()
            contended = frozenset(one.event.stream_id for one in sealed)

    async def execute_all(
        self, actor: Actor, decisions: Sequence[tuple[Decision, WriteOptions]]
    ) -> list[Accepted]:
        """Stores several decisions in one transaction, or none of them; later ones see what earlier ones decided.

        Rows whose source record is known with the same content are answered as they were, and not stored again. The
        Idempotency-Key of single rows is not used. Raises RowRejected for the first row that is refused.
        """
        for _ in range(MAX_ATTEMPTS):
            unit = self._unit(actor, None, None)
            accepted: dict[int, Accepted] = {}
            first_rows: dict[str, int] = {}
            repeats: dict[int, int] = {}
            rows: list[tuple[int, UUID, list[Sealed], WriteOptions]] = []
            for row, (decision, options) in enumerate(decisions):
                try:
                    if known := await self._known(actor, options):
                        accepted[row] = known
                        continue
                    if options.source_record_id is not None:
                        first = first_rows.setdefault(options.source_record_id, row)
                        if first != row:
                            _must_repeat(decisions[first][1], options)
                            repeats[row] = first
                            continue
                    already = {id(one) for one in unit.pending()}
                    aggregate = await decision(unit)
                except RegistryError as error:
                    raise RowRejected(row, error) from error
                new = [one for one in unit.pending() if id(one) not in already]
                rows.append((row, aggregate.id, await seal(self.vault, new), options))
            answer = await self._append_rows(actor, rows)
            if answer is None or answer.outcome is Outcome.STORED:
                positions = iter(answer.positions if answer else ())
                for row, aggregate_id, sealed, _options in rows:
                    accepted[row] = self._accepted(aggregate_id, sealed, [next(positions) for _ in sealed])
                for row, first in repeats.items():
                    accepted[row] = msgspec.structs.replace(accepted[first], created=False)
                return [accepted[row] for row in range(len(decisions))]
            # Another request stored one of the rows, or moved a stream, in the meantime: look again.
        raise _contended()

    async def check(
        self, actor: Actor, decisions: Iterable[tuple[Decision, WriteOptions]]
    ) -> list[Literal["created", "unchanged"] | RegistryError]:
        """A dry run: what would become of each row, in order; later rows see earlier ones. Stores nothing."""
        unit = self._unit(actor, None, None)
        firsts: dict[str, WriteOptions] = {}
        verdicts: list[Literal["created", "unchanged"] | RegistryError] = []
        for decision, options in decisions:
            try:
                if await self._known(actor, options):
                    verdicts.append("unchanged")
                    continue
                if options.source_record_id is not None:
                    first = firsts.setdefault(options.source_record_id, options)
                    if first is not options:
                        _must_repeat(first, options)
                        verdicts.append("unchanged")
                        continue
                await decision(unit)
            except RegistryError as error:
                verdicts.append(error)
            else:
                verdicts.append("created")
        return verdicts

    async def load(self, aggregate_type: type[A], aggregate_id: UUID) -> A | None:
        """An aggregate as it is stored now; None if there is no stream of this kind under this id."""
        return await self._repository.load(aggregate_type, aggregate_id)

    async def answer_again(self, event_ids: Sequence[UUID], *, created: bool, replayed: bool) -> Accepted:
        """The answer to an earlier write, rebuilt from its events. Raises Erased when that is no longer possible."""
        events = await unseal(self.store, self.vault, await self.store.events(event_ids))
        if not events:
            raise Erased
        stream = events[0].recorded.stream_id
        return Accepted(
            id=stream,
            version=max(one.recorded.version for one in events if one.recorded.stream_id == stream),
            events=tuple(
                AcceptedEvent(
                    one.recorded.position,
                    one.recorded.event_id,
                    one.recorded.leaf,
                    dict(one.openings()),
                    self.receipt(one.recorded),
                )
                for one in events
            ),
            replayed=replayed,
            created=created,
        )

    def receipt(self, recorded: Recorded) -> str:
        """The signed receipt of a stored event, the same at every call."""
        event = decode_event(recorded.type, recorded.state)
        return self._receipt(recorded.position, recorded.leaf_hash, event.recorded)

    def _receipt(self, position: int, leaf_hash: bytes, recorded: datetime) -> str:
        received = int(recorded.timestamp())
        receipt = Receipt(self.keys.origin, position, leaf_hash, received, received + MAX_MERGE_DELAY_SECONDS)
        return receipt.sign(self.keys.receipt)

    def _unit(self, actor: Actor, expected_version: int | None, turn: Turn | None) -> Unit:
        return Unit(
            actor,
            self.clock(),
            expected_version,
            load=self._repository.load,
            turn=turn,
            store=self.store,
            pseudonyms=self._pseudonyms,
        )

    async def _known(self, actor: Actor, options: WriteOptions) -> Accepted | None:
        """The answer that an earlier write already has for this Idempotency-Key or source record."""
        institution = actor.institution or OPERATOR_ID
        if options.idempotency_key is not None:
            known = await self.store.idempotency_key(institution, options.idempotency_key)
            if known is not None:
                if known.body != self._mac("body", options.body):
                    raise IdempotencyKeyReused
                return await self.answer_again(known.event_ids, created=True, replayed=True)
        if options.source_record_id is not None:
            record = await self.store.source_record(institution, options.source_record_id)
            if record is not None:
                if record.content != self._mac("source-record", options.content):
                    raise await self._differs(record.event_ids)
                return await self.answer_again(record.event_ids, created=False, replayed=False)
        return None

    async def _differs(self, event_ids: Sequence[UUID]) -> SourceRecordDiffers:
        first = (await self.store.events(event_ids[:1]))[0]
        return SourceRecordDiffers(noun_of(first.type), first.stream_id)

    def _idempotency(self, actor: Actor, options: WriteOptions) -> Idempotency | None:
        if options.idempotency_key is None:
            return None
        return Idempotency(
            actor.institution or OPERATOR_ID, options.idempotency_key, self._mac("body", options.body)
        )

    def _source_record(
        self, actor: Actor, options: WriteOptions, first: int, last: int
    ) -> Iterable[SourceRecord]:
        if options.source_record_id is not None:
            content = self._mac("source-record", options.content)
            yield SourceRecord(
                actor.institution or OPERATOR_ID, options.source_record_id, content, first, last
            )

    def _mac(self, purpose: str, message: bytes) -> bytes:
        return self.master.mac(purpose, message)

    async def _append_rows(
        self, actor: Actor, rows: Sequence[tuple[int, UUID, list[Sealed], WriteOptions]]
    ) -> Answer | None:
        events = [one.event for _, _, sealed, _ in rows for one in sealed]
        if not events:
            return None
        records: list[SourceRecord] = []
        first = 0
        for _, _, sealed, options in rows:
            records += self._source_record(actor, options, first, first + len(sealed) - 1)
            first += len(sealed)
        return await self.store.append(Command(tuple(events), None, tuple(records)))

    async def _answer(self, answer: Answer, aggregate_id: UUID, sealed: Sequence[Sealed]) -> Accepted:
        match answer.outcome:
            case Outcome.STORED | Outcome.DUPLICATE:
                return self._accepted(aggregate_id, sealed, answer.positions)
            case Outcome.REPLAYED:
                return await self.answer_again(answer.event_ids, created=True, replayed=True)
            case Outcome.RECORD_REPLAYED:
                return await self.answer_again(answer.event_ids, created=False, replayed=False)
            case Outcome.KEY_REUSED:
                raise IdempotencyKeyReused
            case Outcome.RECORD_DIFFERS:
                raise await self._differs(answer.event_ids)
            case Outcome.CONFLICT:
                raise VersionConflict(aggregate_id)

    def _accepted(self, aggregate_id: UUID, sealed: Sequence[Sealed], positions: Sequence[int]) -> Accepted:
        return Accepted(
            id=aggregate_id,
            version=max(one.event.version for one in sealed if one.event.stream_id == aggregate_id),
            events=tuple(
                AcceptedEvent(
                    position,
                    one.event.event_id,
                    one.event.leaf,
                    dict(one.openings),
                    self._receipt(position, one.event.leaf_hash, one.recorded),
                )
                for one, position in zip(sealed, positions, strict=True)
            ),
            replayed=False,
            created=True,
        )


def _contended() -> StoreUnavailable:
    return StoreUnavailable(
        "Otros envíos cambian los mismos registros a la vez. Repita el suyo en unos segundos.",
        "Other submissions are changing the same records. Repeat yours in a few seconds.",
    )


def _must_repeat(first: WriteOptions, repeated: WriteOptions) -> None:
    """Two rows of one submission with the same source record must say the same."""
    if first.content != repeated.content:
        raise InvalidInput(
            "source_record_id",
            "Otra fila de este mismo envío lleva ese source_record_id con otro contenido. Deje una sola.",
            "Another row of this submission has that source_record_id with other content. Keep one of them.",
        )
