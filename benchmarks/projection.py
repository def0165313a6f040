"""A projection catching up, against the library's ProjectionRunner doing the same SQL for each event."""

import time
from typing import Any

import asyncpg
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg import RawCursor

from benchmarks.harness import Bench, Comparison, Side, Timed, in_tasks, open_store, postgres_parameters
from benchmarks.library import Register, assignment, environment
from benchmarks.synthetic import history
from projections.models.records import RecordsProjection
from projections.runner import Runner
from registry.sql import load_queries
from registry.store import Command

LENGTH = 10
"""Events per stream."""

_STORE = load_queries("projections.models", "records.sql")["store"].encode()


class RecordsView(PostgresTrackingRecorder):
    """The table of our projection ``records``, kept by the library."""

    def store(self, tracking: Tracking, *row: Any) -> None:
        """The projection's own statement for one event, with its tracking, in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            RawCursor(cursor.connection).execute(_STORE, [[value] for value in row], prepare=True)


class LibraryRecords(Projection[RecordsView]):
    """Our projection ``records`` in the library's style."""

    name = "records"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Each event on its own, as the library offers them."""
        position = tracking.notification_id
        self.view.store(
            tracking,
            domain_event.originator_id,
            "assignment",
            None,
            position,
            position,
            domain_event.timestamp,
        )


async def run(bench: Bench) -> list[Comparison]:
    """One figure. Each round stores new events, untimed, then times how long catching up with them takes."""
    library = await bench.database("projection_library")
    await _let_unqualified_names_be_the_projections(library)
    async with open_store(await bench.database("projection")) as (pool, store):

        async def catch_up(count: int) -> Timed:
            await in_tasks(8, [Command(history(LENGTH)) for _ in range(count // LENGTH)], store.append)
            runner = Runner(pool, [RecordsProjection()])
            started = time.perf_counter()
            await runner.catch_up()
            return _timed(count, started)

        async def catch_up_library(count: int) -> Timed:
            with Register(environment(library)) as register:
                saved = [register.save(assignment(LENGTH - 1)) for _ in range(count // LENGTH)]
            started = time.perf_counter()
            with ProjectionRunner(
                application_class=Register,
                projection_class=LibraryRecords,
                view_class=RecordsView,
                env=environment(library),
            ) as runner:
                runner.wait(saved[-1][-1].notification.id, timeout=600)
                return _timed(count, started)

        comparison = await bench.compare(
            "projection catch-up",
            Side("Runner, RecordsProjection", bench.size(20_000, 500), catch_up),
            Side("ProjectionRunner, the same SQL per event", bench.size(300, 100), catch_up_library),
            reach=100,
        )
    return [comparison]


def _timed(count: int, started: float) -> Timed:
    seconds = time.perf_counter() - started
    return Timed(count, seconds, [seconds])


async def _let_unqualified_names_be_the_projections(address: str) -> None:
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(
            f'ALTER DATABASE "{postgres_parameters(address)["dbname"]}" SET search_path = records, public'
        )
    finally:
        await connection.close()
