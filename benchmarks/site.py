"""What the front page costs its server over invented records, against the same template with constant figures.

The records are those of the demonstration. Both sides are answered by one server, in this process, over one HTTP
connection that is kept open, and write the same bytes. Our page is measured in three states: nothing kept; counts kept,
as of their size, but the page written anew; and the page kept, as it is from the second reader of a checkpoint on.
"""

import itertools
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import asyncpg
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from api.counts.answer import Backing
from api.counts.counts import Counts
from api.demo import seed
from api.routes import plain_route
from api.start import adopt
from api.streams.streams import Streams
from api.web import rendering, visit
from api.web.headers import secure
from api.web.router import HTML, build_router
from api.web.visit import Site
from benchmarks.connection import Connection, get, served
from benchmarks.harness import Bench, Comparison, Run, Side, at_median, in_tasks
from projections.models.public_count import PublicCount
from projections.models.waiting import Waiting
from projections.runner import Runner
from registry.application.execution.application import Application
from registry.database import connect_pool
from registry.log.keys import LogKeys, Purpose, load_or_create
from registry.log.publisher import Publisher
from registry.privacy.master import MasterKey

ORIGIN = "bench.example/log"
CONSTANT = "/constant"


async def run(bench: Bench) -> list[Comparison]:
    """The front page in Spanish, for one reader after another."""
    pages, few = bench.size(300, 5), bench.size(100, 3)
    async with _register(bench) as (pool, keys):
        app = FastAPI()
        constant, expected = await _constant(pool, keys)
        app.router.routes.append(plain_route(CONSTANT, constant))
        kept = _site(pool, keys)
        app.include_router(build_router(kept))
        anew = FastAPI()
        forgetful = kept.backing._replace(counts=Counts(pool, remembered=0))
        anew.include_router(build_router(kept._replace(backing=forgetful)))
        async with served(app) as port, served(anew) as forgetful_port:
            theirs = Side("the template, constant figures", few, _pages(port, lambda _: CONSTANT, expected))
            # A page is kept by its address: one that nobody has asked for is written anew.
            sides = (
                Side("GET /, nothing kept", few, _pages(forgetful_port, lambda n: f"/?n={n}", expected)),
                Side("GET /, counts kept", few, _pages(port, lambda n: f"/?n={n}", expected)),
                Side("GET /, kept", pages, _pages(port, lambda _: "/", expected)),
            )
            return [
                await bench.compare("front page", side, theirs, unit="pages", reach=1 / 3) for side in sides
            ]


@asynccontextmanager
async def _register(bench: Bench) -> AsyncIterator[tuple[asyncpg.Pool, LogKeys]]:
    """The demonstration's register, published and counted; in a quick run without its records, which take a while."""
    pool = await connect_pool(await bench.database("site"), plan_once=True)
    with tempfile.TemporaryDirectory(prefix="constancia-keys-") as place:
        keys = load_or_create(Path(place), ORIGIN)
        publisher = Publisher(pool, keys, ORIGIN, Path(place))
        await publisher.publish_once()
        async with Application(pool, MasterKey(bytes(32)), keys) as application:
            await adopt(application)
            if not bench.quick:
                await seed(application, pool)
        await publisher.publish_once()
        await Runner(pool, [PublicCount(), Waiting()]).catch_up()
        await pool.execute("VACUUM ANALYZE")
        yield pool, keys
    await pool.close()


def _site(pool: asyncpg.Pool, keys: LogKeys) -> Site:
    backing = Backing.of(pool, keys.signers(Purpose.COUNT), keys.origin, Streams(pool))
    return Site(backing, keys.vkeys, invented=True)


async def _constant(pool: asyncpg.Pool, keys: LogKeys) -> tuple[Callable[[Request], Any], int]:
    """An endpoint that writes the front page with the figures of now, and the length of that page in bytes."""
    taken: dict[str, Any] = {}

    def take(template: str, language: str, page: str, context: Mapping[str, Any]) -> str:
        taken.update(template=template, language=language, page=page, context=context)
        return rendering.render(**taken)

    app = FastAPI()
    app.include_router(build_router(_site(pool, keys)))
    with patch.object(visit, "render", take):
        async with served(app) as port:
            connection = await Connection.open(port)
            await connection.ask(get("/"))
            connection.close()
    length = len(rendering.render(**taken).encode())

    async def respond(_: Request) -> Response:
        body = rendering.render(**taken).encode()
        return Response(body, headers={**secure(), "content-type": HTML})

    return respond, length


def _pages(port: int, address: Callable[[int], str], expected: int) -> Run:
    """Asks for one page after the other, and refuses any that is not as long as it must be."""
    numbers = itertools.count()

    async def ask(count: int) -> Any:
        connection = await Connection.open(port)

        async def one(_: int) -> None:
            status, head = await connection.ask(get(address(next(numbers))))
            if status != 200 or f"content-length: {expected}\r\n".encode() not in head:
                raise RuntimeError(f"{status}, not the page of {expected} bytes: {head[:300]!r}")

        timed = await in_tasks(1, range(count), one)
        connection.close()
        return timed

    return at_median(ask)
