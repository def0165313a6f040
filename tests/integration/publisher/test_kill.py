"""``constancia publish`` killed at every step, started twice at once, and over a database of yesterday."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from registry.database import connect_pool
from registry.log import reader, storage
from registry.log.checkpoint import open_checkpoint
from registry.log.keys import LogKeys, load_or_create
from registry.log.last_signed import LastSigned
from registry.log.merkle import CompactRange, leaf_hash
from registry.log.tiles import bundle_path, decode_bundle, split_hashes, tile_path, tiles_of
from registry.store import EventStore
from tests.integration.store.conftest import command, event

ORIGIN = "log.example.org/log"
ROOT = Path(__file__).parents[3]
WAIT_SECONDS = 60

STEPS = ["_recall", "_extend", "_audit", "_remember", "_sign", "_witness", "_publish"]
FAULTS = [
    *(f"{when} registry.log.publisher:Publisher.{step}" for step in STEPS for when in ("before", "after")),
    # Within steps 2, 4 and 7: between statements, before the file's bytes are durable, before it has its name.
    "after registry.log.storage:extend_tiles",
    "before registry.log.last_signed:write_durably",
    "before os:fsync",
    "after os:fsync",
    "after registry.log.storage:publish",
]


class Publishing:
    """The processes of one data directory. ``told`` is what they have logged."""

    def __init__(self, directory: Path, address: str, *, every: float) -> None:
        self.data = directory / "data"
        self.signatures = directory / "signatures"
        self._log = directory / "log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CONSTANCIA_")}
        settings = {
            "CONSTANCIA_DATABASE_URL": address,
            "CONSTANCIA_ORIGIN": ORIGIN,
            "CONSTANCIA_PUBLISH_EVERY": str(every),
            "CONSTANCIA_RELEASE_EVERY": "1e9",
        }
        self.data.mkdir(exist_ok=True)
        with self._log.open("ab") as log:
            self._parent = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.integration.publisher.publishing",
                    str(self.data),
                    str(self.signatures),
                ],
                cwd=ROOT,
                env={**clean, **settings},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._running: set[int] = set()

    @property
    def told(self) -> str:
        return self._log.read_text(encoding="utf-8")

    async def ready(self) -> "Publishing":
        assert await self._answer() == "ready"
        return self

    async def start(self, fault: str = "") -> int:
        """The process id."""
        pid = int(await self._ask(f"start {fault}"))
        self._running.add(pid)
        return pid

    async def ended(self, pid: int) -> int:
        """The exit status of a process that ends of its own."""
        async with asyncio.timeout(WAIT_SECONDS):
            status = int(await self._ask(f"wait {pid}"))
        self._running.discard(pid)
        return status

    async def end(self, pid: int, by: signal.Signals = signal.SIGTERM) -> int:
        os.kill(pid, by)
        return await self.ended(pid)

    async def _ask(self, line: str) -> str:
        assert self._parent.stdin is not None
        self._parent.stdin.write(f"{line}\n")
        self._parent.stdin.flush()
        return await self._answer()

    async def _answer(self) -> str:
        assert self._parent.stdout is not None
        return (await asyncio.to_thread(self._parent.stdout.readline)).strip()

    def close(self) -> None:
        for pid in self._running:
            os.kill(pid, signal.SIGKILL)
        self._parent.kill()
        self._parent.communicate()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Callable[..., Publishing]]:
    started: list[Publishing] = []

    def start(address: str, *, every: float = 0.05) -> Publishing:
        started.append(Publishing(tmp_path, address, every=every))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def keys(tmp_path: Path) -> LogKeys:
    (tmp_path / "data").mkdir()
    return load_or_create(tmp_path / "data", ORIGIN)


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await connect_pool(address, max_size=4)
    try:
        yield pool
    finally:
        await pool.close()


async def append(pool: asyncpg.Pool, count: int) -> None:
    store = EventStore(pool)
    for start in range(0, count, 100):
        await store.append(command(*(event() for _ in range(min(100, count - start)))))
    await store.close()


async def published(pool: asyncpg.Pool) -> int:
    latest = await storage.latest_checkpoint(pool)
    return latest.size if latest else 0


async def until(publishing: Publishing, happened: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not await happened():
        assert time.monotonic() < deadline, publishing.told
        await asyncio.sleep(0.05)


async def until_published(publishing: Publishing, pool: asyncpg.Pool, size: int) -> None:
    async def reached() -> bool:
        return await published(pool) >= size

    await until(publishing, reached)


async def until_told(publishing: Publishing, reason: str, times: int) -> None:
    async def told() -> bool:
        return publishing.told.count(reason) >= times

    await until(publishing, told)


async def running_over_300_events(publishing: Publishing, pool: asyncpg.Pool) -> int:
    """A process that has published them, begun with an empty database."""
    pid = await publishing.start()
    await until_published(publishing, pool, 1)
    await append(pool, 300)
    await until_published(publishing, pool, 300)
    return pid


async def audit(pool: asyncpg.Pool, keys: LogKeys, publishing: Publishing) -> int:
    """The published size. Nothing was ever signed but the one history of what is committed, and all that readers can
    fetch is what the published checkpoint says."""
    # Read in this order, each can only be ahead of the one before, also while a publisher is at work.
    latest = await storage.latest_checkpoint(pool)
    published = await pool.fetch("SELECT size, root, note FROM checkpoints")
    signed = set()
    if publishing.signatures.exists():
        signed = {
            (int(size), bytes.fromhex(root))
            for size, root in map(str.split, publishing.signatures.read_text().splitlines())
        }
    last = LastSigned(publishing.data).read()
    leaves = [row["leaf"] for row in await pool.fetch("SELECT leaf FROM events ORDER BY position")]
    roots = roots_of(leaves)

    # One root for each size, and none ahead of what is committed.
    assert signed <= set(enumerate(roots))
    for row in published:
        checkpoint, _ = open_checkpoint(row["note"], ORIGIN, [keys.log.verifier])
        assert (checkpoint.size, checkpoint.root) == (row["size"], row["root"])
        assert (checkpoint.size, checkpoint.root) in signed

    # Promised before signed, signed before published, stored before all.
    assert last is not None or not signed
    if last is not None:
        assert last.root == roots[last.size]
        assert max((size for size, _ in signed), default=0) <= last.size <= await storage.stored_size(pool)
    if latest is None:
        return 0
    hashes = [leaf_hash(leaf) for leaf in leaves[: latest.size]]
    for tile in tiles_of(latest.size):
        data = await reader.tile(pool, tile_path(tile.level, tile.index, tile.width))
        assert data is not None
        if tile.level == 0:
            first = tile.index * 256
            assert split_hashes(data) == hashes[first : first + tile.width]
            bundle = await reader.tile(pool, bundle_path(tile.index, tile.width))
            assert bundle is not None
            assert decode_bundle(bundle, tile.width) == leaves[first : first + tile.width]
    return latest.size


def roots_of(leaves: list[bytes]) -> list[bytes]:
    """The root of every size from 0 to that of all leaves."""
    tree = CompactRange()
    roots = [tree.root()]
    for leaf in leaves:
        tree.append(leaf_hash(leaf))
        roots.append(tree.root())
    return roots


async def test_a_kill_at_any_step_never_shows_or_signs_two_histories(
    pool: asyncpg.Pool, database_url: str, keys: LogKeys, processes: Callable[..., Publishing]
) -> None:
    publishing = await processes(database_url).ready()
    await publishing.end(await running_over_300_events(publishing, pool))
    size = await audit(pool, keys, publishing)
    # Each process starts from what the killed one before it left behind.
    for fault in random.sample(FAULTS, len(FAULTS)):
        await append(pool, random.randint(1, 150))
        assert await publishing.ended(await publishing.start(fault)) == -signal.SIGKILL, fault
        seen = await audit(pool, keys, publishing)
        assert seen >= size, fault
        size = seen

    events = await storage.count_events(pool)
    running = await publishing.start()
    await until_published(publishing, pool, events)
    assert await publishing.end(running) == 0
    assert await audit(pool, keys, publishing) == events
    assert "refused" not in publishing.told


async def test_two_publishers_at_once_and_kills_at_random_sign_one_history(
    pool: asyncpg.Pool, database_url: str, keys: LogKeys, processes: Callable[..., Publishing]
) -> None:
    publishing = await processes(database_url, every=0.02).ready()
    running = [await running_over_300_events(publishing, pool), await publishing.start()]
    for _ in range(6):
        for _ in range(5):
            await append(pool, random.randint(1, 60))
            await asyncio.sleep(random.random() / 20)
        await publishing.end(running.pop(0), signal.SIGKILL)
        running.append(await publishing.start())
        await audit(pool, keys, publishing)

    events = await storage.count_events(pool)
    await until_published(publishing, pool, events)
    assert [await publishing.end(pid) for pid in running] == [0, 0]
    assert await audit(pool, keys, publishing) == events
    assert "refused" not in publishing.told


async def test_yesterdays_database_signs_nothing_also_when_it_grows_again(
    database_url: str, server: str, keys: LogKeys, processes: Callable[..., Publishing]
) -> None:
    publishing = await processes(database_url).ready()
    async with connected(database_url) as pool:
        await publishing.end(await running_over_300_events(publishing, pool))
        committed = await storage.count_events(pool)
        name = await pool.fetchval("SELECT current_database()")
    copy = f"yesterday_{name}"
    yesterday = database_url.replace(f"/{name}?", f"/{copy}?")
    administration = await asyncpg.connect(server)
    try:
        await administration.execute(f"CREATE DATABASE {copy} TEMPLATE {name} STRATEGY FILE_COPY")

        # Today goes on.
        async with connected(database_url) as pool:
            await append(pool, 100)
            pid = await publishing.start()
            await until_published(publishing, pool, committed + 100)
            await publishing.end(pid)
            await audit(pool, keys, publishing)
        last, signatures = LastSigned(publishing.data).read(), publishing.signatures.read_text()

        restored = await processes(yesterday).ready()
        async with connected(yesterday) as pool:
            for more, reason in (
                (0, "It looks like an old copy"),
                (150, "are not the ones that were signed"),
            ):
                await append(pool, more)
                before = restored.told.count(reason)
                pid = await restored.start()
                await until_told(restored, reason, before + 1)
                assert await restored.end(pid) == 0
                assert await published(pool) == committed
        assert LastSigned(publishing.data).read() == last
        assert publishing.signatures.read_text() == signatures
    finally:
        await administration.execute(f"DROP DATABASE IF EXISTS {copy} WITH (FORCE)")
        await administration.close()
