"""Whether figures stay what they are as the log grows: one database with a hundred times the other's events.

Both lie on the same server and are measured in turns, so that the ratio is that of large to small; 1 is flat.
"""

import itertools
import time
from functools import partial
from uuid import UUID

import asyncpg

from benchmarks.harness import Bench, Comparison, Side, Timed, in_tasks
from benchmarks.replay import fold
from benchmarks.synthetic import commands, history
from projections.models.records import RecordsProjection
from projections.runner import Runner
from registry.database import connect_pool
from registry.store import Command, EventStore

LENGTH = 10
"""Events per stream."""

SUBMITTERS = 64
_PER_COMMAND = 50  # streams, that is 500 events
_PER_CHUNK = 20  # commands made and stored at a time: what is not stored yet lies in memory


class Filled:
    """A database with so many stored events, its projection caught up."""

    def __init__(self, pool: asyncpg.Pool, size: int) -> None:
        self.name = f"{size:,} events stored"
        self.pool = pool
        self.size = size
        self.store = EventStore(pool)
        self.runner = Runner(pool, [RecordsProjection()])
        self.streams: list[UUID] = []

    async def fill(self) -> None:
        """Stores the events as an import would, and lets the projection catch up."""
        left = self.size // LENGTH
        while left > 0:
            imports = []
            for _ in range(_PER_CHUNK):
                streams = [history(LENGTH) for _ in range(min(_PER_COMMAND, left))]
                left -= len(streams)
                if streams:
                    imports.append(Command(tuple(event for stream in streams for event in stream)))
                    self.streams.append(streams[0][0].stream_id)
            await in_tasks(4, imports, self.store.append)
        await self.runner.catch_up()
        await self.pool.execute("ANALYZE")

    async def append(self, count: int) -> Timed:
        return await in_tasks(SUBMITTERS, commands(count), self.store.append)

    async def append_bulk(self, count: int) -> Timed:
        timed = await in_tasks(4, commands(count, 500), self.store.append)
        return timed._replace(operations=count * 500)

    async def replay(self, count: int) -> Timed:
        streams = list(itertools.islice(itertools.cycle(self.streams), count))
        timed = await in_tasks(1, streams, lambda stream: fold(self.store, stream))
        return timed._replace(operations=count * LENGTH)

    async def catch_up(self, count: int) -> Timed:
        await self.runner.catch_up()
        await in_tasks(4, commands(count // 500, 500), self.store.append)
        started = time.perf_counter()
        await self.runner.catch_up()
        seconds = time.perf_counter() - started
        return Timed(count, seconds, [seconds])

    async def close(self) -> None:
        await self.store.close()
        await self.pool.close()


async def run(bench: Bench) -> list[Comparison]:
    """Every figure of the store, large against small."""
    large = await _filled(bench, "growth_large", bench.size(1_000_000, 2_000))
    small = await _filled(bench, "growth_small", bench.size(10_000, 1_000))
    figures = [
        ("durable appends, 64 submitters", Filled.append, bench.size(8_000, 100)),
        ("bulk append", Filled.append_bulk, bench.size(4, 1)),
        ("replay of streams of 10", Filled.replay, bench.size(1_000, 20)),
        ("projection catch-up", Filled.catch_up, bench.size(2_000, 500)),
    ]
    results = []
    for name, measure, count in figures:
        sides = [Side(filled.name, count, partial(measure, filled)) for filled in (large, small)]
        results.append(await bench.compare(f"{name}: large to small log", *sides, reach=None))
    await large.close()
    await small.close()
    return results


async def _filled(bench: Bench, name: str, size: int) -> Filled:
    filled = Filled(await connect_pool(await bench.database(name)), size)
    await filled.fill()
    return filled
