"""Idempotency-Keys of requests about webhooks: the same request gets its first answer, for 30 days, secrets and all.

The answer is kept, encrypted, rather than found again: a secret that was rotated away since is found nowhere else.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from api.delivery.webhooks.endpoints import Sealing
from api.problems import ERASED, Problem
from registry.application.execution.unit import Actor
from registry.errors import IdempotencyKeyReused, StoreUnavailable
from registry.privacy.master import MasterKey
from registry.sql import load_queries
from registry.text import Text

LOOK_SECONDS: Final = 0.25
LOOKS: Final = 100
"""Whether the first of two equal requests is answered: for longer than any takes."""

_SQL: Final = load_queries("api.delivery.webhooks", "webhooks.sql")


class Repeat(NamedTuple):
    """Who may repeat what: the key that asks, its Idempotency-Key, and an HMAC of the request."""

    requested_by: UUID
    idempotency_key: str
    body: bytes


class Answered(NamedTuple):
    """The body of an answer, and whether it was given before. ``webhook`` is the endpoint that it is about."""

    webhook: UUID
    body: bytes
    replayed: bool = False


Database = asyncpg.Pool | PoolConnectionProxy
Act = Callable[[Database], Awaitable[Answered]]


class Repeats:
    """What has been asked under Idempotency-Keys."""

    def __init__(self, pool: asyncpg.Pool, master: MasterKey) -> None:
        self._pool = pool
        self._master = master
        self._sealing = Sealing(master)

    def of(self, actor: Actor, idempotency_key: str | None, body: bytes) -> Repeat | None:
        """None where nobody wants to repeat."""
        if idempotency_key is None or actor.key is None:
            return None
        return Repeat(actor.key, idempotency_key, self._master.mac("webhook-request", body))

    async def at_once(self, repeat: Repeat | None, act: Act) -> Answered:
        """What ``act`` answers, in one transaction with the note of it; or the first answer.

        :raises IdempotencyKeyReused: the request differs from the first.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            if repeat is not None and not await self._claim(connection, repeat):
                return await self._first(connection, repeat)
            answered = await act(connection)
            await self._note(connection, repeat, answered)
            return answered

    async def slowly(self, repeat: Repeat | None, act: Act) -> Answered:
        """The same for what takes long, without a transaction: an equal request waits, and a kill in between is
        noticed after a minute."""
        if repeat is None:
            return await act(self._pool)
        if not await self._claim(self._pool, repeat):
            for _ in range(LOOKS):
                first = await self._known(self._pool, repeat)
                if first is not None:
                    return first
                await asyncio.sleep(LOOK_SECONDS)
            raise _under_way()
        answered = await act(self._pool)
        await self._note(self._pool, repeat, answered)
        return answered

    async def _claim(self, connection: Database, repeat: Repeat) -> bool:
        return await connection.fetchval(_SQL["claim"], *repeat) is not None

    async def _note(self, connection: Database, repeat: Repeat | None, answered: Answered) -> None:
        if repeat is not None:
            who = repeat.requested_by, repeat.idempotency_key
            sealed = self._sealing.seal_answer(*who, answered.body)
            await connection.execute(_SQL["answered"], *who, answered.webhook, sealed)

    async def _first(self, connection: Database, repeat: Repeat) -> Answered:
        known = await self._known(connection, repeat)
        if known is None:
            raise _under_way()
        return known

    async def _known(self, connection: Database, repeat: Repeat) -> Answered | None:
        """The first answer; None while it is under way."""
        who = repeat.requested_by, repeat.idempotency_key
        row = await connection.fetchrow(_SQL["known"], *who)
        if row is None or row["body_hmac"] != repeat.body:
            raise IdempotencyKeyReused
        if row["webhook"] is None:
            return None
        if row["answer"] is None:
            raise Problem(
                ERASED,
                Text(
                    "El destino se borró desde entonces. Para registrarlo de nuevo, use otra Idempotency-Key.",
                    "The endpoint was deleted since. To register it anew, use another Idempotency-Key.",
                ),
            )
        return Answered(row["webhook"], self._sealing.open_answer(*who, row["answer"]), replayed=True)


def _under_way() -> StoreUnavailable:
    return StoreUnavailable(
        "Una petición igual sigue en curso. Repita en un minuto con la misma Idempotency-Key.",
        "The same request is still under way. Repeat in a minute with the same Idempotency-Key.",
    )
