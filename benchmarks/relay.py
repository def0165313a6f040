"""The relay to NATS, against nats-py publishing the same bytes with as many messages under way.

Ours reads a published log from PostgreSQL and makes its messages; theirs has subjects, headers and payloads ready and
hands them to ``publish_async``. One server with its defaults, a new stream for each run; a run ends when the last
message is acknowledged.
"""

import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import nats
from nats.aio.client import Client
from nats.js import JetStreamContext

from api.delivery.relay.messages import headers_of, subject_of
from api.delivery.relay.publishing import OUTSTANDING
from api.delivery.relay.relaying import Relay
from api.delivery.relay.stream import configuration
from api.streams.audience import PUBLIC
from api.streams.following import Following, StreamedEvent
from api.streams.streams import Streams
from benchmarks import feed
from benchmarks.harness import Bench, Comparison, Side, Timed
from registry.database import connect_pool
from registry.log import storage

EVENTS, QUICK_EVENTS = 20_000, 500
START_SECONDS = 30
NATS_SERVER = Path(sys.executable).with_name("nats-server")


async def run(bench: Bench) -> list[Comparison]:
    """One figure: events per second, from the log to the last acknowledgement."""
    pool = await connect_pool(await bench.database("relay"), plan_once=True)
    events = bench.size(EVENTS, QUICK_EVENTS)
    async with _nats_server() as url, await nats.connect(url) as client:
        jetstream = client.jetstream(publish_async_max_pending=OUTSTANDING)

        async def relay(count: int) -> Timed:
            await _publish(pool, count)
            stream = await _new_stream(jetstream)
            following = Following(Streams(pool), feed.ORIGIN)
            stopping, started = asyncio.Event(), time.perf_counter()
            relaying = asyncio.create_task(Relay((url,), stream, 1, following).run(stopping))
            await _filled(client, stream, count)
            seconds = time.perf_counter() - started
            stopping.set()
            await relaying
            return Timed(count, seconds, [])

        async def publish(count: int) -> Timed:
            stream = await _new_stream(jetstream)
            ready = [
                (subject_of(event.type), event.body, headers_of(event, stream))
                for event in await _events(pool, count)
            ]
            started = time.perf_counter()
            for subject, body, headers in ready:
                await jetstream.publish_async(subject, body, headers=headers)
            await jetstream.publish_async_completed()
            seconds = time.perf_counter() - started
            await _filled(client, stream, count)
            return Timed(count, seconds, [])

        await feed.fill(pool, events)
        comparison = await bench.compare(
            "relay to NATS JetStream",
            Side("Relay, from the log", events, relay),
            Side("nats-py publish_async, the same bytes", events, publish),
            reach=0.7,
        )
    await pool.close()
    return [comparison]


@asynccontextmanager
async def _nats_server() -> AsyncIterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="constancia-bench-nats-") as directory:
        command = [str(NATS_SERVER), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", directory]
        process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await _listens(port):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)
            yield f"nats://127.0.0.1:{port}"
        finally:
            process.terminate()
            await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


async def _publish(pool: asyncpg.Pool, size: int) -> None:
    """Only so much of the log, that a run may be a shorter one."""
    await pool.execute("DELETE FROM checkpoints")
    await storage.publish(pool, size, bytes(32), "note")


async def _events(pool: asyncpg.Pool, count: int) -> list[StreamedEvent]:
    await _publish(pool, count)
    following, found = Following(Streams(pool), feed.ORIGIN), list[StreamedEvent]()
    while len(found) < count:
        found += (await following.page(PUBLIC, len(found))).events
    return found


async def _new_stream(jetstream: JetStreamContext) -> str:
    """Its name; the others are deleted, as their subjects are the same."""
    for one in await jetstream.streams_info():
        await jetstream.delete_stream(str(one.config.name))
    name = f"bench-{uuid4().hex[:16]}"
    await jetstream.add_stream(configuration(name, 1))
    return name


async def _filled(client: Client, stream: str, count: int) -> None:
    """Returns when the stream has so many messages; raises RuntimeError when it ends elsewhere."""
    jetstream = client.jetstream()
    while (last := (await jetstream.stream_info(stream)).state.last_seq) < count:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    if last != count:
        raise RuntimeError(f"{last} messages instead of {count}")
