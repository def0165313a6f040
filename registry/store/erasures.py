"""Erasing from the store: what a subject covers, and the steps of an erasure, kept until the last one is taken.

Ciphertexts and commitment keys are deleted by the data key that they were sealed under, never by the subject alone:
what is written about the subject afterwards, under a new key, stays. While they are deleted the head row is held; from
then on the store refuses what was sealed under the erased key (see ``append``), so nothing of it can arrive late.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

import asyncpg

from registry.sql import load_queries

_SQL = load_queries("registry.store", "erasures.sql")


class Step(NamedTuple):
    """One data key that goes, with everything under it. ``event_id`` and ``reason`` are those of ``subject.erased``."""

    subject: str
    key_id: bytes
    event_id: UUID
    reason: str
    deleted: bool


class Erasures:
    """The erasures of one store. Every method may be repeated, by any process."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def covered(self, subject: str) -> list[UUID]:
        """The events that hold values of the subject, or whose commitments its data key opens."""
        return [row["event_id"] for row in await self._pool.fetch(_SQL["covered"], subject)]

    async def key_ids(self, subject: str) -> set[bytes]:
        """The data keys under which anything of the subject is stored: one, if nothing went wrong."""
        return {row["id"] for row in await self._pool.fetch(_SQL["key_ids"], subject)}

    async def begin(self, subject: str, key_ids: Iterable[bytes], event_id: UUID, reason: str) -> None:
        """Makes it durable that the subject shall be erased, unless nothing of it is left."""
        await self._pool.execute(_SQL["begin"], subject, sorted(set(key_ids)), event_id, reason)

    async def unfinished(self, subject: str) -> list[Step]:
        """The steps of the subject's erasure, those not taken yet in front; empty if none was begun or all is said."""
        return [Step(*row) for row in await self._pool.fetch(_SQL["unfinished"], subject)]

    async def delete(self, requested: str, step: Step) -> None:
        """Takes a step, in one transaction. That of a person adds a step for each report that names the person."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_SQL["hold_head"])
            await connection.execute(_SQL["retire_key"], step.key_id)
            await connection.execute(_SQL["delete_parts"], step.subject, step.key_id)
            await connection.execute(_SQL["delete_files"], step.subject, step.key_id)
            await connection.execute(_SQL["delete_keys"], requested, step.subject, step.key_id)
            await connection.execute(_SQL["done"], requested, step.subject, step.key_id)

    async def finish(self, subject: str, event_id: UUID) -> None:
        """Forgets the erasure, and with it the subject's name, once the log says that it happened."""
        await self._pool.execute(_SQL["finish"], subject, event_id)
