"""Pages of the feed, against a plain FastAPI route that answers the same rows of the same log, raw SQL to JSON.

Both sides are answered by one server, in this process, over HTTP connections that are kept open. Every request is for
another page, so that nothing is remembered of an earlier one.
"""

from collections.abc import Awaitable, Callable
from itertools import count

import asyncpg
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from api.streams import feed
from api.streams.following import Following
from api.streams.streams import Streams
from benchmarks.connection import Connection, get, served
from benchmarks.harness import Bench, Comparison, Side, Timed, in_tasks
from registry.database import connect_pool
from registry.log import storage

EVENTS, QUICK_EVENTS = 200_000, 2_000
CLIENTS = 4
LIMITS = (100, 500)

ORIGIN = "bench.example/log"

_FILL = """
WITH leaf AS (
    SELECT n, id, incident, open, convert_to(CASE WHEN open THEN
        format('{"id":"%s","public":{"certainty":"PROBABLE","class":"ATTACK","disputed":false,"facets":{"kind":{"sealed":'
            '"3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},"state":{"value":"%s"}},"incident":"%s","merged_into":null},'
            '"recorded":"2026-11-22","type":"incident.disclosed","v":1}', id, to_char(1 + n % 32, 'FM00'), incident)
        ELSE format('{"id":"%s","sealed":{"content":"%s"},"type":"entry","v":1}', id,
                    '3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=') END, 'UTF8') AS leaf
    FROM (
        SELECT n, gen_random_uuid() AS id, gen_random_uuid() AS incident, n % 5 = 0 AS open
        FROM generate_series(0, $1::bigint - 1) AS n
    ) AS invented
)
INSERT INTO events (position, event_id, stream_id, version, type, state, leaf, leaf_hash)
SELECT n, id, incident, 1, CASE WHEN open THEN 'incident.disclosed' ELSE 'attack.reported' END, leaf, leaf,
    sha256(decode('00', 'hex') || leaf)
FROM leaf
"""
_BARE = """
SELECT position, event_id::text AS id, type, convert_from(leaf, 'UTF8') AS leaf, encode(leaf_hash, 'hex') AS leafhash
FROM events WHERE position >= $1 ORDER BY position LIMIT $2
"""


async def run(bench: Bench) -> list[Comparison]:
    """A page of the feed, by how many events it holds."""
    pool = await connect_pool(await bench.database("feed"), plan_once=True)
    events = bench.size(EVENTS, QUICK_EVENTS)
    await fill(pool, events)
    await storage.publish(pool, events, bytes(32), "note")
    results = []
    async with served(_app(pool)) as port:
        for limit in LIMITS:
            pages = _Pages(port, events, limit)
            requests = bench.size(20_000 // limit, 5)
            results.append(
                await bench.compare(
                    f"feed, pages of {limit}",
                    Side("GET /v1/events", requests, pages.asked("/v1/events")),
                    Side("FastAPI route, raw SQL to JSON", requests, pages.asked("/plain")),
                    unit="pages",
                    reach=0.4,
                )
            )
    await pool.close()
    return results


async def fill(pool: asyncpg.Pool, events: int) -> None:
    """An invented log: four of five leaves are entries, the others disclose an incident."""
    await pool.execute(_FILL, events)
    await pool.execute("UPDATE head SET size = $1", events)
    await pool.execute("VACUUM ANALYZE events")


class _Pages:
    """Pages of one size all over the log, each request another."""

    def __init__(self, port: int, events: int, limit: int) -> None:
        self._port, self._events, self._limit = port, events, limit
        self._numbers = count()

    def asked(self, path: str) -> Callable[[int], Awaitable[Timed]]:
        async def ask(requests: int) -> Timed:
            connections = [await Connection.open(self._port) for _ in range(CLIENTS)]
            free = list(connections)

            async def one(request: bytes) -> None:
                connection = free.pop()
                status, head = await connection.ask(request)
                if status != 200:
                    raise RuntimeError(f"{status}: {head[:200]!r}")
                free.append(connection)

            timed = await in_tasks(CLIENTS, [self._request(path) for _ in range(requests)], one)
            for connection in connections:
                connection.close()
            return timed

        return ask

    def _request(self, path: str) -> bytes:
        # A step that shares no factor with the log's size: the same page comes again when all others have been.
        after = next(self._numbers) * 7_919 % (self._events - self._limit)
        return get(f"{path}?after={after}&limit={self._limit}")


def _app(pool: asyncpg.Pool) -> FastAPI:
    """What answers for both sides."""
    app = FastAPI()
    app.state.following = Following(Streams(pool), ORIGIN)
    app.include_router(feed.build_router())

    @app.get("/plain")
    async def plain(after: int, limit: int) -> JSONResponse:
        return JSONResponse([dict(row) for row in await pool.fetch(_BARE, after, limit)])

    return app
