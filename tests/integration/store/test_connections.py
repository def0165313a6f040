"""Connections that the store keeps between statements are nobody's loss."""

import asyncio

import asyncpg
import pytest

from registry.store.connections import KEPT_OF_ALL, LARGE, Connections


def in_use(pool: asyncpg.Pool) -> int:
    return pool.get_size() - pool.get_idle_size()


async def test_a_connection_stays_at_hand_from_one_statement_to_the_next(pool: asyncpg.Pool) -> None:
    connections = Connections(pool)
    servers = {(await connections.fetch("SELECT pg_backend_pid()"))[0][0] for _ in range(5)}
    assert len(servers) == 1
    assert in_use(pool) == 1
    await connections.close()
    assert in_use(pool) == 0


async def test_a_crowd_borrows_all_there_are_and_leaves_a_few_behind(pool: asyncpg.Pool) -> None:
    connections = Connections(pool)
    answers = await asyncio.gather(
        *(connections.fetch("SELECT $1::int, pg_sleep(0.001)", n) for n in range(100))
    )
    assert [rows[0][0] for rows in answers] == list(range(100))
    assert in_use(pool) == pool.get_max_size() // KEPT_OF_ALL
    await connections.close()
    assert in_use(pool) == 0


async def test_a_connection_that_died_at_rest_is_replaced(pool: asyncpg.Pool) -> None:
    connections = Connections(pool)
    ((server,),) = await connections.fetch("SELECT pg_backend_pid()")
    await pool.fetchval("SELECT pg_terminate_backend($1, 5000)", server)
    await asyncio.sleep(0.05)  # until this process has read the farewell
    ((other,),) = await connections.fetch("SELECT pg_backend_pid()")
    assert other != server
    await connections.close()
    assert in_use(pool) == 0


async def test_after_an_error_or_a_cancelled_statement_nothing_stays_lent(pool: asyncpg.Pool) -> None:
    connections = Connections(pool)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await connections.fetch("SELECT 1 / 0")
    waiting = asyncio.create_task(connections.fetch("SELECT pg_sleep(60)"))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert in_use(pool) == 0
    assert [tuple(row) for row in await connections.fetch("SELECT 1")] == [(1,)]
    await connections.close()


async def test_what_is_lent_while_it_closes_goes_back_to_the_pool(pool: asyncpg.Pool) -> None:
    connections = Connections(pool)
    async with connections.lent() as connection:
        await connections.close()
        assert await connection.fetchval("SELECT 1") == 1
    assert in_use(pool) == 0


async def test_nobody_waits_for_the_pool_while_one_is_kept(pool: asyncpg.Pool) -> None:
    connections = Connections(pool)
    others = [await pool.acquire() for _ in range(pool.get_max_size() - 1)]
    waiting = [asyncio.create_task(connections.fetch("SELECT pg_sleep(0.01)")) for _ in range(3)]
    done, _ = await asyncio.wait(waiting, timeout=5)
    for other in others:
        await pool.release(other)
    assert len(done) == len(waiting)
    await connections.close()
    assert in_use(pool) == 0


async def test_one_that_is_lost_while_it_closes_does_not_hold_back_the_others(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = Connections(pool)
    await asyncio.gather(*(connections.fetch("SELECT pg_sleep(0.01)") for _ in range(2)))
    assert in_use(pool) == 2
    given_back = []

    async def release(_: asyncpg.Pool, connection: asyncpg.pool.PoolConnectionProxy) -> None:
        given_back.append(connection)
        if len(given_back) == 1:
            connection.terminate()
            raise asyncpg.ConnectionDoesNotExistError

    with monkeypatch.context() as losing:
        losing.setattr(asyncpg.Pool, "release", release)
        await connections.close()
    assert len(given_back) == 2
    await pool.release(given_back[1])
    assert in_use(pool) == 0


async def test_of_a_small_pool_none_is_kept(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=0, max_size=LARGE - 1) as small:
        connections = Connections(small)
        await connections.fetch("SELECT 1")
        assert in_use(small) == 0
        others = [await small.acquire(timeout=5) for _ in range(LARGE - 1)]
        for other in others:
            await small.release(other)
