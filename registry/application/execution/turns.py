"""Turns: the commands of one process change an aggregate one after another, instead of racing for its next version.

Only a comfort: what decides is the version that the store expects, also between processes. A turn lasts from before
an aggregate is loaded until its events are stored, over nothing that a client controls: the request has been read,
the answer has not begun.

Turns never wait for each other in a circle. A command takes its first turn while it holds none. One that lost a race
over several aggregates takes turns at all of them, before anything else, in the order of their ids. So whoever
holds a turn and waits for another waits for a greater one.
"""

import asyncio
from collections.abc import Iterable
from typing import Self
from uuid import UUID
from weakref import WeakValueDictionary

from registry.errors import StoreUnavailable

TURN_SECONDS = 10.0
"""Waiting for a turn ends here: thousands of commands wait for one aggregate, or its database hangs."""

MAX_TURNS = 16
"""A command that changes more aggregates (a release) retries without turns: it must not make everybody wait."""


class Turn:
    """The turns that one attempt at a command holds, from when they are taken until it is left."""

    def __init__(self, locks: WeakValueDictionary[UUID, asyncio.Lock], contended: frozenset[UUID]) -> None:
        self._locks = locks
        self._contended = contended
        self._held: list[asyncio.Lock] = []

    async def __aenter__(self) -> Self:
        try:
            if len(self._contended) <= MAX_TURNS:
                await self.take_all(self._contended)
        except BaseException:
            self._release()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._release()

    async def take(self, aggregate_id: UUID) -> None:
        """Waits for the turn at the aggregate that a decision is about; with a turn in hand, goes on as it is.

        Raises StoreUnavailable after ``TURN_SECONDS``.
        """
        if not self._held:
            await self._wait(aggregate_id)

    async def take_all(self, aggregate_ids: Iterable[UUID]) -> None:
        """Waits for the turns at several aggregates; before ``take``, or not at all."""
        for aggregate_id in sorted(aggregate_ids):
            await self._wait(aggregate_id)

    async def _wait(self, aggregate_id: UUID) -> None:
        # Held by whoever has or awaits the turn, by nobody else: the lock goes when the last of them goes.
        lock = self._locks.setdefault(aggregate_id, asyncio.Lock())
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await lock.acquire()
        except TimeoutError:
            raise StoreUnavailable(
                "Hay demasiados cambios en espera para este registro. No se guardó nada; repita en unos segundos.",
                "Too many changes to this record are waiting. Nothing was stored; repeat in a few seconds.",
            ) from None
        self._held.append(lock)

    def _release(self) -> None:
        while self._held:
            self._held.pop().release()


class Turns:
    """The turns at all aggregates of one process: one command at a time at each, in order of arrival."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    def attempt(self, contended: frozenset[UUID] = frozenset()) -> Turn:
        """To be entered. ``contended``: the aggregates that an attempt before this one lost a race for."""
        return Turn(self._locks, contended)
