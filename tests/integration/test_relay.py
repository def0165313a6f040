"""The relay to NATS: whatever dies, the stream ends as exactly the log's sequence, or is refused with a reason."""

import asyncio
import shutil
import socket
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from uuid import uuid4

import asyncpg
import nats
import psutil
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from api.delivery.relay import connection, publishing
from api.delivery.relay.checking import check_stream
from api.delivery.relay.connection import connected
from api.delivery.relay.errors import NatsUnavailable, RelayRefused
from api.delivery.relay.messages import headers_of, subject_of
from api.delivery.relay.relaying import Relay
from api.delivery.relay.stream import configuration
from api.health import Health
from api.streams.audience import PUBLIC
from api.streams.following import Following, StreamedEvent
from api.streams.streams import Streams
from api.supervision import keep_going
from projections.verification.errors import DataUnavailable, VerificationFailed
from registry.log import storage
from registry.log.checkpoint import Checkpoint
from registry.log.keys import LogKeys, Purpose, load_or_create
from registry.log.merkle import root
from tests.events import Leaf, store_leaves
from tests.nats import NatsCluster, NatsServer

STREAM = "constancia"
CONSUMER = Path(__file__).parents[2] / "docs" / "examples" / "nats_consumer.py"
ENTRY, OPEN = Leaf("attack.reported"), Leaf("release.published", {"disclosed": 1})


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="constancia-nats-") as directory:
        yield Path(directory)


@pytest.fixture
def broker(place: Path) -> Iterator[NatsServer]:
    broker = NatsServer(place / "n1").start()
    yield broker
    broker.kill()


class World:
    """A published log, and relays of it that live as long as the test wants."""

    def __init__(self, pool: asyncpg.Pool, keys: LogKeys, database: str) -> None:
        self.pool, self.keys, self.database = pool, keys, database
        self.following = Following(Streams(pool), keys.origin)
        self.size, self.stream = 0, STREAM

    async def grow(self, count: int, leaf: Leaf | None = None) -> None:
        """The log, and its checkpoint."""
        async with self.pool.acquire() as connection:
            await store_leaves(connection, [leaf or (OPEN if n % 10 == 0 else ENTRY) for n in range(count)])
        leaves = await storage.read_events(self.pool, 0, self.size + count)
        self.size = len(leaves)
        tree = root(leaf.hash for leaf in leaves)
        note = Checkpoint(self.keys.origin, self.size, tree).sign(*self.keys.signers(Purpose.LOG))
        assert await storage.publish(self.pool, self.size, tree, note)

    async def events(self) -> list[StreamedEvent]:
        found: list[StreamedEvent] = []
        while len(found) < self.size:
            found += (await self.following.page(PUBLIC, len(found))).events
        return found

    def relay(self, *urls: str, replicas: int = 1, keys: LogKeys | None = None) -> Relay:
        following = Following(Streams(self.pool), (keys or self.keys).origin)
        return Relay(urls, self.stream, replicas, following)

    @asynccontextmanager
    async def relayed(self, *relays: Relay) -> AsyncIterator[Health]:
        """Meanwhile they run, supervised as in the program."""
        stopping, health = asyncio.Event(), Health()
        tasks = [
            asyncio.create_task(
                keep_going(f"relay {n}", lambda: relay.run(stopping), health, stopping, first_pause=0.1)  # noqa: B023
            )
            for n, relay in enumerate(relays)
        ]
        await asyncio.sleep(0)
        try:
            yield health
        finally:
            stopping.set()
            async with asyncio.timeout(30):
                await asyncio.gather(*tasks)

    async def check(self, *urls: str) -> Checkpoint:
        async with connected(urls) as (client, _):
            return await check_stream(client.jetstream(), self.stream, self.pool, self.keys, lambda *_: None)


@pytest.fixture
def world(pool: asyncpg.Pool, log_keys: LogKeys, database_url: str) -> World:
    return World(pool, log_keys, database_url)


async def last_sequence(*urls: str) -> int:
    """How far the stream has come; 0 while there is none or nobody to ask."""
    with suppress(NatsUnavailable, nats.errors.Error, TimeoutError):
        async with connected(urls) as (client, _):
            return (await client.jetstream().stream_info(STREAM)).state.last_seq
    return 0


async def until(size: int, *urls: str) -> None:
    async with asyncio.timeout(90):
        while await last_sequence(*urls) < size:  # noqa: ASYNC110 - NATS tells nobody
            await asyncio.sleep(0.05)


async def test_two_relays_make_one_stream_that_is_the_log_and_follow_it(
    world: World, broker: NatsServer
) -> None:
    await world.grow(1_300)
    async with world.relayed(world.relay(broker.url), world.relay(broker.url)) as health:
        await until(world.size, broker.url)
        await world.grow(20)
        await until(world.size, broker.url)
        assert set((await health.states()).values()) == {"running"}
    events = await world.events()
    async with connected([broker.url]) as (client, _):
        jetstream = client.jetstream()
        assert (await jetstream.stream_info(STREAM)).state.messages == len(events) == world.size
        for event in (events[0], events[1], events[700], events[-1]):
            message = await jetstream.get_msg(STREAM, event.position + 1)
            assert (message.subject, message.data) == (f"constancia.{event.type}", event.body)
            headers = {name.lower(): value for name, value in (message.headers or {}).items()}
            read = from_structured_event(HTTPMessage(headers, message.data or b""))
            assert (read.get_id(), read.get_extension("position")) == (event.id, event.position)
            assert headers["nats-msg-id"] == event.id
        assert (await world.check(broker.url)).size == world.size
        await jetstream.publish("constancia.entry", b"{}")
    assert "the others are not of the published log" in await wrong(world, broker)


async def test_nats_dies_comes_back_and_is_restored_from_an_old_copy_and_the_stream_is_the_log(
    world: World, broker: NatsServer, place: Path
) -> None:
    await world.grow(3_000)
    async with world.relayed(world.relay(broker.url)):
        await until(1, broker.url)
        broker.kill()
        shutil.copytree(broker.store, place / "old")
        broker.start()
        await until(world.size, broker.url)
        await world.check(broker.url)
        broker.kill()
        shutil.rmtree(broker.store)
        (place / "old").rename(broker.store)
        broker.start()
        assert await last_sequence(broker.url) <= world.size
        await world.grow(10)
        await until(world.size, broker.url)
    await world.check(broker.url)


async def test_a_relay_that_is_killed_goes_on_where_the_stream_ends(world: World, broker: NatsServer) -> None:
    await world.grow(2_000)
    command = [sys.executable, "-m", "tests.integration.relaying", world.database, broker.url]
    killed = await asyncio.create_subprocess_exec(*command, world.keys.origin, "900")
    assert await killed.wait() == -9
    begun = await last_sequence(broker.url)
    assert 0 < begun < world.size
    with pytest.raises(DataUnavailable, match=f"The first {begun} positions are the log's"):
        await world.check(broker.url)
    async with world.relayed(world.relay(broker.url)):
        await until(world.size, broker.url)
    await world.check(broker.url)


def told(relay: Relay) -> bool:
    """What ``/readyz`` asks."""
    return relay.connected


async def test_a_server_that_hangs_is_left_and_gone_on_with_when_it_works_again(
    world: World, broker: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 1)
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.1)
    monkeypatch.setattr(publishing, "ACKNOWLEDGE_SECONDS", 0.5)
    await world.grow(1)
    relay = world.relay(broker.url)
    async with world.relayed(relay) as health:
        await until(world.size, broker.url)
        assert told(relay)
        broker.pause()
        await world.grow(300, Leaf("release.published", {"text": "x" * 60_000}))  # more than sockets hold
        async with asyncio.timeout(30):
            while await health.states() != {"relay 0": "failing"}:  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0.05)
        assert not told(relay)
        broker.resume()
        await until(world.size, broker.url)
    await world.check(broker.url)


async def test_a_server_that_says_nothing_costs_no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.05)
    silent = socket.create_server(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    for _ in range(5):
        with pytest.raises(NatsUnavailable):
            async with connected([f"nats://127.0.0.1:{port}"]):
                pass
    await asyncio.sleep(0.05)
    ours = [one for one in psutil.Process().net_connections() if one.raddr == ("127.0.0.1", port)]
    silent.close()
    assert [one.status for one in ours if one.status == psutil.CONN_ESTABLISHED] == []


KILLED_AT_100 = """
import os, runpy, sys
module = runpy.run_path(sys.argv[1])
take = module["take"]
def dying(database, message):
    take(database, message)
    if module["size"](database) == 100:
        os.kill(os.getpid(), 9)
module["follow"].__globals__["take"] = dying
module["asyncio"].run(module["main"](sys.argv[2], sys.argv[3], None))
"""


async def test_a_consumer_that_is_killed_between_receipt_and_commit_has_neither_gap_nor_double(
    world: World, broker: NatsServer, place: Path
) -> None:
    await world.grow(600)
    async with world.relayed(world.relay(broker.url)):
        await until(world.size, broker.url)
    arguments = [str(CONSUMER), broker.url, str(place / "events.db")]
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED_AT_100, *arguments)
    assert await killed.wait() == -9
    again = await asyncio.create_subprocess_exec(sys.executable, *arguments, str(world.size))
    assert await again.wait() == 0
    with closing(sqlite3.connect(place / "events.db")) as database:
        kept = database.execute("SELECT position, type FROM events ORDER BY rowid").fetchall()
    assert kept == [(event.position, event.type) for event in await world.events()]


async def put(
    world: World, jetstream: JetStreamContext, events: list[StreamedEvent], **changes: object
) -> None:
    """Instead of the stream before, one with these events, however it was made."""
    with suppress(nats.js.errors.NotFoundError):
        await jetstream.delete_stream(world.stream)
    # By another name: one made right after the deletion now and then has the old messages (nats-server 2.15.1).
    world.stream = f"constancia-{uuid4().hex[:16]}"
    unprotected = configuration(world.stream, 1).evolve(deny_delete=False, deny_purge=False, **changes)
    await jetstream.add_stream(unprotected)
    for event in events:
        await jetstream.publish(subject_of(event.type), event.body, headers=headers_of(event, world.stream))


async def refused(world: World, broker: NatsServer, keys: LogKeys | None = None) -> str:
    """What the relay says that will not continue."""
    with pytest.raises(RelayRefused) as refusal:
        async with asyncio.timeout(30):
            await world.relay(broker.url, keys=keys).run(asyncio.Event())
    return refusal.value.text.en


async def wrong(world: World, broker: NatsServer) -> str:
    """What the check says that fails."""
    with pytest.raises(VerificationFailed) as failure:
        await world.check(broker.url)
    return failure.value.text.en


async def test_a_stream_that_is_not_the_log_is_not_continued_and_the_check_names_the_place(
    world: World, broker: NatsServer, place: Path
) -> None:
    await world.grow(30)
    events = await world.events()
    async with connected([broker.url]) as (client, _):
        jetstream = client.jetstream()
        with pytest.raises(DataUnavailable, match="has no stream"):
            await world.check(broker.url)

        await put(world, jetstream, events[:20])
        await jetstream.publish("constancia.entry", b"not an event")
        assert "At position 20 of the stream is something else" in await refused(world, broker)
        assert "Position 20: The message is no event" in await wrong(world, broker)

        await put(world, jetstream, events)
        await jetstream.delete_msg(world.stream, 8)
        assert "lacks 1 messages" in await refused(world, broker)
        assert "Position 7: missing" in await wrong(world, broker)

        flipped = events[7]._replace(body=events[7].body.replace(b'"v":1', b'"v":3'))
        await put(world, jetstream, [*events[:7], flipped, *events[8:]])
        assert "Position 7: The leaf has not the hash" in await wrong(world, broker)
        await put(world, jetstream, [*events[:7], flipped])
        assert "The leaf has not the hash" in await refused(world, broker)

        # Whatever agrees with itself is held against the log.
        moved = events[7]._replace(body=events[8].body)
        await put(world, jetstream, [*events[:7], moved])
        assert "At position 7 the stream has another leaf" in await refused(world, broker)
        assert "Position 7: the stream has something else" in await wrong(world, broker)

        await put(world, jetstream, events)
        other = load_or_create(place / "other", "other.example/log")
        assert "events of another log: //log.example/test" in await refused(world, broker, other)

        await jetstream.purge_stream(world.stream, keep=5)
        assert "begins at position 25: it was trimmed" in await refused(world, broker)
        assert "Position 0: missing" in await wrong(world, broker)

        await put(world, jetstream, [], max_msgs=1_000, discard="old", max_age=3600)
        assert "forgets messages (max_age, max_msgs)" in await refused(world, broker)

        await put(world, jetstream, [], subjects=["constancia.entry"])
        assert "does not take exactly constancia.>" in await refused(world, broker)

        await jetstream.delete_stream(world.stream)
        await jetstream.add_stream(StreamConfig(name="other", subjects=["constancia.entry"]))
        assert "Another NATS stream takes subjects" in await refused(world, broker)
        await jetstream.delete_stream("other")

        await put(world, jetstream, events)
        async with world.pool.acquire() as owner, owner.transaction():
            await owner.execute("SET LOCAL session_replication_role = replica")
            await owner.execute("DELETE FROM events WHERE position = 29")
        assert "Position 29: missing in the database" in await wrong(world, broker)

        await world.pool.execute("DELETE FROM checkpoints")
        assert "The stream has 30 events and the published log 0" in await refused(world, broker)
        with pytest.raises(DataUnavailable, match="No checkpoint has been published"):
            await world.check(broker.url)


@pytest.mark.slow
async def test_three_servers_survive_the_death_of_the_streams_leader(world: World, place: Path) -> None:
    cluster = NatsCluster(place).start()
    try:
        await world.grow(6_000)
        async with world.relayed(
            world.relay(*cluster.urls, replicas=3), world.relay(*cluster.urls, replicas=3)
        ):
            await until(1, *cluster.urls)
            async with connected(cluster.urls) as (client, _):
                info = await client.jetstream().stream_info(STREAM)
            assert info.cluster
            leader = info.cluster.leader
            assert leader
            cluster.servers[leader].kill()
            await world.grow(200)
            await until(world.size, *cluster.urls)
            cluster.servers[leader].start()
            await world.grow(10)
            await until(world.size, *cluster.urls)
        await world.check(*cluster.urls)
    finally:
        cluster.stop()
