"""Writes the plan to a register, on a simulated clock; once, however often it is started or killed in between."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

import asyncpg

from api.demo.places import MINISTRY
from api.demo.plan import OPERATOR, Batch, Step, Write, beginning
from api.demo.script import script
from projections.releases import Releases
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR_ID, Actor, WriteOptions
from registry.application.imports.rows import execute_all
from registry.domain.mapper import decode_event

_LOG = logging.getLogger(__name__)

PREFIX: Final = "demo/"
"""Begins every source_record_id of the demonstration."""

_OF_THE_REGISTER: Final = frozenset({"definition.adopted", "policy.adopted", "release.published"})
"""Events that a register without anybody's records may hold."""

_AT_ONCE: Final = 8
"""Queries for known records under way; fewer than a pool has connections."""


async def seed(application: Application, pool: asyncpg.Pool, stopping: asyncio.Event | None = None) -> None:
    """Fills the register with three years of invented records; goes on where an earlier call was interrupted.

    Does nothing on a register that is complete, or that holds anybody else's records: invented people are never
    mixed with real ones. ``application`` must have adopted a definition and a policy; its clock says when the plan
    ends. Releases are made at simulated times, so none should be made at the real time before this returns.
    ``stopping``, when set, ends it after the writes under way.
    """
    begin = await _begun(application)
    if begin is None:
        if not await _is_empty(application):
            _LOG.warning("the register holds records of its own: no invented ones are added")
            return
        begin = beginning(application.clock())
    clock = _Clock(application.clock())
    async with Application(pool, application.master, application.keys, clock=clock) as past:
        await _Seeding(past, Releases(past, pool), clock).run(script(begin), stopping or asyncio.Event())


async def is_invented(application: Application, *, asked: bool) -> bool:
    """Whether the register's people are invented: it was filled here, or will be when ``asked``."""
    return await _begun(application) is not None or (asked and await _is_empty(application))


class _Clock:
    """The time at which the plan is."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class _Seeding:
    """Carries out the steps that a register does not know yet."""

    def __init__(self, past: Application, releases: Releases, clock: _Clock) -> None:
        self._past, self._releases, self._clock = past, releases, clock
        self._ids: dict[str, UUID] = {OPERATOR: OPERATOR_ID}

    async def run(self, steps: Sequence[Step], stopping: asyncio.Event) -> None:
        reached = await self._resume(steps)
        if reached == len(steps):
            return
        _LOG.info("adding invented records: %d of %d steps to go", len(steps) - reached, len(steps))
        for step in steps[reached:]:
            if stopping.is_set():
                return
            self._clock.now = step.at
            if isinstance(step, Batch):
                await self._write(step.writes)
            else:
                await self._releases.release_once()
        _LOG.info("the invented records are complete")

    async def _resume(self, steps: Sequence[Step]) -> int:
        """The first step to take: behind the last batch that is stored whole, or one that is stored in part."""
        batches = [(number, step) for number, step in enumerate(steps, 1) if isinstance(step, Batch)]
        # Who sends is learnt from the first batch. Once the last is known, nothing else is needed.
        first, last = batches[0][1].writes, batches[-1][1].writes
        if await self._know(first) == len(first) and await self._know(last) == len(last):
            return len(steps)
        reached = 0
        for number, batch in batches:
            known = await self._know(batch.writes)
            if known < len(batch.writes):
                # A release before it was made before any of it: made again, it would disclose that part too early.
                return number - 1 if known else reached
            reached = number
        return reached

    async def _know(self, writes: Iterable[Write]) -> int:
        """Learn the ids of these writes; how many of them are stored."""
        limit = asyncio.Semaphore(_AT_ONCE)

        async def known(write: Write) -> bool:
            if write.by not in self._ids:
                return False
            async with limit:
                record = await self._past.store.source_record(self._ids[write.by], PREFIX + write.name)
            if record is None:
                return False
            self._ids[write.name] = record.stream_id
            return True

        return sum(await asyncio.gather(*(known(write) for write in writes)))

    async def _write(self, writes: Iterable[Write]) -> None:
        """Everything that one institution sends is one transaction; the institutions send at once."""
        by_sender: dict[str, list[Write]] = defaultdict(list)
        for write in writes:
            by_sender[write.by].append(write)
        async with asyncio.TaskGroup() as tasks:
            for sender, sent in by_sender.items():
                tasks.create_task(self._send(sender, sent))

    async def _send(self, sender: str, writes: Sequence[Write]) -> None:
        rows = [
            (
                write.decide(self._ids),
                WriteOptions(source_record_id=PREFIX + write.name, content=write.name.encode()),
            )
            for write in writes
        ]
        accepted = await execute_all(self._past, self._actor(sender), rows)
        for write, one in zip(writes, accepted, strict=True):
            self._ids[write.name] = one.id

    def _actor(self, sender: str) -> Actor:
        institution = None if sender == OPERATOR else self._ids[sender]
        # Reviewers name the assignments of victims, which are other institutions' records.
        return Actor(institution=institution, key=None, scopes=frozenset({"incidents:verify"}))


async def _begun(application: Application) -> date | None:
    """The plan's beginning as an earlier call chose it, which holds for ever; None before the first."""
    record = await application.store.source_record(OPERATOR_ID, PREFIX + MINISTRY)
    if record is None:
        return None
    (recorded,) = await application.store.events(record.event_ids)
    return decode_event(recorded.type, recorded.state).recorded.date().replace(day=1)


async def _is_empty(application: Application) -> bool:
    return all(one.type in _OF_THE_REGISTER for one in await application.store.read(0, 100))
