"""Executes decisions: load, decide, seal, append, answer. Owns the store's writer; pools belong to the caller."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Self
from uuid import UUID

import asyncpg

from registry.application.execution.answers import Accepted, Answers
from registry.application.execution.conflicts import explain_conflict
from registry.application.execution.deaths import refuse_double_deaths
from registry.application.execution.repeats import Repeats
from registry.application.execution.repository import Repository
from registry.application.execution.sealing import Sealed, seal
from registry.application.execution.turns import Turn, Turns
from registry.application.execution.unit import A, Actor, Decision, Unit, Warned, WriteOptions
from registry.errors import IdempotencyKeyReused, RegistryError, StoreUnavailable, VersionConflict
from registry.log.keys import LogKeys
from registry.privacy.master import MasterKey
from registry.privacy.pseudonyms import Pseudonyms
from registry.privacy.reads import Reads
from registry.privacy.vault import Vault
from registry.store import Answer, Command, EventStore, Outcome
from registry.store.catalogs import Catalogs
from registry.store.snapshots import Snapshots

MAX_ATTEMPTS = 5
"""A decision that lost the race for a version is taken anew on what is there now, this many times."""


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
        self.vault = Vault(vault_pool or pool, master, apart=vault_pool is not None)
        self.answers = Answers(self.store, self.vault, keys)
        self.repeats = Repeats(self.store, master)
        self.reads = Reads(pool)
        self.catalogs = Catalogs(pool)
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
        lost: frozenset[UUID] = frozenset()
        for attempt in range(MAX_ATTEMPTS):
            async with self._turns.attempt(lost) as turn:
                unit = self.unit(actor, options.expected_version, turn, from_memory=attempt == 0)
                try:
                    aggregate = await decision(unit)
                    await refuse_double_deaths(unit)
                    exclusive = unit.exclusive()
                    pending = unit.take()
                except RegistryError as error:
                    if unit.recalled:
                        continue
                    # Sent again, it must not be refused for what it did itself.
                    if known := await self._answered(actor, options):
                        return known
                    if isinstance(error, VersionConflict) and options.expected_version is not None:
                        raise await explain_conflict(
                            self.store, actor, error.stream_id, options.expected_version
                        ) from error
                    raise
                if not pending:
                    if unit.recalled:
                        continue
                    if known := await self._answered(actor, options):
                        return known
                    return Accepted(aggregate.id, aggregate.version, (), replayed=False, created=False)
                sealed, data_keys = await seal(self.vault, pending, new_streams=attempt == 0)
                changed = frozenset(one.event.stream_id for one in sealed)
                command = Command(
                    tuple(one.event for one in sealed),
                    self.repeats.idempotency(actor, options),
                    tuple(self.repeats.source_record(actor, options, 0, len(sealed) - 1)),
                    data_keys,
                    unit.reads(changed),
                    tuple(exclusive),
                )
                answer = await self.store.append(command)
                if answer.outcome is Outcome.STORED:
                    self._repository.keep(unit.aggregates(changed))
            if answer.outcome is not Outcome.CONFLICT:
                return await self._answer(answer, aggregate.id, sealed, unit.warnings)
            lost = changed
        raise contended()

    async def load(self, aggregate_type: type[A], aggregate_id: UUID) -> A | None:
        """An aggregate as it is stored now; None if there is no stream of this kind under this id."""
        return await self._repository.load(aggregate_type, aggregate_id)

    def unit(
        self,
        actor: Actor,
        expected_version: int | None = None,
        turn: Turn | None = None,
        *,
        from_memory: bool = False,
    ) -> Unit:
        """A new unit of work at this moment. ``from_memory``: on what is remembered, unchecked (see ``Unit``)."""
        return Unit(
            actor,
            self.clock(),
            expected_version,
            load=self._repository.load,
            recall=self._repository.recall if from_memory else None,
            turn=turn,
            store=self.store,
            pseudonyms=self._pseudonyms,
            catalogs=self.catalogs,
        )

    async def _answered(self, actor: Actor, options: WriteOptions) -> Accepted | None:
        """The answer that an earlier write already has for this Idempotency-Key or source record."""
        known = await self.repeats.find(actor, options)
        if known is None:
            return None
        return await self.answers.again(known.event_ids, created=known.replayed, replayed=known.replayed)

    async def _answer(
        self, answer: Answer, aggregate_id: UUID, sealed: Sequence[Sealed], warnings: Sequence[Warned]
    ) -> Accepted:
        match answer.outcome:
            case Outcome.STORED:
                return self.answers.first(aggregate_id, sealed, answer.positions, warnings)
            case Outcome.DUPLICATE:
                # Under an id that was fixed beforehand another may have stored another event than this one, for whose
                # leaf a receipt would prove a fraud.
                return await self.answers.again(answer.event_ids, created=True, replayed=False)
            case Outcome.REPLAYED:
                return await self.answers.again(answer.event_ids, created=True, replayed=True)
            case Outcome.RECORD_REPLAYED:
                return await self.answers.again(answer.event_ids, created=False, replayed=False)
            case Outcome.KEY_REUSED:
                raise IdempotencyKeyReused
            case Outcome.RECORD_DIFFERS:
                raise await self.repeats.differing(answer.event_ids)
            case Outcome.CONFLICT:
                raise VersionConflict(aggregate_id)


def contended() -> StoreUnavailable:
    """Other processes keep changing the same aggregates."""
    return StoreUnavailable(
        "Otros envíos cambian los mismos registros a la vez. Repita el suyo en unos segundos.",
        "Other submissions are changing the same records. Repeat yours in a few seconds.",
    )
