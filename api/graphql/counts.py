"""Counts as of published checkpoints, each read once and remembered: as of a size, a count is the same for ever."""

import asyncio
from typing import Final, NamedTuple

import asyncpg

from api.shared import REMEMBERED, Shared
from projections.counting.count import Count
from projections.counting.query import CountQuery
from projections.errors import CatchingUp, DefinitionNotAdopted
from projections.models import checkpoints, public_count
from projections.models.checkpoints import PublishedCheckpoint

CATCH_UP_SECONDS = 2.0
"""How long a question about a checkpoint just published waits for the read models, which follow within moments."""

ROWS_KEPT: Final = 1_000
"""Rows of the longest table that is remembered, some 200 KB: by state and year there are fewer."""

_CATCH_UP_STEP_SECONDS: Final = 0.05


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
        pinned, _ = await self._patiently(as_of, None)
        return pinned

    async def pin_and_count(self, query: CountQuery, as_of: int | None) -> tuple[Pin, Count]:
        """The same, with a count as of it; by one statement, whether the count is known or not."""
        expected = self._latest if as_of is None else as_of
        if expected is not None and self._known.has((query, expected)):
            pinned = await self.pin(as_of)
            return pinned, await self.count(query, pinned)
        pinned, count = await self._patiently(as_of, query)
        if count is None:
            count = await self.count(query, pinned)
        else:
            self._known.keep((query, pinned.checkpoint.size), count)
        return pinned, count

    async def count(self, query: CountQuery, pinned: Pin) -> Count:
        """As of a checkpoint that is pinned already."""
        size = pinned.checkpoint.size

        async def find() -> Count:
            async with self._pool.acquire() as connection:
                return await public_count.count(connection, query, size)

        return await self._known.ask((query, size), find)

    async def _patiently(self, as_of: int | None, query: CountQuery | None) -> tuple[Pin, Count | None]:
        deadline = asyncio.get_running_loop().time() + CATCH_UP_SECONDS
        while True:
            try:
                pinned, count = await self._read(as_of, query)
            except CatchingUp:
                if asyncio.get_running_loop().time() >= deadline:
                    raise
            else:
                if as_of is None:
                    self._latest = pinned.checkpoint.size
                return pinned, count
            await asyncio.sleep(_CATCH_UP_STEP_SECONDS)

    async def _read(self, as_of: int | None, query: CountQuery | None) -> tuple[Pin, Count | None]:
        count: Count | None = None
        async with self._pool.acquire() as connection:
            try:
                if query is None:
                    checkpoint, waiting = await public_count.standing(connection, as_of)
                else:
                    (checkpoint, waiting), count = await public_count.answer(connection, query, as_of)
            except (CatchingUp, DefinitionNotAdopted):
                if as_of is not None:
                    await checkpoints.at_size(connection, as_of)  # that it was never published is told first
                raise
            if checkpoint is None:
                checkpoint = await checkpoints.at_size(connection, as_of or 0)
        return Pin(checkpoint, waiting), count
