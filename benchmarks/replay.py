"""Reading streams back, decoding and folding them, against the library's repository: one reader each."""

import itertools
from uuid import UUID

from benchmarks.harness import Bench, Comparison, Side, Timed, in_tasks, in_threads
from benchmarks.library import Register, assignment, environment
from benchmarks.synthetic import history
from registry.database import connect_pool
from registry.domain.assignment import Assignment
from registry.domain.mapper import decode_event
from registry.store import Command, EventStore

LENGTH = 100
"""Events per stream."""

STREAMS = 20


async def run(bench: Bench) -> list[Comparison]:
    """One figure; neither side uses its cache or snapshots."""
    pool = await connect_pool(await bench.database("replay"))
    store = EventStore(pool)
    ours = [await _store(store) for _ in range(STREAMS)]
    with Register(environment(await bench.database("replay_library"))) as register:
        theirs = []
        for _ in range(STREAMS):
            aggregate = assignment(LENGTH - 1)
            register.save(aggregate)
            theirs.append(aggregate.id)

        async def replay(count: int) -> Timed:
            timed = await in_tasks(1, _repeated(ours, count), lambda stream: fold(store, stream))
            return timed._replace(operations=count * LENGTH)

        async def replay_library(count: int) -> Timed:
            timed = await in_threads(1, _repeated(theirs, count), register.repository.get)
            return timed._replace(operations=count * LENGTH)

        comparison = await bench.compare(
            "replay: read, decode, fold streams of 100",
            Side("read_stream, decode_event, fold", bench.size(1_000, 10), replay),
            Side("repository.get (select, mapper, mutate)", bench.size(200, 10), replay_library),
            reach=8,
        )
    await store.close()
    await pool.close()
    return [comparison]


async def fold(store: EventStore, stream: UUID) -> Assignment:
    """The aggregate from its first event on."""
    aggregate = Assignment(id=stream)
    for recorded in await store.read_stream(stream):
        aggregate.fold(decode_event(recorded.type, recorded.state))
    return aggregate


async def _store(store: EventStore) -> UUID:
    events = history(LENGTH)
    await store.append(Command(events))
    return events[0].stream_id


def _repeated(streams: list[UUID], count: int) -> list[UUID]:
    return list(itertools.islice(itertools.cycle(streams), count))
