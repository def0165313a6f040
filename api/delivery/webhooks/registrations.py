"""What an institution does with its endpoints: registers, reads and deletes them, rotates their secrets, replays."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import asyncpg
import msgspec

from api.delivery.webhooks.addresses import Network, check_url
from api.delivery.webhooks.drafts import Attempt, WebhookDraft, WebhookReplayDraft, WebhookSecretView, view_of
from api.delivery.webhooks.endpoints import Endpoint, Message, Reason, Sealing, Secret
from api.delivery.webhooks.outcomes import Outcome
from api.delivery.webhooks.repeats import Answered, Database
from api.delivery.webhooks.signing import Secrets
from api.streams.audience import audience_of
from api.streams.envelope import TYPES
from api.streams.following import Following
from registry.application.execution.unit import Actor, no_such_record
from registry.errors import InvalidInput, RuleViolated
from registry.privacy.master import MasterKey
from registry.sql import load_queries
from registry.text import Language

MOST_ENDPOINTS: Final = 10
"""Of one institution."""

MOST_ATTEMPTS: Final = 200
"""Kept of one endpoint, the last ones."""

BOTH_SIGN: Final = timedelta(days=1)
"""After a rotation, the old secrets beside the new ones."""

_SQL: Final = load_queries("api.delivery.webhooks", "webhooks.sql")


class Registrations:
    """The endpoints of one register; each institution has to do with its own alone.

    Whatever is not found raises NotFound, whether there is none or it is another institution's.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        master: MasterKey,
        following: Following,
        networks: Sequence[Network],
        clock: Callable[[], datetime],
    ) -> None:
        self._pool = pool
        self._sealing = Sealing(master)
        self._following = following
        self._networks = networks
        self._clock = clock

    async def size(self, actor: Actor) -> int:
        """Of the log, as an endpoint of this key sees it.

        It takes a connection of the pool, so it is asked before a transaction holds one: when all are held by those who
        wait for another, nobody gets any.
        """
        return await self._following.size(audience_of(actor))

    async def register(
        self, connection: Database, actor: Actor, draft: WebhookDraft, position: int
    ) -> Answered:
        """A new endpoint, which gets what comes from ``position`` on. Raises InvalidInput, RuleViolated."""
        url = check_url(draft.url, self._networks)
        types = _check_types(draft.types)
        endpoint = uuid4()
        sealed = self._sealing.seal_url(endpoint, url)
        row = (endpoint, actor.institution, actor.key, sealed, types, position, MOST_ENDPOINTS)
        await connection.execute(_SQL["take_turns"], actor.institution)
        if await connection.fetchval(_SQL["register"], *row) is None:
            raise RuleViolated(
                "too-many-webhooks",
                f"Su institución ya tiene {MOST_ENDPOINTS} destinos. Borre uno que no use.",
                f"Your institution has {MOST_ENDPOINTS} endpoints already. Delete one that is not in use.",
            )
        return await self._add_secrets(connection, endpoint, 1, None)

    async def rotate(self, connection: Database, actor: Actor, endpoint: UUID) -> Answered:
        """New secrets; those that they replace sign beside them for a day, those that were retiring no more."""
        if await connection.fetchval(_SQL["hold"], endpoint, actor.institution) is None:
            raise no_such_record()
        last = await connection.fetchval(_SQL["last_secret"], endpoint)
        answered = await self._add_secrets(connection, endpoint, last + 1, self._clock() + BOTH_SIGN)
        await connection.execute(_SQL["changed"], endpoint)
        return answered

    async def replay(
        self,
        connection: Database,
        actor: Actor,
        endpoint: UUID,
        draft: WebhookReplayDraft,
        size: int,
        language: Language,
    ) -> Answered:
        """Delivers again from a position on, or goes on where it stopped, with the sight of the key that asks.

        :param size: of the log.
        """
        if draft.after is not None and draft.after > size:
            raise InvalidInput(
                "after",
                "La bitácora aún no llega a esa posición. Use una que ya haya recibido, o 0 para todo.",
                "The log has not come to that position yet. Use one that you have received, or 0 for all.",
            )
        row = await connection.fetchrow(_SQL["replay"], endpoint, actor.institution, actor.key, draft.after)
        if row is None:
            raise no_such_record()
        secrets = await self._secrets(connection, endpoint)
        view = view_of(self._sealing.open_row(row), secrets, language)
        return Answered(endpoint, msgspec.json.encode(view))

    async def find(self, actor: Actor, endpoint: UUID) -> tuple[Endpoint, tuple[Secret, ...]]:
        """An endpoint, and the secrets that sign for it now."""
        row = await self._pool.fetchrow(_SQL["find"], endpoint, actor.institution)
        if row is None:
            raise no_such_record()
        return self._sealing.open_row(row), await self._secrets(self._pool, endpoint)

    async def page(
        self, actor: Actor, after: UUID | None, limit: int
    ) -> tuple[list[tuple[Endpoint, tuple[Secret, ...]]], UUID | None]:
        """A page of endpoints, and where the next one starts."""
        rows = await self._pool.fetch(_SQL["list"], actor.institution, after, limit + 1)
        found = [
            (self._sealing.open_row(row), await self._secrets(self._pool, row["id"])) for row in rows[:limit]
        ]
        return found, found[-1][0].id if len(rows) > limit else None

    async def remove(self, actor: Actor, endpoint: UUID) -> None:
        """Deletes an endpoint with its secrets and attempts. What is on its way may still arrive."""
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_SQL["remove"], endpoint, actor.institution) is None:
                raise no_such_record()
            await connection.execute(_SQL["forget_answers"], endpoint)

    async def attempts(
        self, actor: Actor, endpoint: UUID, after: int, limit: int
    ) -> tuple[list[Attempt], int | None]:
        """A page of what was tried, the oldest first, and where the next one starts."""
        await self.find(actor, endpoint)
        rows = await self._pool.fetch(_SQL["attempts"], endpoint, after, limit + 1)
        found = [Attempt(**row) for row in rows[:limit]]
        return found, found[-1].number if len(rows) > limit else None

    async def note_test(self, endpoint: UUID, at: datetime, message: Message, outcome: Outcome) -> Attempt:
        """Raises NotFound where the endpoint was deleted meanwhile."""
        noted = (
            endpoint,
            at,
            message.id,
            outcome.status,
            outcome.failure,
            outcome.milliseconds,
            MOST_ATTEMPTS,
        )
        row = await self._pool.fetchrow(_SQL["note_test"], *noted)
        if row is None:
            raise no_such_record()
        return Attempt(**row)

    async def _secrets(self, connection: Database, endpoint: UUID) -> tuple[Secret, ...]:
        rows = await connection.fetch(_SQL["secrets"], endpoint, self._clock())
        return self._sealing.open_secrets(endpoint, rows)

    async def _add_secrets(
        self, connection: Database, endpoint: UUID, number: int, old_retires: datetime | None
    ) -> Answered:
        secrets = Secrets.generate()
        sealed = self._sealing.seal_secrets(endpoint, number, secrets)
        await connection.execute(_SQL["add_secrets"], endpoint, number, sealed, old_retires)
        view = WebhookSecretView(
            id=endpoint, secret=secrets.secret, public_key=secrets.public_key, old_retires=old_retires
        )
        return Answered(endpoint, msgspec.json.encode(view))


async def states(pool: asyncpg.Pool) -> dict[str, int]:
    """How many endpoints are well, are being tried again, or are disabled, by the reason."""
    counted = dict.fromkeys(("WELL", "RETRYING", *Reason), 0)
    return {**counted, **{row["state"]: row["number"] for row in await pool.fetch(_SQL["states"])}}


def _check_types(types: Iterable[str]) -> list[str]:
    """Each once. Raises InvalidInput for one that no event has."""
    for index, name in enumerate(types):
        if name not in TYPES:
            raise InvalidInput(
                f"types[{index}]",
                "Ningún evento se llama así. Los nombres están en /asyncapi.json.",
                "No event has this name. The names are in /asyncapi.json.",
            )
    return sorted(set(types))
