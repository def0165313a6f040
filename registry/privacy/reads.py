"""The audit of private reads: who was shown what, which fields, why and when. Written before the answer leaves.

Rows name records, fields and pseudonyms, never a value; they stay when their subject is erased, because that somebody
looked is the one thing that a person may still want to know then.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from registry.domain.codes import ReadPurpose
from registry.sql import load_queries

_SQL: Final = load_queries("registry.privacy", "reads.sql")


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer is about to show of one record. ``owner`` is the institution whose record it is, if any.

    ``people`` are the pseudonyms of those whom it is about. ``fields`` are names: those of codes as they stand in the
    answer, those of private values with ``private.`` and the kind of their subject in front.
    """

    noun: str
    record: UUID
    owner: UUID | None
    people: tuple[str, ...]
    fields: tuple[str, ...]


class PrivateRead(msgspec.Struct, frozen=True, kw_only=True):
    """One read as it is kept. ``institution`` and ``key`` are the reader's; None is the operator."""

    id: int
    at: datetime
    institution: UUID | None
    key: UUID | None
    noun: str
    record: UUID
    owner: UUID | None
    people: list[str]
    fields: list[str]
    purpose: str | None


class Reads:
    """The audit of one register. Every method may be called by any process."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def note(
        self, institution: UUID | None, key: UUID | None, purpose: ReadPurpose | None, shown: Sequence[Shown]
    ) -> None:
        """Durable when this returns; one statement however many records. Does nothing for none."""
        if not shown:
            return
        await self._pool.execute(
            _SQL["note"],
            institution,
            key,
            purpose,
            [one.noun for one in shown],
            [one.record for one in shown],
            [one.owner for one in shown],
            ["\n".join(one.people) for one in shown],
            ["\n".join(one.fields) for one in shown],
        )

    async def page(
        self,
        *,
        owner: UUID | None,
        record: UUID | None = None,
        person: str | None = None,
        after: int = 0,
        limit: int = 50,
    ) -> tuple[list[PrivateRead], int | None]:
        """Reads after one of them, oldest first, and where the next page starts (None: no more).

        ``owner`` None finds those of everybody's records: only for callers who may know of them.
        """
        rows = await self._pool.fetch(_SQL["page"], owner, record, person, after, limit + 1)
        found = [PrivateRead(**row) for row in rows[:limit]]
        return found, found[-1].id if len(rows) > limit else None
