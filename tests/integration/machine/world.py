"""One register for all examples of random commands, and those who act in it."""

from collections import Counter, defaultdict
from collections.abc import Coroutine
from datetime import UTC, datetime
from itertools import count
from typing import Any, Protocol, TypeVar
from uuid import UUID

import asyncpg

from api.start import adopt
from projections.counting.fold import Fold
from projections.counting.query import ask
from projections.models.public_count import PublicCount
from projections.models.public_figures import count as count_in_tables
from projections.releases import Releases
from projections.runner import Runner
from registry.application import drafts as d
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, Actor, Decision, WriteOptions
from registry.application.places import institutions
from registry.domain.codes import InstitutionKind
from registry.domain.event import Event
from registry.domain.mapper import decode_event

NOW = datetime(2026, 12, 1, tzinfo=UTC)
SUBMITTING = ("university", "ministry", "both")
REVIEWING = ("first", "second", "both")
T = TypeVar("T")


class Run(Protocol):
    """Runs a coroutine to its end in the loop of the register."""

    def __call__(self, coroutine: Coroutine[Any, Any, T], /) -> T: ...


class World:
    """One register for all examples: its application, what it stored, and what the leaves say of it."""

    def __init__(self, app: Application, pool: asyncpg.Pool) -> None:
        self.app, self.pool = app, pool
        self.releases = Releases(app, pool)
        self.tables = Runner(pool, [PublicCount()])
        self.streams: dict[UUID, list[Event]] = defaultdict(list)
        self.public = Fold()
        self.actors: dict[str | None, Actor] = {None: OPERATOR}
        self.examples = count()
        self.accepted: Counter[str] = Counter()
        """How often each use case was."""

    async def begin(self) -> None:
        await adopt(self.app)
        for name in {*SUBMITTING, *REVIEWING}:
            draft = d.InstitutionDraft(name=name, kind=InstitutionKind.UNIVERSITY, state="16")
            made = await self.app.execute(OPERATOR, institutions.register(draft), WriteOptions())
            self.actors[name] = Actor(made.id, None, frozenset({"incidents:verify"}))

    async def execute(self, who: str | None, decision: Decision) -> UUID:
        return (await self.app.execute(self.actors[who], decision, WriteOptions())).id

    async def follow(self) -> set[UUID]:
        """Reads what was stored since; the streams that it changed."""
        changed = set()
        for one in await self.app.store.read(self.public.size, 10_000):
            event = decode_event(one.type, one.state)
            assert event.originator_version == len(self.streams[one.stream_id]) + 1
            self.streams[one.stream_id].append(event)
            self.public.add(one.position, one.leaf)
            changed.add(one.stream_id)
        return changed

    async def release(self) -> None:
        await self.releases.release_once()
        await self.follow()
        await self.tables.catch_up()
        async with self.pool.acquire() as connection:
            for unit in ("INCIDENTS", "VICTIMISATIONS", "DEATHS"):
                in_tables = await count_in_tables(connection, ask(unit), self.public.size)
                assert in_tables == self.public.count(ask(unit))
