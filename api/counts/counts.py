"""Counts as of published checkpoints, each read once and remembered: as of a size, a count is the same for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeAlias, TypeVar

import asyncpg

from api.shared import REMEMBERED, Shared
from projections.counting.count import Count
from projections.counting.query import CountQuery
from projections.errors import CatchingUp, DefinitionNotAdopted
from projections.models import checkpoints, public_figures, standing
from projections.models.checkpoints import PublishedCheckpoint
from projections.models.standing import Standing
from projections.tables import Connection

CATCH_UP_SECONDS = 2.0
"""How long a question about a checkpoint just published waits for the read models, which follow within moments."""

ROWS_KEPT: Final = 1_000
"""Rows of the longest table that is remembered, some 200 KB: by state and year there are fewer."""

_CATCH_UP_STEP_SECONDS: Final = 0.05


T = TypeVar("T")
Read: TypeAlias = Callable[[Connection, int | None], Awaitable[tuple[Standing, T]]]
"""A question as of a size, or of the latest checkpoint, that brings along what its answer is given with."""


class Pin(NamedTuple):
    """The checkpoint that answers are as of, and how many incidents waited for a release then."""

    checkpoint: PublishedCheckpoint
    waiting: int


class Counts:
    """What this process has counted. The pool belongs to the caller."""

    def __init__(self, pool: asyncpg.Pool, remembered: int = REMEMBERED) -> None:
        self._pool = pool
        self._known: Shared[Count] = Shared(lambda count: len(count.rows) <= ROWS_KEPT, remembered)
        self._latest: int | None = None

    async def pin(self, as_of: int | None) -> Pin:
        """The published checkpoint of that size, the latest one unless a size is given; the read models cover it.

        Raises ProjectionError; waits a moment for read models that follow.
        """

        async def read(connection: Connection, size: int | None) -> tuple[Standing, None]:
            return await standing.standing(connection, size), None

        pinned, _ = await self.pin_and_read(as_of, read)
        return pinned

    async def pin_and_read(self, as_of: int | None, read: Read[T]) -> tuple[Pin, T]:
        """The same, with what one statement says as of it beside what every answer is given with."""
        deadline = asyncio.get_running_loop().time() + CATCH_UP_SECONDS
        while True:
            try:
                pinned, found = await self._read(as_of, read)
            except CatchingUp:
                if asyncio.get_running_loop().time() >= deadline:
                    raise
            else:
                if as_of is None:
                    self._latest = pinned.checkpoint.size
                return pinned, found
            await asyncio.sleep(_CATCH_UP_STEP_SECONDS)

    async def pin_and_count(self, query: CountQuery, as_of: int | None) -> tuple[Pin, Count]:
        """The same, with a count as of it; by one statement, whether the count is known or not."""
        expected = self._latest if as_of is None else as_of
        if expected is not None and self._known.has((query, expected)):
            pinned = await self.pin(as_of)
            return pinned, await self.count(query, pinned)

        async def read(connection: Connection, size: int | None) -> tuple[Standing, Count]:
            return await public_figures.answer(connection, query, size)

        pinned, count = await self.pin_and_read(as_of, read)
        self._known.keep((query, pinned.checkpoint.size), count)
        return pinned, count

    async def count(self, query: CountQuery, pinned: Pin) -> Count:
        """As of a checkpoint that is pinned already."""
        size = pinned.checkpoint.size

        async def find() -> Count:
            async with self._pool.acquire() as connection:
                return await public_figures.count(connection, query, size)

        return await self._known.ask((query, size), find)

    async def _read(self, as_of: int | None, read: Read[T]) -> tuple[Pin, T]:
        async with self._pool.acquire() as connection:
            try:
                (checkpoint, waiting), found = await read(connection, as_of)
            except (CatchingUp, DefinitionNotAdopted):
                if as_of is not None:
                    await checkpoints.at_size(connection, as_of)  # that it was never published is told first
                raise
            if checkpoint is None:
                checkpoint = await checkpoints.at_size(connection, as_of or 0)
        return Pin(checkpoint, waiting), found
