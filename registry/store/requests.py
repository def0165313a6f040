"""Stored requests of people about their own data."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from registry.errors import IdempotencyKeyReused
from registry.sql import load_queries

_SQL: Final = load_queries("registry.store", "requests.sql")


class StoredRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A row. ``words`` is the ciphertext of what is private of it."""

    id: UUID
    institution: UUID | None
    type: str
    person: str
    received_on: date
    answer_due: date
    words: bytes | None
    answered_on: date | None = None
    outcome: str | None = None
    reason: str | None = None
    carry_out_due: date | None = None
    carried_out_on: date | None = None
    positions: list[int] = []


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """An Idempotency-Key of an access key, and the HMAC of the request that it came with."""

    requested_by: UUID
    idempotency_key: str
    body: bytes


class Requests:
    """The requests of one store. ``institution`` None means anybody's: only for callers who may see them."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def add(self, request: StoredRequest, claim: Claim | None) -> UUID:
        """Stores a request; the id of an earlier one, if it was sent before. Raises IdempotencyKeyReused."""
        async with self._pool.acquire() as connection, connection.transaction():
            if claim is not None:
                await connection.execute(_SQL["forget_claims"])
                row = (claim.requested_by, claim.idempotency_key)
                if not await connection.fetchval(_SQL["claim"], *row, claim.body, request.id):
                    known = await connection.fetchrow(_SQL["claimed"], *row)
                    if known is None or known["body_hmac"] != claim.body:
                        raise IdempotencyKeyReused
                    earlier: UUID = known["request"]
                    return earlier
            await connection.execute(
                _SQL["add"],
                request.id,
                request.institution,
                request.type,
                request.person,
                request.received_on,
                request.answer_due,
                request.words,
            )
        return request.id

    async def find(self, request: UUID, institution: UUID | None) -> StoredRequest | None:
        row = await self._pool.fetchrow(_SQL["find"], request, institution)
        return StoredRequest(**row) if row else None

    async def page(
        self,
        institution: UUID | None,
        *,
        person: str | None,
        overdue_on: date | None,
        after: UUID | None,
        limit: int,
    ) -> tuple[list[StoredRequest], UUID | None]:
        """A page of requests (of those overdue on a day, if one is given), and where the next one starts."""
        rows = await self._pool.fetch(
            _SQL["page"],
            institution,
            person,
            after,
            overdue_on is not None,
            overdue_on or date.min,
            limit + 1,
        )
        found = [StoredRequest(**row) for row in rows[:limit]]
        return found, found[-1].id if len(rows) > limit else None

    async def answer(
        self, request: UUID, on: date, outcome: str, reason: str | None, carry_out_due: date | None
    ) -> bool:
        """False if it was answered before."""
        return bool(await self._pool.fetchval(_SQL["answer"], request, on, outcome, reason, carry_out_due))

    async def carry_out(
        self, request: UUID, on: date, positions: Sequence[int], *, forget_words: bool
    ) -> bool:
        """False if it was carried out before, or never granted."""
        return bool(await self._pool.fetchval(_SQL["carry_out"], request, on, list(positions), forget_words))

    async def objecting(self) -> list[str]:
        """The people who object, or whose families do."""
        return [row["person"] for row in await self._pool.fetch(_SQL["objecting"])]
