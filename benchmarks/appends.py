"""Durable appends of single events by many submitters: against the library, and against a bare INSERT."""

import asyncpg
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from benchmarks.harness import (
    LIBRARY_THREADS,
    Bench,
    Comparison,
    Side,
    Timed,
    in_tasks,
    in_threads,
    open_store,
    postgres_parameters,
    stopwatch,
)
from benchmarks.synthetic import commands, stored_event
from registry.store import Command

REACH = {64: 30.0, 256: 50.0}
"""Submitters → how many times the library's rate."""

OPERATIONS = 24_000
"""Half a second of ours, as long as the library's round lasts: of a shorter one the first commits are a large part."""

_BARE_INSERT = """
INSERT INTO bare SELECT $1 + e.n - 1, e.event_id, e.stream_id, e.version, e.type, e.state, e.leaf, e.leaf_hash
FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::bytea[], $7::bytea[], $8::bytea[]) WITH ORDINALITY
     AS e (event_id, stream_id, version, type, state, leaf, leaf_hash, n)
"""


async def run(bench: Bench) -> list[Comparison]:
    """Both submitter counts, each against both alternatives, and each begun with empty tables: see growth."""
    return [
        await against(bench, submitters)
        for against in (_against_library, _against_bare_insert)
        for submitters in REACH
    ]


async def _against_library(bench: Bench, submitters: int) -> Comparison:
    address = await bench.database(f"appends_library_{submitters}")
    with PostgresDatastore(**postgres_parameters(address), pool_size=LIBRARY_THREADS) as datastore:
        recorder = PostgresApplicationRecorder(datastore)
        recorder.create_table()

        async def insert(operations: int) -> Timed:
            events = [[stored_event(command.events[0])] for command in commands(operations)]
            return await in_threads(LIBRARY_THREADS, events, recorder.insert_events)

        async with open_store(address) as (_, store):
            return await bench.compare(
                f"durable appends, {submitters} submitters",
                Side(
                    "EventStore.append",
                    bench.size(OPERATIONS, 300),
                    lambda operations: in_tasks(submitters, commands(operations), store.append),
                ),
                Side("PostgresApplicationRecorder.insert_events, 16 threads", bench.size(500, 100), insert),
                reach=REACH[submitters],
            )


async def _against_bare_insert(bench: Bench, submitters: int) -> Comparison:
    """The other side inserts rows of the same columns and indexes in the very batches that the writer just made."""
    batches: list[int] = []

    async with open_store(await bench.database(f"appends_bare_{submitters}")) as (pool, store):
        await pool.execute("CREATE TABLE bare (LIKE events INCLUDING ALL)")

        async def append(operations: int) -> Timed:
            before = await store.size()
            timed = await in_tasks(submitters, commands(operations), store.append)
            batches[:] = await commit_sizes(pool, before)
            return timed

        async def insert(_: int) -> Timed:
            position = await pool.fetchval("SELECT count(*) FROM bare")
            waiting = iter(commands(sum(batches)))
            rows = [_columns([next(waiting) for _ in range(size)]) for size in batches]
            latencies = []
            async with pool.acquire() as connection:
                with stopwatch() as total:
                    for columns in rows:
                        with stopwatch() as one:
                            await connection.execute(_BARE_INSERT, position, *columns)
                        latencies.append(one())
                        position += len(columns[0])
                    seconds = total()
            return Timed(sum(batches), seconds, latencies)

        operations = bench.size(OPERATIONS, 300)
        return await bench.compare(
            f"durable appends, {submitters} submitters",
            Side("EventStore.append", operations, append),
            Side("bare multi-row INSERT of the same batches, asyncpg", operations, insert),
            reach=0.5,
        )


async def commit_sizes(pool: asyncpg.Pool, after: int) -> list[int]:
    """How many events each commit since a position held: the rows of one transaction share their xmin."""
    rows = await pool.fetch(
        "SELECT count(*) AS size FROM events WHERE position >= $1 GROUP BY xmin::text ORDER BY min(position)",
        after,
    )
    return [row["size"] for row in rows]


def _columns(batch: list[Command]) -> list[list[object]]:
    events = [event for command in batch for event in command.events]
    return [
        [event.event_id for event in events],
        [event.stream_id for event in events],
        [event.version for event in events],
        [event.type for event in events],
        [event.state for event in events],
        [event.leaf for event in events],
        [event.leaf_hash for event in events],
    ]
