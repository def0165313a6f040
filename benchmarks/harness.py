"""How every figure is measured: two sides in turns on one durable server, given as ratios.

A machine's speed changes from minute to minute, a ratio of neighbouring measurements hardly does. So both sides do
the same work on the same server, in turns (A B A B …) for several rounds; each round gives one ratio. Work is made
ready before the clock starts, and the garbage collector forgets it, on either side. A first round, not counted, warms
caches, connections and prepared statements.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple, TypedDict, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg

from registry.database import connect_pool, migrate
from registry.garbage import forget_what_is_loaded
from registry.store import EventStore

T = TypeVar("T")

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "max_connections": "200"}
"""What the server must say of itself: an acknowledged write survives a power cut. For both sides."""

LOG_FILES = 32
"""Files of the server's write-ahead log, 16 MB each, that are there to be taken again: some 500,000 events' worth."""

LIBRARY_THREADS = 16
"""Beyond this the library's recorder gains nothing: its appends wait for one table lock."""


class Timed(NamedTuple):
    """One side of one round: operations done, wall time in seconds, latency of each call in seconds."""

    operations: int
    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        return self.operations / self.seconds


Run = Callable[[int], Awaitable[Timed]]
"""Does so many operations and times them."""


class Side(NamedTuple):
    """A named way to do the work."""

    name: str
    operations: int
    run: Run


class Comparison(NamedTuple):
    """All rounds of one figure. ``reach`` is the ratio that the design asks for; None where it only informs.

    A rate is in ``unit`` and ``per``; where what is compared is no rate, ``per`` is empty and a round lasts 1.
    """

    figure: str
    unit: str
    reach: float | None
    sides: tuple[str, str]
    rounds: list[tuple[Timed, Timed]]
    per: str = "/s"

    @property
    def ratios(self) -> list[float]:
        """Ours / theirs, round by round."""
        return [ours.rate / theirs.rate for ours, theirs in self.rounds]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)


class Bench:
    """The server and the sizes of this run."""

    def __init__(self, address: str, *, quick: bool) -> None:
        self.address = address
        self.quick = quick
        self.rounds = 1 if quick else 5

    def size(self, full: int, quick: int) -> int:
        """A number of operations, in a real run or in a quick one that only proves that everything works."""
        return quick if self.quick else full

    async def make_log_files(self) -> None:
        """Brings a new server to where one is that has run for a while: it writes its log into files that are there.

        Each that it must make first holds up every commit for some 12 ms, in all 4 % of the time that our appends take.
        """
        if self.quick:
            return
        administration = await asyncpg.connect(self.address)
        try:
            for _ in range(LOG_FILES):
                await administration.execute("SELECT pg_logical_emit_message(true, '', '')")
                await administration.execute("SELECT pg_switch_wal()")
            await administration.execute("CHECKPOINT")
        finally:
            await administration.close()

    async def database(self, name: str) -> str:
        """The address of a new database with our schema, on the one server. Refuses a server that may forget."""
        administration = await asyncpg.connect(self.address)
        try:
            for setting, value in DURABLE.items():
                if await administration.fetchval("SELECT current_setting($1)", setting) != value:
                    raise RuntimeError(f"{setting} must be {value}: only durable writes are compared")
            await administration.execute(f'CREATE DATABASE "{name}"')
        finally:
            await administration.close()
        address = self.address.replace("/constancia?", f"/{name}?")
        await migrate(address)
        return address

    async def compare(
        self, figure: str, ours: Side, theirs: Side, *, unit: str = "events", reach: float | None
    ) -> Comparison:
        """Both sides in turns."""
        for side in (ours, theirs):
            await side.run(max(side.operations // 10, 1))
        rounds = [
            (await ours.run(ours.operations), await theirs.run(theirs.operations)) for _ in range(self.rounds)
        ]
        return Comparison(figure, unit, reach, (ours.name, theirs.name), rounds)


@asynccontextmanager
async def open_store(address: str) -> AsyncIterator[tuple[asyncpg.Pool, EventStore]]:
    """The event store of a database, and the pool that it works with; both are closed afterwards."""
    pool = await connect_pool(address)
    try:
        store = EventStore(pool)
        try:
            yield pool, store
        finally:
            await store.close()
    finally:
        await pool.close()


def at_median(run: Run) -> Run:
    """The same side by the p50 of its latency, as one client sees it; a rate would be of their mean."""

    async def timed(count: int) -> Timed:
        took = await run(count)
        return took._replace(seconds=took.operations * statistics.median(took.latencies))

    return timed


async def in_tasks(tasks: int, items: Sequence[T], operation: Callable[[T], Awaitable[Any]]) -> Timed:
    """Each item once, by so many concurrent tasks, each waiting for its answer before it takes the next."""
    waiting = iter(items)
    latencies: list[float] = []
    forget_what_is_loaded()

    async def submit() -> None:
        for item in waiting:
            start = time.perf_counter()
            await operation(item)
            latencies.append(time.perf_counter() - start)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(submit())
    return Timed(len(items), time.perf_counter() - started, latencies)


async def in_threads(threads: int, items: Sequence[T], operation: Callable[[T], Any]) -> Timed:
    """The same for a synchronous library, in threads of its own, while this loop does nothing."""

    def call(item: T) -> float:
        start = time.perf_counter()
        operation(item)
        return time.perf_counter() - start

    forget_what_is_loaded()

    def work() -> Timed:
        with ThreadPoolExecutor(threads) as pool:
            started = time.perf_counter()
            latencies = list(pool.map(call, items))
            return Timed(len(items), time.perf_counter() - started, latencies)

    return await asyncio.to_thread(work)


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """The seconds since it was entered."""
    started = time.perf_counter()
    yield lambda: time.perf_counter() - started


def percentile(latencies: Sequence[float], share: float) -> float:
    """The latency that this share of calls did not exceed, in seconds."""
    ordered = sorted(latencies)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


class PostgresParameters(TypedDict):
    dbname: str
    host: str
    port: str
    user: str
    password: str


def postgres_parameters(address: str) -> PostgresParameters:
    """The address as the separate parameters that the library takes."""
    parts = urlsplit(address)
    query = parse_qs(parts.query)
    return {
        "dbname": parts.path.lstrip("/"),
        "host": query["host"][0],
        "port": query["port"][0],
        "user": parts.username or "",
        "password": "trusted by the socket",
    }
