"""Stored files: ciphertext in chunks, of which the database knows the report and the order, and nothing else."""

from collections.abc import AsyncIterable
from typing import Final
from uuid import UUID

import asyncpg

from registry.sql import load_queries

_SQL: Final = load_queries("registry.store", "files.sql")


class KeyRetired(Exception):
    """The data key under which the file was sealed has been erased meanwhile: nothing was stored."""


class Files:
    """The files of one store."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def add(self, file: UUID, report: UUID, key_id: bytes, chunks: AsyncIterable[bytes]) -> None:
        """Stores a file, all of it or nothing. Raises KeyRetired."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_SQL["add"], file, report)
            number = 0
            async for chunk in chunks:
                await connection.execute(_SQL["add_chunk"], file, number, chunk)
                number += 1
            await connection.execute(_SQL["hold_head"])
            if await connection.fetchval(_SQL["is_retired"], key_id):
                raise KeyRetired

    async def report_of(self, file: UUID) -> UUID | None:
        """The report that a file was stored for; whether it is attached to it, the report's events say."""
        report: UUID | None = await self._pool.fetchval(_SQL["report_of"], file)
        return report

    async def chunk(self, file: UUID, number: int) -> bytes | None:
        """One chunk; None if it is not there (any more)."""
        chunk: bytes | None = await self._pool.fetchval(_SQL["chunk"], file, number)
        return chunk

    async def attach(self, file: UUID) -> None:
        """It is known that an event attaches the file."""
        await self._pool.execute(_SQL["attach"], file)

    async def remove(self, file: UUID) -> None:
        """Deletes a file that nothing attaches."""
        await self._pool.execute(_SQL["remove"], file)

    async def left_over(self) -> list[tuple[UUID, UUID]]:
        """(file, report) of old files of which it is not known that they are attached."""
        return [(row["id"], row["report"]) for row in await self._pool.fetch(_SQL["left_over"])]
