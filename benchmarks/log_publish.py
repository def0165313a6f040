"""What a publication and a proof cost as the log grows: a log of a million leaves against one of ten thousand.

A publication extends the tiles, reads what is new back and hashes it again, and a turn of what is old: none of it
grows with the log but the few tiles on its right edge. A proof reads two tiles a level.
"""

import itertools
import secrets
import tempfile
import time
from functools import partial
from pathlib import Path
from uuid import uuid4

import asyncpg

from benchmarks.harness import Bench, Comparison, Side, Timed
from registry.database import connect_pool
from registry.log import reader, storage
from registry.log.keys import load_or_create
from registry.log.leaf import entry_leaf
from registry.log.lines import write_base64
from registry.log.merkle import leaf_hash
from registry.log.publisher import Publisher

ORIGIN = "bench.example/log"

AT_ONCE = 10_000
"""Events stored by one COPY."""

_COLUMNS = ("position", "event_id", "stream_id", "version", "type", "state", "leaf", "leaf_hash")


class Published:
    """A log with so many leaves, published by a publisher that has been running since."""

    def __init__(self, pool: asyncpg.Pool, directory: Path, size: int) -> None:
        self.name = f"{size:,} leaves published"
        self.pool = pool
        self.size = size
        self._publisher = Publisher(pool, load_or_create(directory, ORIGIN), ORIGIN, directory)

    async def fill(self) -> None:
        """Publishes the empty log, then all at once: after that, the audit of everything is done."""
        await self._publisher.publish_once()
        await self._append(self.size)
        await self.pool.execute("ANALYZE")
        await self._publisher.publish_once()

    async def publish(self, count: int) -> Timed:
        """One checkpoint over ``count`` new leaves."""
        await self._append(count)
        started = time.perf_counter()
        await self._publisher.publish_once()
        seconds = time.perf_counter() - started
        return Timed(count, seconds, [seconds])

    async def prove(self, count: int) -> Timed:
        """So many proofs of random leaves, one after another."""
        latencies = []
        for _ in range(count):
            started = time.perf_counter()
            if await reader.inclusion(self.pool, secrets.randbelow(self.size)) is None:
                raise RuntimeError("a published leaf has no proof")
            latencies.append(time.perf_counter() - started)
        return Timed(count, sum(latencies), latencies)

    async def _append(self, count: int) -> None:
        size = await storage.count_events(self.pool)
        positions = iter(range(size, size + count))
        while some := list(itertools.islice(positions, AT_ONCE)):
            await self.pool.copy_records_to_table("events", records=map(_event, some), columns=_COLUMNS)


def _event(position: int) -> tuple[object, ...]:
    leaf = entry_leaf(uuid4(), write_base64(secrets.token_bytes(32)))
    return position, uuid4(), uuid4(), 1, "attack.reported", b"", leaf, leaf_hash(leaf)


async def run(bench: Bench) -> list[Comparison]:
    """Two figures, large against small."""
    with (
        tempfile.TemporaryDirectory(prefix="constancia-large-") as at_large,
        tempfile.TemporaryDirectory(prefix="constancia-small-") as at_small,
    ):
        large = await _filled(bench, "publish_large", Path(at_large), bench.size(1_000_000, 3_000))
        small = await _filled(bench, "publish_small", Path(at_small), bench.size(10_000, 1_000))
        figures = [
            ("a checkpoint over 1,000 new leaves", Published.publish, bench.size(1_000, 100), "leaves"),
            ("an inclusion proof", Published.prove, bench.size(1_000, 20), "proofs"),
        ]
        results = []
        for name, measure, count, unit in figures:
            sides = [Side(each.name, count, partial(measure, each)) for each in (large, small)]
            results.append(await bench.compare(f"{name}: large to small log", *sides, unit=unit, reach=None))
        for each in (large, small):
            await each.pool.close()
        return results


async def _filled(bench: Bench, name: str, directory: Path, size: int) -> Published:
    filled = Published(await connect_pool(await bench.database(name)), directory, size)
    await filled.fill()
    return filled
