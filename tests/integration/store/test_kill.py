"""Nothing acknowledged is lost, doubled or renumbered when PostgreSQL is killed in the middle of commits."""

import asyncio
from pathlib import Path

import pytest

from registry.database import connect_pool, migrate
from registry.embedded import EmbeddedServer
from registry.errors import StoreUnavailable
from registry.store import Command, EventStore
from tests.integration.store.conftest import command, event, kill_server

KILLS = 4


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_over_repeated_kills_of_the_server(data_directory: Path) -> None:
    acknowledged: dict[int, Command] = {}
    stopping = asyncio.Event()

    async with EmbeddedServer(data_directory) as address:
        await migrate(address)
        pool = await connect_pool(address, min_size=1, max_size=4)
        store = EventStore(pool)

        async def submit() -> None:
            while not stopping.is_set():
                one = command(event(), event())
                try:
                    answer = await store.append(one)
                except StoreUnavailable:
                    await asyncio.sleep(0.05)
                    continue
                for position in answer.positions:
                    assert position not in acknowledged
                    acknowledged[position] = one

        submitters = [asyncio.create_task(submit()) for _ in range(16)]
        for _ in range(KILLS):
            await asyncio.sleep(0.5)
            await asyncio.to_thread(kill_server, data_directory)
            # Another user of the server finds it gone and starts it again.
            async with EmbeddedServer(data_directory):
                await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)
        stopping.set()
        await asyncio.gather(*submitters)
        await store.close()

        stored = {
            row["position"]: row["event_id"]
            for row in await pool.fetch("SELECT position, event_id FROM events")
        }
        size = await pool.fetchval("SELECT size FROM head")
        await pool.close()

    assert len(acknowledged) > 100
    assert sorted(stored) == list(range(size))
    for position, one in acknowledged.items():
        assert stored[position] in {new.event_id for new in one.events}
