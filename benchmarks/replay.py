"""Reading streams back, decoding and folding them, against the library's repository: one reader each."""

import itertools
from functools import partial
from uuid import UUID

from benchmarks.harness import Bench, Comparison, Side, Timed, in_tasks, in_threads, open_store
from benchmarks.library import Register, assignment, environment
from benchmarks.synthetic import history
from registry.domain.assignment import Assignment
from registry.domain.mapper import decode_events
from registry.store import Command, EventStore
from registry.store.recorder import Recorder
from registry.store.subscription import Subscriptions

LENGTH = 100
"""Events per stream."""

STREAMS = 20


async def run(bench: Bench) -> list[Comparison]:
    """As our loads read, and, for information, as the library's recorder does; without caches and snapshots."""
    async with open_store(await bench.database("replay")) as (pool, store):
        ours = [await _store(store) for _ in range(STREAMS)]
        with Register(environment(await bench.database("replay_library"))) as register:
            theirs = []
            for _ in range(STREAMS):
                aggregate = assignment(LENGTH - 1)
                register.save(aggregate)
                theirs.append(aggregate.id)

            async def replay_library(count: int) -> Timed:
                return _events(await in_threads(1, _repeated(theirs, count), register.repository.get))

            async def replay_recorder(count: int) -> Timed:
                return _events(await in_tasks(1, _repeated(ours, count), partial(_fold_recorded, recorder)))

            async def replay_store(count: int) -> Timed:
                return _events(await in_tasks(1, _repeated(ours, count), partial(fold, store)))

            streams = bench.size(500, 10)
            alternative = Side("repository.get (select, mapper, mutate)", bench.size(100, 10), replay_library)
            async with Subscriptions(pool) as subscriptions:
                recorder = Recorder(store, subscriptions)
                results = [
                    await bench.compare(f"replay of streams of {LENGTH}", side, alternative, reach=reach)
                    for side, reach in (
                        (Side("EventStore.history, decode_events, fold", streams, replay_store), 8),
                        (Side("Recorder.select_events, decode_events, fold", streams, replay_recorder), None),
                    )
                ]
    return results


async def fold(store: EventStore, stream: UUID) -> Assignment:
    """The aggregate from its first event on."""
    aggregate = Assignment(id=stream)
    aggregate.replay(decode_events(await store.history(stream)))
    return aggregate


async def _fold_recorded(recorder: Recorder, stream: UUID) -> Assignment:
    aggregate = Assignment(id=stream)
    stored = await recorder.select_events(stream)
    aggregate.replay(decode_events([(one.topic, one.state) for one in stored]))
    return aggregate


async def _store(store: EventStore) -> UUID:
    events = history(LENGTH)
    await store.append(Command(events))
    return events[0].stream_id


def _events(streams: Timed) -> Timed:
    return streams._replace(operations=streams.operations * LENGTH)


def _repeated(streams: list[UUID], count: int) -> list[UUID]:
    return list(itertools.islice(itertools.cycle(streams), count))
