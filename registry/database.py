"""Reaching PostgreSQL: a pool of connections, and the schema brought up to date.

Only asyncpg talks to the database. Alembic, which knows SQLAlchemy alone, gets an asyncpg connection through
SQLAlchemy's adapter, and each migration is one ``.sql`` script that runs over PostgreSQL's simple query protocol:
the prepared statements that the adapter uses otherwise refuse a script of several statements.
"""

from pathlib import Path
from typing import Any, cast

import asyncpg
from alembic import command, op
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from registry.errors import StartRefused

# Held while migrating, so that processes that start together wait for one another instead of failing on a table that
# another is just creating. Without it (behind some poolers) they fail cleanly: all migrations are one transaction.
_MIGRATION_LOCK = int.from_bytes(b"constanc", "big")

_UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError)


class _Lent(asyncpg.Connection):
    """A pooled connection that comes back without a round trip of its own.

    asyncpg clears a connection's session whenever it returns to the pool, which doubles the round trips of every
    single statement. Nobody here leaves anything in a session: settings are local to transactions, listeners and
    advisory locks are given back by who took them. An open transaction is still rolled back.
    """

    def get_reset_query(self) -> str:
        return ""


async def connect_pool(
    dsn: str, *, min_size: int = 1, max_size: int = 10, plan_once: bool = False
) -> asyncpg.Pool:
    """A pool of asyncpg connections, at least one of which answers.

    :param plan_once: plan each statement once per connection, whatever its arguments: for long statements over few
        rows, which take longer to plan than to run.
    :raises StartRefused: nothing answers at the address, or not with these credentials.
    """
    try:
        return await asyncpg.create_pool(
            dsn,
            min_size=min_size,
            max_size=max_size,
            connection_class=_Lent,
            server_settings={"plan_cache_mode": "force_generic_plan"} if plan_once else None,
        )
    except _UNREACHABLE as error:
        raise _refusal(error) from error


async def migrate(dsn: str) -> None:
    """Bring the schema to the version of this program, all or nothing. Any number of processes may do so at once.

    :raises StartRefused: nothing answers at the address, or not with these credentials.
    """

    async def connect(*_: Any, **__: Any) -> asyncpg.Connection:
        try:
            return await asyncpg.connect(dsn)
        except _UNREACHABLE as error:
            raise _refusal(error) from error

    # The address goes to asyncpg as it is: SQLAlchemy would read sockets and TLS options differently.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        await connection.run_sync(_upgrade)


def run_script(migration: str) -> None:
    """Run the ``.sql`` file of the same name, inside the transaction of the migration that calls this.

    :param migration: the calling migration's ``__file__``.
    """
    script = Path(migration).with_suffix(".sql").read_text(encoding="utf-8")
    adapter = cast(Any, op.get_bind().connection.dbapi_connection)
    adapter.run_async(lambda connection: connection.execute(script))


def migrations() -> Path:
    """Where the migrations are: in the wheel beside this module, in the source tree at its top."""
    packed = Path(__file__).parent / "_migrations"
    return packed if packed.is_dir() else Path(__file__).parent.parent / "alembic"


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _refusal(error: Exception) -> StartRefused:
    # Only the server's own words are repeated: others' may quote the address with its password.
    kind = type(error).__name__
    reason = f"{kind}: {error}" if isinstance(error, asyncpg.PostgresError) else kind
    return StartRefused(
        f"No se puede usar la base de datos ({reason}). Revise CONSTANCIA_DATABASE_URL y que PostgreSQL esté en marcha "
        "y acepte a este usuario.",
        f"The database cannot be used ({reason}). Check CONSTANCIA_DATABASE_URL and that PostgreSQL is running and "
        "accepts this user.",
    )
