"""Counts and lists over GraphQL, against a plain FastAPI route that runs the bare SQL, over a million incidents.

The read model's tables are filled by SQL, as releases would have filled them: in ten releases, then one that changes a
thousand incidents. Both sides are answered by one server, in this process, over HTTP connections that are kept open.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import asyncpg
import orjson
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from api.counts.answer import Backing
from api.counts.counts import Counts
from api.graphql.http import build_router
from api.streams.streams import Streams
from benchmarks.connection import Connection, get, served
from benchmarks.harness import Bench, Comparison, Run, Side, Timed, at_median, in_tasks
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.models.public_count import PublicCount
from projections.models.waiting import Waiting
from registry.database import connect_pool
from registry.log.checkpoint import Checkpoint
from registry.log.note import Signer
from registry.sql import load_queries

INCIDENTS, QUICK_INCIDENTS = 1_000_000, 2_000
RELEASES = 10
CHANGED = 1_000
CLIENTS = 4
"""Connections for the list of incidents; counts are asked one after the other, for their latency."""

ORIGIN = "bench.example/log"
_CLOSE = load_queries("projections.models", "public_count.sql")["close"]
_COUNT = (
    "query ($asOf: LogSize) { count(asOf: $asOf) {"
    " low best high disputed excluded { reason incidents } asOf { size root } } }"
)
_TABLE = (
    "query ($asOf: LogSize) { counts(groupBy: [STATE, YEAR], asOf: $asOf) {"
    " rows { key { value } low best high } } }"
)
_LIST = (
    "{ incidents(first: 100) { edges { cursor node { id class status mergedInto certainty disputed"
    " facets { name state value } } } } }"
)

_DISCLOSE = """
INSERT INTO public_count.disclosures
SELECT n, NULL, gen_random_uuid(), CASE WHEN n % 3 = 0 THEN 'THREAT' ELSE 'ATTACK' END, 'ACTIVE', NULL,
    (ARRAY['POSSIBLE', 'PROBABLE', 'CONFIRMED'])[1 + n % 3], n % 50 = 0,
    '{"broad":{"deaths":[0,0,0],"victims":[1,1,1]},"strict":{"deaths":[0,0,0],"victims":[1,1,1]}}',
    year, CASE WHEN known THEN year || '-' || to_char(1 + n % 12, 'FM00') END, state,
    CASE WHEN known THEN state || to_char(1 + n % 60, 'FM000') END,
    CASE WHEN n % 3 = 0 THEN (ARRAY['VERBAL', 'MESSAGE', 'WRITTEN'])[1 + n / 3 % 3]
         ELSE (ARRAY['ROBBERY', 'ABDUCTION', 'ARMED_ATTACK', 'PHYSICAL_ASSAULT'])[1 + n / 3 % 4] END,
    NULL, counted, NULL, counted, NULL
FROM (
    SELECT n, (2006 + n % 20)::text AS year, to_char(1 + n * 7 % 32, 'FM00') AS state, n % 5 = 0 AS known,
        CASE n % 3 WHEN 0 THEN ARRAY[0, 0, 1, 0, 0, 1, 0, 0, 0] WHEN 1 THEN ARRAY[0, 1, 1, 0, 1, 1, 0, 0, 0]
                   ELSE ARRAY[1, 1, 1, 1, 1, 1, 0, 0, 0] END::bigint[] AS counted
    FROM generate_series($1::bigint, $2::bigint - 1) AS n
) AS invented
"""
_CHANGE = """
WITH old AS (
    UPDATE public_count.disclosures SET superseded_at = $1::bigint + position / $2::bigint
    WHERE position % $2::bigint = 1 AND superseded_at IS NULL AND position / $2::bigint < $3::bigint
    RETURNING *
)
INSERT INTO public_count.disclosures
SELECT superseded_at, NULL, incident, class, 'RETRACTED', NULL, certainty, disputed, tally, year, month, state,
    municipality, kind, sex, array_fill(0::bigint, ARRAY[9]), 'RETRACTED', array_fill(0::bigint, ARRAY[9]), 'RETRACTED'
FROM old
"""
_BARE_COUNT = """
SELECT sum(sums[1])::bigint AS low, sum(sums[2])::bigint AS best, sum(sums[3])::bigint AS high
FROM public_count.cells
WHERE grain = 0 AND nexus = 'STRICT' AND excluded = '' AND since <= $1 AND until > $1
"""
_BARE_TABLE = """
SELECT state, year, sum(sums[1])::bigint AS low, sum(sums[2])::bigint AS best, sum(sums[3])::bigint AS high
FROM public_count.cells
WHERE grain = 1 AND nexus = 'STRICT' AND excluded = '' AND since <= $1 AND until > $1
GROUP BY state, year
HAVING sum(sums[3]) > 0
ORDER BY state, year
"""
_BARE_LIST = """
SELECT incident::text AS id, class, status, merged_into::text AS merged_into, certainty, disputed, tally, year, state,
    kind, municipality, month, sex
FROM public_count.disclosures
WHERE position < $1 AND (superseded_at IS NULL OR superseded_at >= $1)
ORDER BY incident
LIMIT 101
"""


async def run(bench: Bench) -> list[Comparison]:
    """The first four figures of the count's table."""
    pool = await connect_pool(await bench.database("graphql"), plan_once=True)
    sizes = await _fill(pool, bench.size(INCIDENTS, QUICK_INCIDENTS))
    async with served(_app(pool)) as port:
        asking = _Asking(port)
        past, head = sizes[len(sizes) // 2], sizes[-1]
        many, few = bench.size(300, 20), bench.size(100, 5)

        async def compare(figure: str, ours: Run, theirs: Run, count: int, names: tuple[str, str]) -> None:
            sides = (Side(names[0], count, at_median(ours)), Side(names[1], count, at_median(theirs)))
            results.append(await bench.compare(figure, *sides, unit="requests", reach=0.5))

        results: list[Comparison] = []
        bare = ("POST /graphql, computed anew", "FastAPI route, bare SQL")
        again = ("POST /graphql, remembered", bare[1])
        counted, table = asking.count(None), asking.ours(_TABLE)
        await compare("count at head", asking.anew(_COUNT), asking.plain("count", head), many, bare)
        await compare(
            "count at a past checkpoint", asking.anew(_COUNT, past), asking.plain("count", past), many, bare
        )
        await compare("count at head, asked again", counted, asking.plain("count", head), many, again)
        await compare(
            "counts by state and year", asking.anew(_TABLE), asking.plain("counts", head), few, bare
        )
        await compare(
            "counts by state and year, asked again", table, asking.plain("counts", head), few, again
        )
        results.append(
            await bench.compare(
                "list of 100 incidents, 10 fields",
                Side("POST /graphql", few, asking.ours(_LIST, CLIENTS)),
                Side("FastAPI route, the same SQL", few, asking.plain("list", head, CLIENTS)),
                unit="requests",
                reach=0.5,
            )
        )
        results.append(
            await bench.compare(
                "counts by state and year with asOf, revalidated",
                Side("GET with its ETag: 304", many, await asking.again(head)),
                Side("GET without, computed anew", few, asking.afresh(head)),
                unit="requests",
                reach=4,
            )
        )
    await pool.close()
    return results


async def _fill(pool: asyncpg.Pool, incidents: int) -> list[int]:
    """The sizes of the checkpoints: one after each release."""
    log = Signer(ORIGIN, b"l" * 32)
    sizes: list[int] = []

    async def release(connection: Any, size: int) -> None:
        await connection.execute("SET LOCAL search_path TO public_count, public")
        await connection.execute(_CLOSE, size)
        note = Checkpoint(ORIGIN, size, bytes(32)).sign(log)
        await connection.execute(
            "INSERT INTO checkpoints (size, root, note) VALUES ($1, $2, $3)", size, bytes(32), note
        )
        sizes.append(size)

    async with pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO public_count.adoptions VALUES (0, 'definition.adopted', $1, $2)",
            DEFINITION_ID,
            definition_sha256(),
        )
        share = incidents // RELEASES
        for number in range(RELEASES):
            async with connection.transaction():
                await connection.execute(_DISCLOSE, 1 + number * share, 1 + (number + 1) * share)
                await release(connection, 1 + (number + 1) * share)
        changed = min(CHANGED, incidents // 4)
        async with connection.transaction():
            await connection.execute(_CHANGE, 1 + incidents, incidents // changed, changed)
            await release(connection, 1 + incidents + changed)
        await connection.executemany(
            "INSERT INTO projections.positions (name, version, position) VALUES ($1, $2, $3)",
            [
                (PublicCount.name, PublicCount.version, 2 * incidents),
                (Waiting.name, Waiting.version, 2 * incidents),
            ],
        )
        await connection.execute("VACUUM ANALYZE")
    return sizes


def _app(pool: asyncpg.Pool) -> FastAPI:
    """What answers for both sides."""
    app = FastAPI()
    backing = Backing.of(pool, (Signer(f"{ORIGIN}/count/v1", b"c" * 32),), ORIGIN, Streams(pool))
    forgetful = backing._replace(counts=Counts(pool, remembered=0))
    app.include_router(build_router(lambda asked: forgetful if "anew" in asked.headers else backing))
    for name, sql in (("count", _BARE_COUNT), ("counts", _BARE_TABLE), ("list", _BARE_LIST)):
        app.get(f"/plain/{name}")(_route(pool, sql))
    return app


def _route(pool: asyncpg.Pool, sql: str) -> Callable[[int], Awaitable[JSONResponse]]:
    async def plain(size: int) -> JSONResponse:
        return JSONResponse([dict(row) for row in await pool.fetch(sql, size)])

    return plain


class _Asking:
    """The requests of each side, ready to be sent."""

    def __init__(self, port: int) -> None:
        self._port = port

    def count(self, size: int | None) -> Run:
        return self.ours(_COUNT, asOf=size)

    def anew(self, query: str, size: int | None = None) -> Run:
        """Nothing is remembered of earlier answers."""
        return self._side(
            _post(orjson.dumps({"query": query, "variables": {"asOf": size}}), b"anew: 1\r\n"), 200
        )

    def ours(self, query: str, clients: int = 1, **variables: object) -> Run:
        body = orjson.dumps({"query": query, "variables": variables})
        return self._side(_post(body), 200, clients)

    def plain(self, name: str, size: int, clients: int = 1) -> Run:
        return self._side(get(f"/plain/{name}?size={size}"), 200, clients)

    def afresh(self, size: int) -> Run:
        return self._side(get(_link(size), b"anew: 1\r\n"), 200)

    async def again(self, size: int) -> Run:
        async with _connected(self._port) as connection:
            _, head = await connection.ask(get(_link(size)))
        tag = next(line for line in head.split(b"\r\n") if line.startswith(b"etag: ")).removeprefix(b"etag: ")
        return self._side(get(_link(size), b"if-none-match: " + tag + b"\r\n"), 304)

    def _side(self, request: bytes, status: int, clients: int = 1) -> Run:
        async def ask(count: int) -> Timed:
            connections: asyncio.Queue[Connection] = asyncio.Queue()
            for _ in range(clients):
                connections.put_nowait(await Connection.open(self._port))

            async def one(_: int) -> None:
                connection = connections.get_nowait()
                got, head = await connection.ask(request)
                if got != status:
                    raise RuntimeError(f"{got} instead of {status}: {head[:200]!r}")
                connections.put_nowait(connection)

            timed = await in_tasks(clients, list(range(count)), one)
            while not connections.empty():
                connections.get_nowait().close()
            return timed

        return ask


@asynccontextmanager
async def _connected(port: int) -> AsyncIterator[Connection]:
    connection = await Connection.open(port)
    yield connection
    connection.close()


def _link(size: int) -> str:
    return "/graphql?" + urlencode({"query": _TABLE, "variables": f'{{"asOf":{size}}}'})


def _post(body: bytes, more: bytes = b"") -> bytes:
    head = f"POST /graphql HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + more + b"\r\n" + body
