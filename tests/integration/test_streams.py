"""Streams over real sockets: heard at once, in order by all, and given up where a client does not take its messages."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import asyncpg
import pytest
from fastapi import FastAPI
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from api.counts.answer import Backing
from api.graphql.http import build_router
from api.graphql.websocket import MAX_OPERATIONS
from api.server import Server, reserve
from api.streams import streams as shared_streams
from api.streams.streams import Streams
from registry.log import storage
from registry.store import subscription
from tests.events import Leaf, store_leaves

SMALL = 4_096
"""Bytes that the kernel holds for a socket, as few as it takes, so that a client that does not read is soon noticed."""

QUERY = "subscription ($after: LogSize) { events(after: $after) { position leaf } }"


class Serving(NamedTuple):
    """What answers at ``port``."""

    port: int
    streams: Streams
    pool: asyncpg.Pool

    async def publish(self, entries: int) -> int:
        """So many leaves more, and a checkpoint of all; its size."""
        async with self.pool.acquire() as connection:
            await store_leaves(connection, [Leaf("report.submitted")] * entries)
        size = await storage.count_events(self.pool)
        assert await storage.publish(self.pool, size, bytes(32), "note") is not None
        return size

    async def all_gone(self, gone: bool = True) -> None:
        """Returns when no stream is open; or when one is."""
        async with asyncio.timeout(60):
            while bool(self.streams._open) is gone:  # noqa: ASYNC110 - nobody else asks, so nobody is told
                await asyncio.sleep(0.01)


@pytest.fixture
async def serving(pool: asyncpg.Pool) -> AsyncIterator[Serving]:
    app, streams = FastAPI(), Streams(pool)
    backing = Backing.of(pool, (), "register.example/log", streams)
    app.include_router(build_router(lambda _: backing))
    listener = reserve("127.0.0.1", 0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
    stopping, server = asyncio.Event(), Server(app)
    running = asyncio.create_task(server.run_until(stopping, listener))
    await server.listening.wait()
    yield Serving(listener.getsockname()[1], streams, pool)
    await streams.close()
    stopping.set()
    await running


def connected(port: int) -> socket.socket:
    """A socket that takes little at a time."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    client.connect(("127.0.0.1", port))
    client.setblocking(False)
    return client


class Events:
    """A client of server-sent events that reads when it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int, after: int) -> "Events":
        # A limit of its own: asyncio would read ahead of who asks for nothing.
        reader, writer = await asyncio.open_connection(sock=connected(port), limit=SMALL)
        body = json.dumps({"query": QUERY, "variables": {"after": after}})
        writer.write(
            f"POST /graphql HTTP/1.1\r\nhost: test\r\naccept: text/event-stream\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n{body}".encode()
        )
        return cls(reader, writer)

    async def positions(self, until: int | None = None) -> list[int]:
        """Those that come until ``until`` has, or until the server ends."""
        found: list[int] = []
        async with asyncio.timeout(60):
            while until is None or not found or found[-1] < until:
                try:
                    line = await self._reader.readline()
                except ConnectionResetError:
                    break
                if not line:
                    break
                # What was cut off in the midst is no event.
                if line.startswith(b"data: {") and line.endswith(b"}\n"):
                    found.append(json.loads(line[6:])["data"]["events"]["position"])
        return found

    def close(self) -> None:
        self._writer.close()


async def follow(port: int, after: int, until: int | None) -> list[int]:
    """By WebSocket: the positions that come, until ``until`` has or the server closes."""
    found: list[int] = []
    url = f"ws://127.0.0.1:{port}/graphql"
    async with (
        asyncio.timeout(60),
        connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as opened,
    ):
        await begin(opened, after)
        with contextlib.suppress(ConnectionClosed):
            while until is None or not found or found[-1] < until:
                message = json.loads(await opened.recv())
                if message["type"] == "next":
                    found.append(message["payload"]["data"]["events"]["position"])
    return found


async def begin(opened: Any, after: int) -> None:
    await opened.send(json.dumps({"type": "connection_init"}))
    payload = {"query": QUERY, "variables": {"after": after}}
    await opened.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))


async def test_a_checkpoint_is_heard_of_without_being_looked_for(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "POLL_SECONDS", 3_600.0)
    size = await serving.publish(1)
    client = await Events.open(serving.port, 0)
    assert await client.positions(until=0) == [0]
    for _ in range(3):
        size = await serving.publish(1)
        assert await client.positions(until=size - 1) == [size - 1]
    client.close()


async def test_two_hundred_clients_are_given_everything_in_order(serving: Serving) -> None:
    first = await serving.publish(20)
    listening = [await Events.open(serving.port, 0) for _ in range(150)]
    by_socket = [asyncio.create_task(follow(serving.port, 0, 59)) for _ in range(50)]
    early = await asyncio.gather(*(client.positions(until=first - 1) for client in listening))
    size = await serving.publish(20)
    size = await serving.publish(20)
    late = await asyncio.gather(*(client.positions(until=size - 1) for client in listening))
    assert [[*one, *other] for one, other in zip(early, late, strict=True)] == [list(range(size))] * 150
    assert await asyncio.gather(*by_socket) == [list(range(size))] * 50
    for client in listening:
        client.close()
    await serving.all_gone()


async def test_who_does_not_take_events_is_dropped_and_goes_on_where_it_stopped(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_streams, "SEND_SECONDS", 0.3)
    size = await serving.publish(1_000)
    slow, other = await Events.open(serving.port, 0), await Events.open(serving.port, 0)
    assert await other.positions(until=size - 1) == list(range(size))
    other.close()
    await serving.all_gone()  # also the slow one, which has not read a line
    taken = await slow.positions()
    slow.close()
    assert taken == list(range(len(taken)))
    assert 0 < len(taken) < size
    again = await Events.open(serving.port, taken[-1] + 1)
    assert await again.positions(until=size - 1) == list(range(len(taken), size))
    again.close()


async def test_who_does_not_take_messages_of_a_socket_is_dropped_and_goes_on_where_it_stopped(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_streams, "SEND_SECONDS", 0.3)
    size = await serving.publish(1_000)
    url, protocols = f"ws://127.0.0.1:{serving.port}/graphql", [Subprotocol("graphql-transport-ws")]
    taken: list[int] = []
    async with (
        asyncio.timeout(60),
        connect(url, subprotocols=protocols, sock=connected(serving.port), max_queue=1) as opened,
    ):
        await begin(opened, 0)
        await serving.all_gone(False)
        await serving.all_gone()
        with contextlib.suppress(ConnectionClosed):
            while True:
                message = json.loads(await opened.recv())
                if message["type"] == "next":
                    taken.append(message["payload"]["data"]["events"]["position"])
    assert taken == list(range(len(taken)))
    assert 0 < len(taken) < size
    assert await follow(serving.port, taken[-1] + 1, size - 1) == list(range(len(taken), size))


async def test_operations_that_have_ended_make_room_for_others(serving: Serving) -> None:
    url, protocols = f"ws://127.0.0.1:{serving.port}/graphql", [Subprotocol("graphql-transport-ws")]
    async with asyncio.timeout(60), connect(url, subprotocols=protocols) as opened:
        await opened.send(json.dumps({"type": "connection_init"}))
        for number in range(MAX_OPERATIONS + 1):
            payload = {"query": "{ __typename }"}
            await opened.send(json.dumps({"type": "subscribe", "id": str(number), "payload": payload}))
            while json.loads(await opened.recv())["type"] != "complete":
                pass
