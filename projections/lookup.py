"""Records that mention something, as they are now; each one that an answer tells of is noted in the audit."""

from collections.abc import Iterable, Sequence
from typing import TypeVar
from uuid import UUID

import asyncpg

from projections.models.mentions import mentions
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor, no_such_record
from registry.domain.assignment import Assignment
from registry.domain.event import Aggregate
from registry.domain.incident import Incident
from registry.domain.report import Report
from registry.privacy.reads import Shown

A = TypeVar("A", bound=Aggregate)


class Lookup:
    """For one question by one caller, who may see all records."""

    def __init__(self, app: Application, pool: asyncpg.Pool, actor: Actor) -> None:
        self._app, self._pool, self._actor = app, pool, actor
        self._shown: dict[UUID, Shown] = {}

    async def one(self, kind: type[A], record: UUID) -> A:
        """Raises NotFound."""
        found = await self._app.load(kind, record)
        if found is None:
            raise no_such_record()
        return found

    async def mentioning(self, kind: type[A], subjects: Sequence[str]) -> list[A]:
        """Those that ever mentioned any of the subjects, by id: whether they still do is for the caller to look."""
        found = [
            await self._app.load(kind, mention.record)
            for mention in await mentions(self._pool, subjects)
            if mention.noun == kind.NOUN
        ]
        return [record for record in found if record is not None]

    def show(self, record: Assignment | Incident | Report, *fields: str, people: Iterable[str] = ()) -> None:
        """The answer tells these fields of the record; ``people`` are those whom they are about."""
        owner = None if isinstance(record, Incident) else record.institution
        self._shown[record.id] = Shown(
            noun=record.NOUN, record=record.id, owner=owner, people=tuple(sorted(people)), fields=fields
        )

    async def note(self) -> None:
        """Durable when this returns: before the answer leaves."""
        shown = list(self._shown.values())
        await self._app.reads.note(self._actor.institution, self._actor.key, self._actor.purpose, shown)
