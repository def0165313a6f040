"""Which endpoints a process delivers to, and how far each has come.

One process at a time holds an endpoint: it has written itself into its row, for some seconds, and renews that as long
as it lives. Whoever comes after a kill finds the lease expired and goes on from the position. Every change of a
position names the one that it starts from, so that of two who take themselves for the holder only one can move it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from api.delivery.webhooks.endpoints import Endpoint, Message, Reason, Sealing, Secret
from api.delivery.webhooks.outcomes import Outcome
from api.delivery.webhooks.registrations import MOST_ATTEMPTS
from api.streams.audience import Audience, audience_of
from registry.application.execution.unit import Actor
from registry.privacy.master import MasterKey
from registry.sql import load_queries

SURE: Final = 2 / 3
"""Of a lease: so much is left of each behind :meth:`Leases.take`, which renews those that have less."""

_SQL: Final = load_queries("api.delivery.webhooks", "webhooks.sql")


class Held(NamedTuple):
    """An endpoint that this process holds. ``allowed``: its key is in force."""

    id: UUID
    revision: int
    allowed: bool


class Leased(NamedTuple):
    """All that is needed to deliver to an endpoint, as it was read."""

    endpoint: Endpoint
    secrets: tuple[Secret, ...]
    audience: Audience


class Leases:
    """Those of one process, each for so many seconds by the clock of the database. Days are those of ``clock``."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        master: MasterKey,
        process: UUID,
        seconds: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._pool = pool
        self._sealing = Sealing(master)
        self._process = process
        self._seconds = seconds
        self._clock = clock

    async def take(self) -> list[Held]:
        """Takes what nobody holds, renews what it holds, and tells what that is now."""
        await self._pool.execute(_SQL["take"], self._process, self._seconds, self._seconds * SURE)
        return [
            Held(*row) for row in await self._pool.fetch(_SQL["held"], self._process, self._clock().date())
        ]

    async def load(self, endpoint: UUID) -> Leased | None:
        """None if it is not held (any more), or its key has ended."""
        row = await self._pool.fetchrow(_SQL["leased"], endpoint, self._process, self._clock().date())
        if row is None:
            return None
        actor = Actor(row["institution"], row["key"], frozenset(row["scopes"]))
        secrets = await self._pool.fetch(_SQL["secrets"], endpoint, self._clock())
        return Leased(
            self._sealing.open_row(row), self._sealing.open_secrets(endpoint, secrets), audience_of(actor)
        )

    async def still(self, leased: Leased) -> bool:
        """Whether it is held, unchanged, and its key in force."""
        one = leased.endpoint
        row = (one.id, self._process, one.revision, self._clock().date())
        return bool(await self._pool.fetchval(_SQL["still"], *row))

    async def passed(self, endpoint: UUID, position: int, to: int) -> bool:
        """There is nothing for it in between. False if the position is another by now."""
        moved = await self._pool.fetchval(_SQL["passed"], endpoint, self._process, position, to)
        return moved is not None

    async def accepted(
        self, leased: Leased, position: int, at: datetime, message: Message, outcome: Outcome
    ) -> bool:
        """Notes that what followed ``position`` has arrived. Whether to go on with what was read of the endpoint."""
        if message.position is None:
            raise ValueError("a test moves no position")
        one = leased.endpoint
        going_on = await self._pool.fetchval(
            _SQL["accepted"],
            one.id,
            self._process,
            position,
            message.position + 1,
            at,
            message.id,
            message.position,
            outcome.status,
            outcome.milliseconds,
            MOST_ATTEMPTS,
            one.revision,
            self._clock().date(),
        )
        return bool(going_on)

    async def failed(
        self,
        leased: Leased,
        position: int,
        at: datetime,
        message: Message,
        outcome: Outcome,
        *,
        failing_since: datetime,
        next_try: datetime | None,
        disabled: Reason | None,
    ) -> bool:
        """Notes one more failure, and what follows from it. False if somebody else has the endpoint by now, or has
        changed it."""
        noted = await self._pool.fetchval(
            _SQL["failed"],
            leased.endpoint.id,
            self._process,
            position,
            at,
            message.id,
            message.position,
            outcome.status,
            outcome.failure,
            outcome.milliseconds,
            leased.endpoint.failures + 1,
            failing_since,
            next_try,
            disabled,
            MOST_ATTEMPTS,
            leased.endpoint.revision,
        )
        return noted is not None

    async def end_key(self, held: Held) -> bool:
        """Its key has ended: it is disabled. False if it was already, is another's, or has another key by now."""
        row = (held.id, self._process, self._clock(), held.revision)
        return await self._pool.fetchval(_SQL["end_key"], *row) is not None

    async def forget(self) -> None:
        """Deletes secrets that sign no more, and answers, secrets and all, that nobody may ask for again."""
        await self._pool.execute(_SQL["forget_secrets"], self._clock())
        await self._pool.execute(_SQL["forget_requests"])

    async def release(self) -> None:
        """Lets go of all, for the next process to take."""
        await self._pool.execute(_SQL["release"], self._process)
