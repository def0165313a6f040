"""The stream of events over real sockets: every client that lives has exactly the log, whatever becomes of others."""

import asyncio
import gc
import json
import logging
import resource
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import pytest
import uvloop
from fastapi import FastAPI
from starlette.types import Message, Scope

from api import connection, handlers
from api.server import OPEN_FILES, Server, reserve
from api.streams import event_stream, sse
from api.streams import streams as shared_streams
from api.streams.following import REMEMBERED_PAGES, Following, StreamedEvent
from api.streams.streams import Streams
from registry.database import connect_pool, migrate
from registry.embedded import EmbeddedServer
from registry.log import storage
from registry.log.leaf import entry_leaf
from registry.store import EventStore, NewEvent, subscription
from tests.events import Leaf, store_leaves
from tests.integration.store.conftest import command, event, kill_server

SMALL = 4_096
"""Bytes that the kernel holds for a socket, as few as it takes, so that a client that does not read is soon noticed."""

ROOMY = 256 * 1_024

ENTRY = Leaf("report.submitted")
LARGE = Leaf("incident.disclosed", {"text": "x" * 8_000})
PATIENCE = 40


class Serving(NamedTuple):
    """What answers at ``port``."""

    port: int
    streams: Streams
    pool: asyncpg.Pool
    server: Server
    running: asyncio.Task[None]
    stopping: asyncio.Event

    async def publish(self, *leaves: Leaf) -> int:
        """These leaves, and a checkpoint of all; its size."""
        async with self.pool.acquire() as connection:
            await store_leaves(connection, list(leaves))
        return await self.checkpoint()

    async def checkpoint(self) -> int:
        size = await storage.count_events(self.pool)
        assert await storage.publish(self.pool, size, bytes(32), "note") is not None
        return size

    async def open_streams(self, number: int) -> None:
        """Returns when so many are open."""
        async with asyncio.timeout(PATIENCE):
            while self.streams._open != number:  # noqa: ASYNC110 - nobody else asks, so nobody is told
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """As the program does: streams are told first."""
        await self.streams.close()
        self.stopping.set()
        await self.running


@asynccontextmanager
async def served(pool: asyncpg.Pool) -> AsyncIterator[Serving]:
    app, streams = FastAPI(), Streams(pool)
    handlers.install(app)
    app.state.streams = streams
    app.state.following = Following(streams, "register.example/log")
    app.include_router(event_stream.build_router())
    listener = reserve("127.0.0.1", 0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
    stopping, server = asyncio.Event(), Server(app)
    running = asyncio.create_task(server.run_until(stopping, listener))
    await server.listening.wait()
    serving = Serving(listener.getsockname()[1], streams, pool, server, running, stopping)
    yield serving
    await serving.stop()


@pytest.fixture
async def serving(pool: asyncpg.Pool) -> AsyncIterator[Serving]:
    async with served(pool) as serving:
        yield serving


@pytest.fixture
def complaints(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What the server has found to complain of."""
    caplog.set_level(logging.WARNING, "uvicorn.error")
    return lambda: [one.getMessage() for one in caplog.records if one.name == "uvicorn.error"]


class Client:
    """Reads when it is told to. ``last`` is what a browser would send back as Last-Event-ID."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.last: int | None = None
        self.head = b""

    @classmethod
    async def open(
        cls, port: int, query: str = "", last: str | None = None, room: int = SMALL, more: str = ""
    ) -> "Client":
        connected = socket.socket()
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        connected.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connected, ("127.0.0.1", port))
        # A limit of its own: asyncio would read ahead of who asks for nothing.
        reader, writer = await asyncio.open_connection(sock=connected, limit=room)
        known = more + ("" if last is None else f"last-event-id: {last}\r\n")
        writer.write(f"GET {event_stream.PATH}?{query} HTTP/1.1\r\nhost: test\r\n{known}\r\n".encode())
        return cls(reader, writer)

    async def start(self) -> "Client":
        """Returns when the answer has begun."""
        async with asyncio.timeout(PATIENCE):
            self.head = await self._reader.readuntil(b"retry: 2000\n\n")
        return self

    async def events(self, until: int | None = None) -> list[dict[str, Any]]:
        """Those that come until the one at ``until`` has, or until the server ends."""
        return [event async for event in self._events(until)]

    async def positions(self, until: int | None = None) -> list[int]:
        return [event["position"] for event in await self.events(until)]

    async def _events(self, until: int | None) -> AsyncIterator[dict[str, Any]]:
        pending: dict[str, Any] | None = None
        async with asyncio.timeout(PATIENCE):
            while True:
                line = await self._line()
                if not line.endswith(b"\n") or line == b"0\r\n":
                    return  # cut off, what had begun is no event; or ended, by the last chunk (RFC 9112 section 7.1)
                if line.startswith(b"data: "):
                    pending = json.loads(line[6:])
                elif line.startswith(b"id: "):
                    self.last = int(line[4:])
                elif line == b"\n" and pending is not None:
                    assert self.last == pending["position"] + 1
                    yield pending
                    if pending["position"] == until:
                        return
                    pending = None

    async def moved(self, to: int) -> None:
        """Returns when it would come back with that position, without any event."""
        async with asyncio.timeout(PATIENCE):
            while self.last != to:
                line = await self._line()
                assert not line.startswith(b"data:")
                if line.startswith(b"id: "):
                    self.last = int(line[4:])

    async def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            try:
                piece = await self._reader.readuntil(b"\n")
            except asyncio.LimitOverrunError as error:
                piece = await self._reader.readexactly(error.consumed)
            except (asyncio.IncompleteReadError, ConnectionResetError):
                return b""
            line += piece
        return line

    def close(self) -> None:
        self._writer.close()


async def test_an_event_is_a_cloudevent_and_its_id_is_where_to_go_on(serving: Serving) -> None:
    size = await serving.publish(ENTRY, Leaf("site.registered", {"name": "Ñ «\n»"}), ENTRY)
    client = await (await Client.open(serving.port)).start()
    head = client.head.lower()
    assert b"200 ok" in head
    assert b"content-type: text/event-stream; charset=utf-8" in head
    assert b"access-control-allow-origin: *" in head
    assert b"cache-control: no-store" in head
    events = await client.events(until=size - 1)
    assert [event["position"] for event in events] == [0, 1, 2]
    assert [event["type"] for event in events] == ["entry", "site.registered", "entry"]
    size = await serving.publish(ENTRY)
    assert await client.positions(until=size - 1) == [3]
    client.close()

    for query, last in (
        ("after=2", None),
        ("after=0", "2"),
        ("", "2"),
    ):
        again = await Client.open(serving.port, query, last)
        assert await again.positions(until=3) == [2, 3]
        again.close()
    for query, last in (("after=x", None), ("", "x"), ("types=x", None), ("begin=1", None)):
        refused = await Client.open(serving.port, query, last)
        assert b" 422 " in await refused._line()
        refused.close()


async def test_they_run_on_the_programs_event_loop() -> None:
    assert isinstance(asyncio.get_running_loop(), uvloop.Loop)


async def test_signs_of_life_bring_who_filters_forward(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "HEARTBEAT_SECONDS", 0.05)
    size = await serving.publish(*[ENTRY] * 3, LARGE, *[ENTRY] * 5)
    client = await Client.open(serving.port, "types=incident.disclosed&types=release.published")
    assert await client.positions(until=3) == [3]
    await client.moved(to=size)
    size = await serving.publish(ENTRY)
    await client.moved(to=size)
    client.close()


async def test_a_stream_that_has_lived_long_enough_ends_where_it_can_be_gone_on(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, complaints: Callable[[], list[str]]
) -> None:
    found: list[int] = []
    begin = size = 0
    for lifetime in (0, 0.05, 0.3, 0.3, 900.0):
        monkeypatch.setattr(event_stream, "LIFETIME_SECONDS", lifetime)
        size = await serving.publish(*[ENTRY] * 10)
        client = await Client.open(serving.port, last=str(begin))
        found += await client.positions(until=size - 1 if lifetime == 900.0 else None)
        assert client.last is not None
        begin = client.last
        client.close()
    assert found == list(range(size))
    assert complaints() == []


async def test_who_does_not_read_is_dropped_without_a_complaint_and_goes_on_where_it_stopped(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, complaints: Callable[[], list[str]]
) -> None:
    monkeypatch.setattr(shared_streams, "SEND_SECONDS", 0.3)
    size = await serving.publish(*[LARGE] * 60)
    slow = await Client.open(serving.port)
    await serving.open_streams(1)
    await serving.open_streams(0)
    assert not serving.server.server_state.connections  # closed, not only left alone
    taken = await slow.positions()
    slow.close()
    assert taken == list(range(len(taken)))
    assert len(taken) < size
    again = await Client.open(serving.port, last=str(slow.last or 0))
    assert await again.positions(until=size - 1) == list(range(len(taken), size))
    again.close()
    assert complaints() == []


async def test_who_does_not_read_keeps_little_in_memory_wherever_it_began(serving: Serving) -> None:
    await serving.publish(*[ENTRY] * 3_000)
    clients = [await Client.open(serving.port, f"after={number * 250}") for number in range(10)]
    for number, client in enumerate(clients):
        assert await client.positions(until=number * 250) == [number * 250]
    kept = sum(isinstance(one, StreamedEvent) for one in gc.get_objects())
    assert 0 < kept <= (len(clients) + REMEMBERED_PAGES) * event_stream.PAGE_EVENTS
    for client in clients:
        client.close()


async def test_who_has_not_even_taken_the_answer_before_is_dropped_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared_streams, "SEND_SECONDS", 0.05)
    dropped = asyncio.Event()

    async def chunks() -> AsyncGenerator[bytes, None]:
        yield b"data: never sent\n\n"

    async def receive() -> Message:
        await dropped.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            assert b"data" not in message["body"]
            await asyncio.Event().wait()  # as flow control does while the client reads nothing

    scope: Scope = {"type": "http", "extensions": {connection.EXTENSION: dropped.set}}
    async with asyncio.timeout(PATIENCE):
        await sse.EventStream(chunks())(scope, receive, send)
    assert dropped.is_set()


async def test_who_leaves_the_end_of_an_answer_keeps_no_connection(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, complaints: Callable[[], list[str]]
) -> None:
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.2)
    monkeypatch.setattr(event_stream, "LIFETIME_SECONDS", 0.1)
    await serving.publish(*[LARGE] * 6)  # more than sockets hold, and less than the server waits for
    client = await (await Client.open(serving.port, more="connection: close\r\n")).start()
    async with asyncio.timeout(PATIENCE):
        while serving.server.server_state.connections:  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.01)
    client.close()
    assert complaints() == []


async def test_a_thousand_sockets_are_allowed_for(pool: asyncpg.Pool) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
    try:
        async with served(pool):
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(OPEN_FILES, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_one_too_many_is_told_to_come_back(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_streams, "MAX_STREAMS", 1)
    first = await (await Client.open(serving.port)).start()
    await serving.open_streams(1)
    refused = await Client.open(serving.port)
    assert b" 503 " in await refused._line()
    for client in (first, refused):
        client.close()


async def test_who_goes_away_ends_what_is_read_for_it(
    serving: Serving, complaints: Callable[[], list[str]]
) -> None:
    await serving.publish(ENTRY)
    clients = [await (await Client.open(serving.port)).start() for _ in range(5)]
    await serving.open_streams(5)
    for client in clients:
        client.close()
    await serving.open_streams(0)
    assert complaints() == []


@pytest.mark.slow
async def test_a_thousand_clients_of_which_fifty_never_read(
    serving: Serving,
    monkeypatch: pytest.MonkeyPatch,
    complaints: Callable[[], list[str]],
) -> None:
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.5)
    monkeypatch.setattr(shared_streams, "SEND_SECONDS", 60.0)
    first = await serving.publish(*[LARGE] * 15)
    stuck = [await Client.open(serving.port) for _ in range(50)]
    reading = [await Client.open(serving.port, room=ROOMY) for _ in range(950)]
    await serving.open_streams(1_000)
    early = await asyncio.gather(*(client.positions(until=first - 1) for client in reading))

    # The writer is at work while they are stuck, and so are the others.
    store = EventStore(serving.pool)
    await asyncio.gather(*(store.append(command(entry())) for _ in range(200)))
    await store.close()
    size = await serving.checkpoint()
    late = await asyncio.gather(*(client.positions(until=size - 1) for client in reading))
    assert all([*one, *other] == list(range(size)) for one, other in zip(early, late, strict=True))
    assert await serving.pool.fetchval("SELECT size FROM head") == size

    for client in stuck:
        client.close()
    await serving.open_streams(950)

    # Others like them, whose time is up sooner.
    monkeypatch.setattr(shared_streams, "SEND_SECONDS", 0.2)
    stuck = [await (await Client.open(serving.port)).start() for _ in range(50)]
    await serving.open_streams(950)
    monkeypatch.setattr(shared_streams, "SEND_SECONDS", 60.0)
    stuck += [await Client.open(serving.port) for _ in range(20)]
    await serving.open_streams(970)

    # At shutdown the server waits for nobody who does not read, and never comes to its own limit.
    await serving.stop()
    assert all(end == [] for end in await asyncio.gather(*(client.positions() for client in reading)))
    assert {client.last for client in reading} == {size}
    assert complaints() == []
    for client in (*reading, *stuck):
        client.close()


async def test_a_listening_connection_that_is_cut_costs_nobody_an_event(
    serving: Serving, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "POLL_SECONDS", 3_600.0)
    size = await serving.publish(ENTRY)
    clients = [await Client.open(serving.port) for _ in range(3)]
    found = await asyncio.gather(*(client.positions(until=size - 1) for client in clients))
    administrator = await asyncpg.connect(server)
    for _ in range(3):
        await administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = $1 AND query LIKE '%FROM checkpoints%'",
            await serving.pool.fetchval("SELECT current_database()"),
        )
        size = await serving.publish(ENTRY, ENTRY)
        late = await asyncio.gather(*(client.positions(until=size - 1) for client in clients))
        found = [[*one, *other] for one, other in zip(found, late, strict=True)]
    await administrator.close()
    assert found == [list(range(size))] * 3
    for client in clients:
        client.close()


@pytest.mark.slow
async def test_streams_outlive_a_database_that_is_killed(data_directory: Path) -> None:
    async with EmbeddedServer(data_directory) as address:
        await migrate(address)
        pool = await connect_pool(address, min_size=1, max_size=10)
        async with served(pool) as serving:
            size = await serving.publish(*[ENTRY] * 5)
            clients = [await Client.open(serving.port) for _ in range(20)]
            found = await asyncio.gather(*(client.positions(until=size - 1) for client in clients))
            await asyncio.to_thread(kill_server, data_directory)
            async with EmbeddedServer(data_directory):  # another user finds it gone and starts it again
                size = await _insist(lambda: serving.publish(*[ENTRY] * 5))
                late = await asyncio.gather(*(client.positions(until=size - 1) for client in clients))
                assert [[*one, *other] for one, other in zip(found, late, strict=True)] == [
                    list(range(size))
                ] * 20
                for client in clients:
                    client.close()
                await serving.open_streams(0)
        await pool.close()


def entry() -> NewEvent:
    event_id = uuid4()
    return event(event_id=event_id, leaf=entry_leaf(event_id, "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="))


async def _insist(write: Callable[[], Awaitable[int]]) -> int:
    """The pool's connections are lost one by one."""
    for _ in range(50):
        try:
            return await write()
        except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError):
            await asyncio.sleep(0.1)
    raise AssertionError("the database did not come back")
