"""Commands of 500 events, as imports make them, against COPY of the same rows into a table of the same indexes."""

import asyncpg

from benchmarks.appends import commit_sizes
from benchmarks.harness import Bench, Comparison, Side, Timed, in_tasks, open_store, stopwatch
from benchmarks.synthetic import commands

EVENTS = 500
"""Per command."""

SUBMITTERS = 8


async def run(bench: Bench) -> list[Comparison]:
    """One figure."""
    async with open_store(await bench.database("bulk")) as (pool, store):
        await pool.execute("CREATE TABLE bare (LIKE events INCLUDING ALL)")
        batches: list[int] = []
        size = bench.size(40, 4)

        async def append(count: int) -> Timed:
            before = await store.size()
            timed = await in_tasks(SUBMITTERS, commands(count, EVENTS), store.append)
            batches[:] = await commit_sizes(pool, before)
            return timed._replace(operations=count * EVENTS)

        async def copy(_: int) -> Timed:
            return await _copy(pool, batches)

        comparison = await bench.compare(
            "bulk append, commands of 500 events",
            Side("EventStore.append", size, append),
            Side("COPY of the same batches, asyncpg", size, copy),
            reach=0.5,
        )
    return [comparison]


async def _copy(pool: asyncpg.Pool, batches: list[int]) -> Timed:
    """Batch by batch, as they were committed, one transaction each."""
    position = await pool.fetchval("SELECT count(*) FROM bare")
    events = iter([event for command in commands(1, sum(batches)) for event in command.events])
    rows = []
    for size in batches:
        new = [next(events) for _ in range(size)]
        rows.append(
            [
                (n, one.event_id, one.stream_id, one.version, one.type, one.state, one.leaf, one.leaf_hash)
                for n, one in enumerate(new, position)
            ]
        )
        position += size
    latencies = []
    async with pool.acquire() as connection:
        with stopwatch() as total:
            for batch in rows:
                with stopwatch() as one:
                    await connection.copy_records_to_table("bare", records=batch)
                latencies.append(one())
            seconds = total()
    return Timed(sum(batches), seconds, latencies)
