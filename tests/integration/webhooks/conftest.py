"""A register whose webhooks go to receivers on this machine, over its real tables."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from api.auth.scopes import Scope
from api.delivery.webhooks.client import Client
from api.delivery.webhooks.delivering import Deliverer
from api.delivery.webhooks.signing import webhook_id
from api.services import Services
from api.streams.following import Following
from api.streams.streams import Streams
from registry.log import storage
from tests.events import Leaf, store_leaves
from tests.integration.conftest import Clock
from tests.integration.rest import Institution
from tests.integration.webhooks.receiver import Receiver

LOCAL = (ip_network("127.0.0.2/32"),)
OPEN = "release.published"


@pytest.fixture
def clock() -> Clock:
    """Receivers compare timestamps with the time that it is."""
    return Clock(datetime.now(UTC))


@pytest.fixture
def services(services: Services) -> Services:
    return replace(services, settings=services.settings.model_copy(update={"webhook_networks": LOCAL}))


class World:
    """A register, one integrator, and as many deliverers as a test starts."""

    def __init__(self, services: Services, integrator: Institution, clock: Clock) -> None:
        self.services, self.integrator, self.clock = services, integrator, clock
        self.pool: asyncpg.Pool = services.pool
        self._starts: dict[str, int] = {}

    async def register(self, url: str, *types: str, by: Institution | None = None) -> dict[str, Any]:
        """The answer, with id, secret and public key."""
        made = await (by or self.integrator).post("/v1/webhooks", {"url": url, "types": list(types)})
        assert made.status_code == 201, made.text
        answer: dict[str, Any] = made.json()
        self._starts[answer["id"]] = await self.pool.fetchval(
            "SELECT position FROM webhooks WHERE id = $1", answer["id"]
        )
        return answer

    async def publish(self, events: int, type_: str | None = None) -> None:
        """So many events more, entries or open ones, and a checkpoint."""
        leaf = Leaf("report.withdrawn") if type_ is None else Leaf(type_, {"id": "1"})
        async with self.pool.acquire() as connection:
            await store_leaves(connection, [leaf] * events)
        size = await storage.count_events(self.pool)
        assert await storage.publish(self.pool, size, bytes(32), "note") is not None

    async def sequence(self, endpoint: str, *types: str) -> list[str]:
        """The ids under which the log's events come to an endpoint, from its first on, in their order."""
        rows = await self.pool.fetch(
            "SELECT event_id, type FROM events WHERE position >= $1 ORDER BY position", self._starts[endpoint]
        )
        wanted = [row["event_id"] for row in rows if not types or row["type"] in types]
        return [str(webhook_id(UUID(endpoint), str(one))) for one in wanted]

    async def view(self, endpoint: str) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.integrator.get(f"/v1/webhooks/{endpoint}")).json()
        return answer

    async def attempts(self, endpoint: str) -> list[dict[str, Any]]:
        answer = await self.integrator.get(f"/v1/webhooks/{endpoint}/attempts")
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def replay(self, endpoint: str, by: Institution | None = None, **after: int) -> None:
        answer = await (by or self.integrator).post(f"/v1/webhooks/{endpoint}/replay", after)
        assert answer.status_code == 201, answer.text
        self._starts[endpoint] = after.get("after", self._starts[endpoint])

    async def sleep(self, seconds: float) -> None:
        """Time passes as soon as somebody waits for it."""
        self.clock.advance(seconds=seconds)
        await asyncio.sleep(0.001)

    @asynccontextmanager
    async def delivering(self, **options: Any) -> AsyncIterator[Deliverer]:
        """A process that delivers."""
        streams, stopping = Streams(self.pool), asyncio.Event()
        following = Following(streams, self.services.log_keys.origin, self.services.application)
        async with Client(LOCAL, self.clock) as client:
            deliverer = Deliverer(
                self.pool,
                self.services.application.master,
                following,
                client.post,
                self.clock,
                **{"sleep": self.sleep, "look_seconds": 0.05, **options},
            )
            running = asyncio.create_task(deliverer.run(stopping))
            try:
                yield deliverer
            finally:
                stopping.set()
                await streams.close()
                await running

    async def arrive(self, receiver: Receiver, ids: list[str]) -> None:
        """Returns when the receiver has accepted exactly these, in this order."""
        await until(lambda: len(receiver.accepted) >= len(ids))
        assert receiver.accepted == ids


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


async def becomes(asked: Callable[[], Any], expected: Any) -> None:
    """Waits until an answer is as expected."""
    async with asyncio.timeout(30):
        while await asked() != expected:  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.02)


@pytest.fixture
async def world(services: Services, join: Callable[..., Any], clock: Clock) -> World:
    world = World(services, await join(Scope.WEBHOOKS_MANAGE), clock)
    await world.publish(0)
    return world
