"""The schema is brought up to date by any number of processes at once, all or nothing."""

import asyncpg


async def test_every_test_gets_a_database_with_the_current_schema(pool: asyncpg.Pool) -> None:
    assert await pool.fetchval("SELECT size FROM head") == 0
