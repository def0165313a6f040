"""Rebuilding: the same tables as following the log would have made, whole or not at all, and no reader notices."""

import asyncio
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.errors import OtherVersion, ProjectionStopped, RebuildRefused
from projections.models import PROJECTIONS
from projections.models.records import RecordsProjection, listed
from projections.models.waiting import Waiting
from projections.rebuild import rebuild, renew
from projections.runner import Connection, Projection, Runner, statuses
from registry.store.records import Recorded
from tests.lives import Life, store_life

Rows = dict[str, list[tuple[Any, ...]]]


class Killed(BaseException):
    """What ends a process ends it anywhere, and nothing of the program catches it."""


class Fragile:
    """A projection whose process is killed after it has applied its n-th batch, before that is committed."""

    def __init__(self, projection: Projection, batches: Iterator[int]) -> None:
        self.name, self.version = projection.name, projection.version
        self._projection, self._batches = projection, batches
        self._left = next(batches, -1)

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        await self._projection.apply(connection, events)
        self._left -= 1
        if self._left == 0:
            self._left = next(self._batches, -1)
            raise Killed


def newer(projection: Projection) -> Projection:
    """The same with a later version."""
    later = Fragile(projection, iter(()))
    later.version = projection.version + 1
    return later


async def tables_of(connection: Connection | asyncpg.Pool, schema: str) -> Rows:
    """All rows of all tables of a schema."""
    names = await connection.fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = $1 ORDER BY 1", schema
    )
    assert names, schema
    return {
        name: sorted(
            (tuple(row) for row in await connection.fetch(f'SELECT * FROM "{schema}"."{name}"')), key=repr
        )
        for (name,) in names
    }


async def structure_of(pool: asyncpg.Pool, schema: str) -> list[tuple[Any, ...]]:
    """Columns, constraints, indexes and storage options, with their names."""
    rows = await pool.fetch(
        "WITH t AS (SELECT c.oid, relname, reloptions FROM pg_class c"
        "  WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'i'))"
        " SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull::text, reloptions::text,"
        "    col_description(attrelid, attnum)"
        "  FROM t JOIN pg_attribute ON attrelid = t.oid AND attnum > 0"
        " UNION ALL SELECT relname, conname, pg_get_constraintdef(k.oid), contype::text, '', ''"
        "  FROM t JOIN pg_constraint k ON conrelid = t.oid"
        " UNION ALL SELECT relname, acl::text, '', '', '', '' FROM"
        "  (SELECT relname, relacl AS acl FROM pg_class WHERE relnamespace = $1::regnamespace"
        "   UNION SELECT '', nspacl FROM pg_namespace WHERE oid = $1::regnamespace) p"
        " UNION ALL SELECT relname, pg_get_indexdef(t.oid), '', '', '', '' FROM t WHERE pg_get_indexdef(t.oid) <> ''"
        " ORDER BY 1, 2, 3",
        schema,
    )
    return [tuple(row) for row in rows]


async def schemas(pool: asyncpg.Pool) -> set[str]:
    return {
        row[0] for row in await pool.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%rebuild%'")
    }


async def lived(pool: asyncpg.Pool, count: int, seed: int = 1) -> Life:
    """A register with that many events, with all projections up to its head."""
    life = Life(Random(seed))
    async with pool.acquire() as connection:
        await store_life(connection, life.go_on(count))
    await Runner(pool, PROJECTIONS).catch_up()
    return life


async def spoil(pool: asyncpg.Pool) -> None:
    """Make the tables in use recognisable as the old ones."""
    await pool.execute("UPDATE records.streams SET noun = 'old'")


async def old_ones(pool: asyncpg.Pool) -> int:
    count: int = await pool.fetchval("SELECT count(*) FROM records.streams WHERE noun = 'old'")
    return count


def test_rebuilt_and_incremental_tables_are_the_same_for_any_batches_and_any_crash(database_url: str) -> None:
    """One loop for all examples: a database per example would take minutes."""

    async def compare(
        random: Random, lengths: list[int], batches: tuple[int, int], kills: tuple[list[int], list[int]]
    ) -> None:
        pool = await asyncpg.create_pool(database_url, min_size=1, max_size=3)
        try:
            async with pool.acquire() as connection:
                await connection.execute(
                    "TRUNCATE events, projections.positions CASCADE; UPDATE head SET size = 0"
                )
                for projection in PROJECTIONS:
                    for table in await tables_of(connection, projection.name):
                        await connection.execute(f'TRUNCATE "{projection.name}"."{table}"')
            life = Life(random)
            for length in lengths:
                async with pool.acquire() as connection:
                    await store_life(connection, life.go_on(length))
                for projection in PROJECTIONS:
                    fragile = Fragile(projection, iter(kills[0]))
                    await _until_done(lambda f=fragile: Runner(pool, [f], batch=batches[0]).catch_up())
            for projection in PROJECTIONS:
                incremental = await tables_of(pool, projection.name)
                fragile = Fragile(projection, iter(kills[1]))
                await _until_done(lambda f=fragile: rebuild(pool, f, batch=batches[1]))
                assert await tables_of(pool, projection.name) == incremental, projection.name
            assert {(s.position, s.failed) for s in await statuses(pool)} == {(len(life.events), None)}
            assert not await schemas(pool)
        finally:
            await pool.close()

    sizes = st.sampled_from([1, 2, 3, 7, 20, 1000])
    deaths = st.lists(st.integers(1, 4), max_size=3)

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.randoms(use_true_random=False),
        st.lists(st.integers(1, 40), min_size=1, max_size=3),
        st.tuples(sizes, sizes),
        st.tuples(deaths, deaths),
    )
    def agree(
        random: Random, lengths: list[int], batches: tuple[int, int], kills: tuple[list[int], list[int]]
    ) -> None:
        asyncio.run(compare(random, lengths, batches, kills))

    agree()


async def _until_done(run: Any) -> None:
    """Start again after every kill."""
    while True:
        try:
            await run()
        except Killed:
            continue
        return


async def test_a_rebuild_leaves_the_structure_and_every_name_in_it_as_the_migrations_made_them(
    pool: asyncpg.Pool,
) -> None:
    await lived(pool, 20)
    await pool.execute(
        "ALTER TABLE records.streams SET (fillfactor = 70);"
        "GRANT USAGE ON SCHEMA records TO PUBLIC; GRANT SELECT, TRIGGER ON records.streams TO PUBLIC"
    )
    for projection in PROJECTIONS:
        before = await structure_of(pool, projection.name)
        await rebuild(pool, projection)
        assert await structure_of(pool, projection.name) == before


async def test_what_a_rebuild_replaces_does_not_matter(pool: asyncpg.Pool) -> None:
    await lived(pool, 50)
    right = await tables_of(pool, "records")
    await spoil(pool)

    assert await rebuild(pool, RecordsProjection(), batch=7) == 50

    assert await tables_of(pool, "records") == right


async def test_a_model_that_never_ran_can_be_rebuilt(pool: asyncpg.Pool) -> None:
    assert await rebuild(pool, RecordsProjection()) == 0

    (status,) = await statuses(pool)
    assert (status.name, status.version, status.position) == ("records", 1, 0)


async def test_the_tables_in_use_serve_and_follow_the_log_while_a_copy_is_being_filled(
    pool: asyncpg.Pool,
) -> None:
    life = await lived(pool, 30)
    await spoil(pool)
    half, go_on = asyncio.Event(), asyncio.Event()

    class Slow(RecordsProjection):
        async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
            await super().apply(connection, events)
            half.set()
            await go_on.wait()

    rebuilding = asyncio.create_task(rebuild(pool, Slow(), batch=10))
    await half.wait()
    assert await old_ones(pool) > 0
    async with pool.acquire() as connection:
        await store_life(connection, life.go_on(10))
    await Runner(pool, [RecordsProjection()]).catch_up()
    assert {s.name: s.position for s in await statuses(pool)}["records"] == 40

    go_on.set()
    assert await rebuilding == 40
    assert await old_ones(pool) == 0


async def test_readers_see_the_old_tables_or_the_new_ones_and_never_an_error(pool: asyncpg.Pool) -> None:
    await lived(pool, 40)
    before = await tables_of(pool, "records")
    done = asyncio.Event()

    async def read() -> int:
        """The same prepared statements on the same connections, before and after."""
        reads = 0
        while not done.is_set():
            page = await listed(pool, "report", institution=None, updated_after=None, after=0, limit=500)
            assert len(page.ids) == sum(1 for row in before["streams"] if row[1] == "report")
            reads += 1
        return reads

    readers = [asyncio.create_task(read()) for _ in range(4)]
    for _ in range(5):
        await rebuild(pool, RecordsProjection(), batch=15)
    done.set()
    assert min(await asyncio.gather(*readers)) > 5


async def test_a_long_reader_holds_up_the_switch_and_nobody_else(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.rebuild.READERS_WAIT_SECONDS", 0.05)
    monkeypatch.setattr("projections.rebuild.PAUSE_SECONDS", 0.05)
    await lived(pool, 20)
    await spoil(pool)
    async with pool.acquire() as backup:
        async with backup.transaction():
            old = await backup.fetchval("SELECT count(*) FROM records.streams")
            rebuilding = asyncio.create_task(rebuild(pool, RecordsProjection()))
            for _ in range(10):
                async with asyncio.timeout(2):
                    assert await old_ones(pool) == old
                await asyncio.sleep(0.03)
            assert not rebuilding.done()
        await asyncio.wait_for(rebuilding, 10)
    assert await old_ones(pool) == 0


@pytest.mark.parametrize(
    "step",
    ["CREATE SCHEMA", "CREATE TABLE", "ANALYZE", "LOCK TABLE", "DROP TABLE", "DROP SCHEMA", "ALTER SCHEMA"],
)
async def test_a_kill_at_any_step_leaves_the_old_tables_whole_and_the_next_rebuild_starts_over(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await lived(pool, 30)
    right = await tables_of(pool, "records")
    await spoil(pool)
    old = await tables_of(pool, "records")
    execute = asyncpg.Connection.execute

    async def killed(self: asyncpg.Connection, query: str, *args: Any, **more: Any) -> str:
        status: str = await execute(self, query, *args, **more)
        if query.startswith(step):
            raise Killed
        return status

    with monkeypatch.context() as killing:
        killing.setattr(asyncpg.Connection, "execute", killed)
        with pytest.raises(Killed):
            await rebuild(pool, RecordsProjection(), batch=10)
    assert await tables_of(pool, "records") == old
    await Runner(pool, [RecordsProjection()]).catch_up()

    await rebuild(pool, RecordsProjection())
    assert await tables_of(pool, "records") == right
    assert not await schemas(pool)


async def test_a_server_that_kills_the_rebuilding_connection_leaves_the_old_tables_whole(
    pool: asyncpg.Pool,
) -> None:
    await lived(pool, 30)
    await spoil(pool)

    class Cut(RecordsProjection):
        async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
            await super().apply(connection, events)
            if events[0].position >= 20:
                pid = await connection.fetchval("SELECT pg_backend_pid()")
                await pool.execute("SELECT pg_terminate_backend($1)", pid)
                await connection.execute("SELECT 1")

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await rebuild(pool, Cut(), batch=10)
    assert await old_ones(pool) > 0

    assert await rebuild(pool, RecordsProjection()) == 30
    assert await old_ones(pool) == 0


async def test_several_rebuilds_at_once_end_well(pool: asyncpg.Pool) -> None:
    await lived(pool, 60)
    right = await tables_of(pool, "records")
    await spoil(pool)

    async with asyncio.timeout(30):
        await asyncio.gather(*(rebuild(pool, RecordsProjection(), batch=5) for _ in range(3)))

    assert await tables_of(pool, "records") == right
    assert not await schemas(pool)


class Poisoned(RecordsProjection):
    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        await super().apply(connection, events)
        if any(event.position == 17 for event in events):
            raise ValueError("quotes a private value")


async def test_an_unreadable_event_refuses_the_rebuild_and_leaves_everything_as_it_was(
    pool: asyncpg.Pool,
) -> None:
    await lived(pool, 30)
    await spoil(pool)
    before = await statuses(pool)

    with pytest.raises(RebuildRefused, match=r"position 17 \(ValueError\)") as refused:
        await rebuild(pool, Poisoned(), batch=10)

    assert "private value" not in str(refused.value)
    assert await statuses(pool) == before
    assert await old_ones(pool) > 0
    assert not await schemas(pool)


async def test_what_somebody_made_on_top_of_the_old_tables_is_never_dropped(pool: asyncpg.Pool) -> None:
    await lived(pool, 10)
    await pool.execute("CREATE VIEW own AS SELECT noun FROM records.streams")

    with pytest.raises(RebuildRefused, match="view own depends on"):
        await rebuild(pool, RecordsProjection())

    assert await pool.fetchval("SELECT count(*) FROM own") > 0
    await pool.execute("DROP VIEW own")
    assert await rebuild(pool, RecordsProjection()) == 10


class TestAfterAnUpgrade:
    """A projection whose version has grown is built anew when its program starts."""

    async def test_what_stands_in_the_way_of_one_model_stops_no_other(self, pool: asyncpg.Pool) -> None:
        life = await lived(pool, 10)
        await pool.execute("CREATE VIEW own AS SELECT noun FROM records.streams")
        stopping = asyncio.Event()
        runner = Runner(pool, [newer(RecordsProjection()), Waiting()])
        running = asyncio.create_task(runner.run(stopping))
        async with pool.acquire() as connection:
            await store_life(connection, life.go_on(5))
        async with asyncio.timeout(10):
            while {s.position for s in await statuses(pool) if s.name == "waiting"} != {15}:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            while runner.stopped != {"records"}:  # noqa: ASYNC110 - a set that sets no event
                await asyncio.sleep(0.01)
        stopping.set()
        await asyncio.wait_for(running, 5)

        await pool.execute("DROP VIEW own")
        await Runner(pool, [newer(RecordsProjection())]).catch_up()
        assert {s.name: s.version for s in await statuses(pool)}["records"] == 2

    async def test_tables_of_an_earlier_version_are_built_anew(self, pool: asyncpg.Pool) -> None:
        await lived(pool, 30)
        right = await tables_of(pool, "records")
        await spoil(pool)

        await Runner(pool, [newer(RecordsProjection())], batch=7).catch_up()

        assert await tables_of(pool, "records") == right
        status = next(s for s in await statuses(pool) if s.name == "records")
        assert (status.version, status.position, status.failed) == (2, 30, None)
        assert not await schemas(pool)

    async def test_a_killed_one_is_gone_on_with_by_any_number_of_processes(self, pool: asyncpg.Pool) -> None:
        await lived(pool, 60)
        right = await tables_of(pool, "records")
        await spoil(pool)
        dying = Fragile(RecordsProjection(), iter([3]))
        dying.version = 2
        with pytest.raises(Killed):
            await renew(pool, dying, batch=10)
        assert {s.name: s.position for s in await statuses(pool)}["records_rebuild"] == 20
        assert await old_ones(pool) > 0

        async with asyncio.timeout(30):
            await asyncio.gather(*(renew(pool, newer(RecordsProjection()), batch=10) for _ in range(3)))

        assert await tables_of(pool, "records") == right
        assert not await schemas(pool)

    async def test_the_old_program_serves_until_the_switch_and_then_steps_back(
        self, pool: asyncpg.Pool
    ) -> None:
        life = await lived(pool, 20)
        dying = Fragile(RecordsProjection(), iter([2]))
        dying.version = 2
        with pytest.raises(Killed):
            await renew(pool, dying, batch=10)
        async with pool.acquire() as connection:
            await store_life(connection, life.go_on(5))

        await Runner(pool, [RecordsProjection()]).catch_up()  # the old program
        await Runner(pool, [newer(RecordsProjection())]).catch_up()
        with pytest.raises(OtherVersion):
            await Runner(pool, [RecordsProjection()]).catch_up()

    async def test_a_copy_on_its_way_to_a_later_version_is_not_undone(self, pool: asyncpg.Pool) -> None:
        await lived(pool, 20)
        dying = Fragile(RecordsProjection(), iter([2]))
        dying.version = 3
        with pytest.raises(Killed):
            await renew(pool, dying, batch=10)

        with pytest.raises(OtherVersion):
            await renew(pool, newer(RecordsProjection()))

    async def test_an_unreadable_event_stops_it_visibly_and_a_restart_goes_on_there(
        self, pool: asyncpg.Pool
    ) -> None:
        await lived(pool, 30)
        await spoil(pool)
        poisoned = Poisoned()
        poisoned.version = 2
        with pytest.raises(ProjectionStopped, match="position 17"):
            await Runner(pool, [poisoned], batch=10).catch_up()
        copy = next(s for s in await statuses(pool) if s.name == "records_rebuild")
        assert (copy.position, copy.failed) == (17, "ValueError")
        assert await old_ones(pool) > 0

        seen: list[int] = []

        class Mended(RecordsProjection):
            version = 2

            async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
                await super().apply(connection, events)
                seen.extend(event.position for event in events)

        await Runner(pool, [Mended()]).catch_up()
        assert seen == list(range(17, 30))
        assert await old_ones(pool) == 0

    async def test_going_back_to_an_earlier_version_takes_the_operators_word(
        self, pool: asyncpg.Pool
    ) -> None:
        await lived(pool, 10)
        await Runner(pool, [newer(RecordsProjection())]).catch_up()

        await rebuild(pool, RecordsProjection())

        await Runner(pool, [RecordsProjection()]).catch_up()
        assert {s.name: s.version for s in await statuses(pool)}["records"] == 1
