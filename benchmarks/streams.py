"""A thousand clients of the stream of events, against a bare Starlette endpoint that sends them ready bytes.

Both sides are answered by one server process, over a socket for each client, and send the same chunks: bare, they are
made by one reader and handed to everybody. The clients are in this process and check that every event comes, in order.
"""

import asyncio
import re
import resource
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

import asyncpg
import psutil

from benchmarks.harness import Bench, Comparison, Side, Timed
from registry.database import connect_pool
from registry.log import storage
from registry.log.leaf import entry_leaf
from registry.log.merkle import leaf_hash
from registry.store import Command, EventStore, NewEvent

CLIENTS, QUICK_CLIENTS = 1_000, 20
EVENTS_A_SECOND: Final = 50
BURST: Final = 50
OURS, BARE = "/v1/events/stream?after={size}", "/bare"

_ROOT = Path(__file__).parents[1]
_ID = re.compile(rb"\nid: (\d+)\n\n")
_COMMITMENT = "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


class Log:
    """The log that is followed, and when each size of it was published."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool, self._store = pool, EventStore(pool)
        self.size = 0
        self.published: list[float] = []

    async def publish(self, events: int) -> None:
        """So many entries more, and a checkpoint of all."""
        await asyncio.gather(*(self._store.append(Command((_entry(),), None, ())) for _ in range(events)))
        self.size += events
        self.published += [time.perf_counter()] * events
        await storage.publish(self._pool, self.size, bytes(32), "note")

    async def close(self) -> None:
        await self._store.close()


class Client(asyncio.Protocol):
    """Takes events, and notes how late each was."""

    def __init__(self, log: Log, request: bytes) -> None:
        self._log, self._request = log, request
        self._rest = b""
        self._wanted = 0
        self._all = asyncio.Event()
        self.next = log.size
        self.begun = asyncio.Event()
        self.latencies: list[float] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now, self._rest = time.perf_counter(), self._rest + data
        end = 0
        for found in _ID.finditer(self._rest):
            end = found.end()
            if int(found[1]) != self.next + 1:
                raise RuntimeError(f"position {self.next} was expected, {int(found[1]) - 1} came")
            self.latencies.append(now - self._log.published[self.next])
            self.next += 1
        self._rest = self._rest[end:]
        self.begun.set()
        if self.next >= self._wanted:
            self._all.set()

    async def has(self, size: int) -> None:
        """Returns when it has every event of a log of this size."""
        self._wanted = size
        self._all.clear()
        if self.next < size:
            await self._all.wait()


async def run(bench: Bench) -> list[Comparison]:
    """What the server can send, how late it is at a steady pace, and what a client costs it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4_096, hard)), hard))
    clients = bench.size(CLIENTS, QUICK_CLIENTS)
    address = await bench.database("streams")
    pool = await connect_pool(address, min_size=2, max_size=10)
    log = Log(pool)
    await log.publish(1)

    memory = [Timed(await _memory(address, log, clients, path), 1, []) for path in (OURS, BARE)]
    names = ("GET /v1/events/stream", "Starlette, ready bytes")

    def sides(run: Callable[[str, int], Awaitable[Timed]], operations: int) -> tuple[Side, Side]:
        ours, bare = (
            Side(name, operations, partial(run, path)) for name, path in zip(names, (OURS, BARE), strict=True)
        )
        return ours, bare

    async with _server(address) as (port, _):
        burst = partial(_burst, log, port, clients)
        pace = partial(_pace, log, port, clients)
        results = [
            await bench.compare(
                f"fan-out to {clients:,} clients",
                *sides(burst, bench.size(BURST, 5)),
                unit="events",
                reach=0.5,
            ),
            await bench.compare(
                f"lag of {clients:,} clients at {EVENTS_A_SECOND} events/s",
                *sides(pace, bench.size(EVENTS_A_SECOND * 2, 5)),
                unit="events",
                reach=None,
            ),
        ]
    await log.close()
    await pool.close()
    cost = Comparison(
        "memory of a client of the stream", "bytes", None, names, [(memory[0], memory[1])], per=""
    )
    return [*results, cost]


async def _burst(log: Log, port: int, clients: int, path: str, events: int) -> Timed:
    async with _connected(log, port, clients, path) as following:
        await log.publish(events)
        started = log.published[-1]
        await asyncio.gather(*(client.has(log.size) for client in following))
        return Timed(events * clients, time.perf_counter() - started, [])


async def _pace(log: Log, port: int, clients: int, path: str, events: int) -> Timed:
    async with _connected(log, port, clients, path) as following:
        started = time.perf_counter()
        for number in range(events):
            await asyncio.sleep(max(0, started + number / EVENTS_A_SECOND - time.perf_counter()))
            await log.publish(1)
        await asyncio.gather(*(client.has(log.size) for client in following))
        seconds = time.perf_counter() - started
        return Timed(events * clients, seconds, [late for client in following for late in client.latencies])


async def _memory(address: str, log: Log, clients: int, path: str) -> int:
    """Bytes that the server's process grew by, for each client, after some events."""
    async with _server(address) as (port, process):
        async with _connected(log, port, 1, path) as one:
            await log.publish(10)
            await one[0].has(log.size)
        before = psutil.Process(process.pid).memory_info().rss
        async with _connected(log, port, clients, path) as following:
            await log.publish(10)
            await asyncio.gather(*(client.has(log.size) for client in following))
            return (psutil.Process(process.pid).memory_info().rss - before) // clients


@asynccontextmanager
async def _server(address: str) -> AsyncIterator[tuple[int, Process]]:
    command = sys.executable, "-m", "benchmarks.streams_server", address
    process = await asyncio.create_subprocess_exec(*command, cwd=_ROOT, stdout=asyncio.subprocess.PIPE)
    if process.stdout is None:
        raise RuntimeError("the server has no standard output to tell its port by")
    try:
        yield int(await process.stdout.readline()), process
    finally:
        process.terminate()
        await process.communicate()


@asynccontextmanager
async def _connected(log: Log, port: int, clients: int, path: str) -> AsyncIterator[list[Client]]:
    request = f"GET {path.format(size=log.size)} HTTP/1.1\r\nhost: bench\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    following = []
    for _ in range(clients):
        _, client = await loop.create_connection(lambda: Client(log, request), "127.0.0.1", port)
        following.append(client)
    await asyncio.gather(*(client.begun.wait() for client in following))
    yield following
    for client in following:
        client.transport.abort()


def _entry() -> NewEvent:
    event_id = uuid4()
    leaf = entry_leaf(event_id, _COMMITMENT)
    return NewEvent(event_id, uuid4(), 1, "report.withdrawn", b"{}", leaf, leaf_hash(leaf))
