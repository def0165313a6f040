"""The schema is brought up to date by any number of processes at once, all or nothing."""

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest

from registry import database
from registry.database import connect_pool, migrate
from registry.errors import StartRefused

MIGRATE = "import asyncio, sys; from registry.database import migrate; asyncio.run(migrate(sys.argv[1]))"


async def tables(address: str) -> set[str]:
    connection = await asyncpg.connect(address)
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {row["tablename"] for row in rows}
    finally:
        await connection.close()


async def test_every_test_gets_a_database_with_the_current_schema(pool: asyncpg.Pool) -> None:
    assert await pool.fetchval("SELECT size FROM head") == 0


async def test_migrating_again_changes_nothing(pool: asyncpg.Pool, database_url: str) -> None:
    await pool.execute("UPDATE head SET size = 3")
    await migrate(database_url)
    assert await pool.fetchval("SELECT size FROM head") == 3


@pytest.mark.slow
async def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    starts = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", MIGRATE, empty_database_url)
        for _ in range(6)
    ]
    assert [await start.wait() for start in starts] == [0] * 6
    connection = await asyncpg.connect(empty_database_url)
    assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
    assert await connection.fetchval("SELECT count(*) FROM head") == 1
    await connection.close()


async def test_a_migration_that_fails_leaves_nothing_of_itself_or_of_those_before_it(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = tmp_path / "versions"
    versions.mkdir()
    (tmp_path / "env.py").write_text((database.migrations() / "env.py").read_text())
    stub = "from registry.database import run_script\nrevision = {!r}\ndown_revision = {!r}\n"
    for number, before, script in (
        ("1", None, "CREATE TABLE one (); CREATE TABLE two ();"),
        ("2", "1", "CREATE TABLE three (); SELECT 1 / 0;"),
    ):
        upgrade = "def upgrade():\n    run_script(__file__)\n"
        (versions / f"{number}.py").write_text(stub.format(number, before) + upgrade)
        (versions / f"{number}.sql").write_text(script)
    monkeypatch.setattr(database, "migrations", lambda: tmp_path)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty_database_url)
    assert await tables(empty_database_url) == set()
    (versions / "2.sql").write_text("CREATE TABLE three ();")
    await migrate(empty_database_url)
    assert await tables(empty_database_url) == {"alembic_version", "one", "two", "three"}


def test_each_migration_has_a_script_of_its_name_and_follows_the_one_before() -> None:
    versions = sorted((database.migrations() / "versions").glob("*.py"))
    assert versions
    before: str | None = None
    for version in versions:
        stated: dict[str, object] = {}
        exec(compile(version.read_text(), version, "exec"), stated)
        assert stated["revision"] == version.stem
        assert stated["down_revision"] == before
        assert version.with_suffix(".sql").is_file()
        before = version.stem


@pytest.mark.parametrize("step", [migrate, connect_pool])
async def test_a_database_that_is_not_there_is_refused_without_its_address(step: object) -> None:
    assert callable(step)
    with pytest.raises(StartRefused, match="CONSTANCIA_DATABASE_URL") as refused:
        await step("postgresql://someone:secret@127.0.0.1:1/nowhere")
    assert "secret" not in str(refused.value)


async def test_a_wrong_database_name_is_refused_with_the_servers_reason(server: str) -> None:
    with pytest.raises(StartRefused, match="InvalidCatalogName"):
        await connect_pool(server.replace("/constancia?", "/absent?"))
