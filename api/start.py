"""Everything one process of the register needs, opened in an order that refuses before it harms, and closed again."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg

from api.auth.keys import Keys
from api.auth.token import Tokens
from api.demo import is_invented
from api.health import Health, database_check
from api.services import Services
from api.web.charts.geography import Outlines
from api.web.charts.geography import outlines as draw_outlines
from projections.counting.definition import DEFINITION_ID, definition_sha256
from registry.application import register
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, WriteOptions
from registry.catalogs.boundaries import read_states
from registry.catalogs.errors import CatalogRefused
from registry.database import connect_pool, migrate
from registry.disclosure import policy
from registry.domain.register import REGISTER_ID, Register
from registry.embedded import EmbeddedServer
from registry.errors import StartRefused
from registry.log import storage
from registry.log.durable import write_durably
from registry.log.keys import ORIGIN_FILE, Purpose, load_or_create
from registry.log.own_policy import load_policy
from registry.privacy.master import MasterKey, load_or_create_master_key
from registry.settings import Settings, load_settings

ADMIN_KEY_FILE: Final = "admin.key"
LOCK_FILE: Final = "constancia.lock"

# What a key's text says about where it works, so that nobody mistakes one for the other.
LIVE: Final = "live"
DEMO: Final = "demo"


def read_settings(**given: Any) -> Settings:
    """The settings; the origin, unless somebody names one, is that of the log that the data directory holds.

    :raises StartRefused: see ``load_settings``.
    """
    settings = load_settings(**given)
    fixed = settings.data / ORIGIN_FILE
    if "origin" in settings.model_fields_set or not fixed.exists():
        return settings
    return load_settings(**given, origin=fixed.read_text(encoding="utf-8").strip())


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Hold the data directory against another ``constancia up``. The kernel lets go at any death.

    :raises StartRefused: another process holds it.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(data / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartRefused(
                f"Otro «constancia up» ya usa {data}. Deténgalo, o indique otro directorio con --data.",
                f"Another “constancia up” is using {data} already. Stop it, or give another directory with --data.",
            ) from None
        yield
    finally:
        os.close(lock)


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    """The database that the settings name, else the embedded one, at this program's schema.

    :raises StartRefused: it cannot be reached or started.
    """
    async with _address(settings) as address:
        await migrate(address)
        async with _connected(settings, address) as pool:
            yield pool


@asynccontextmanager
async def open_services(settings: Settings, environment: str = LIVE) -> AsyncIterator[Services]:
    """One running register. :raises StartRefused: something is missing, damaged or another register's."""
    outlines = await asyncio.to_thread(_outlines, settings.state_boundaries)
    async with AsyncExitStack() as opened:
        address = await opened.enter_async_context(_address(settings))
        await migrate(address)
        pool = await opened.enter_async_context(_connected(settings, address))
        replica = await opened.enter_async_context(_replica(settings))
        read_from = settings.read_database_url or address
        figures = await opened.enter_async_context(_connected(settings, read_from, plan_once=True))
        health = Health()
        health.ask("database", database_check(pool))
        if replica is not None:
            health.ask("replica", database_check(replica))
        master = _master_key(settings.master_key_file, in_use=bool(await storage.count_events(pool)))
        log_keys = load_or_create(settings.data, settings.origin)
        own_policy = load_policy(settings.policy_file, settings.origin, log_keys.verifiers(Purpose.LOG))
        async with Application(pool, master, log_keys) as application:
            yield Services(
                settings=settings,
                pool=pool,
                application=application,
                log_keys=log_keys,
                api_keys=Keys(pool, Tokens(master, environment)),
                health=health,
                replica=replica,
                figures=figures,
                policy=own_policy,
                invented=await is_invented(application, asked=environment == DEMO),
                outlines=outlines,
            )


async def adopt(application: Application) -> None:
    """The definition that this program counts by, and, in a new register, the policy that it ships with."""
    definition = register.adopt_definition(DEFINITION_ID, definition_sha256())
    await application.execute(OPERATOR, definition, WriteOptions())
    adopted = await application.load(Register, REGISTER_ID)
    if adopted is None or adopted.policy_sha256 is None:
        document = policy.shipped()
        await application.execute(
            OPERATOR, register.adopt_policy(str(document["id"]), document), WriteOptions()
        )


async def write_admin_key(services: Services) -> Path | None:
    """At the very first start, the operator's key, in a file that only its owner reads; its path, else None."""
    path = services.settings.data / ADMIN_KEY_FILE
    issued = await services.api_keys.issue_first(lambda key: write_durably(path, f"{key}\n".encode()))
    return path if issued else None


@asynccontextmanager
async def _address(settings: Settings) -> AsyncIterator[str]:
    """Of the database that the settings name, else of the embedded one, which runs meanwhile."""
    if settings.database_url is not None:
        yield settings.database_url
    else:
        async with EmbeddedServer(settings.data) as address:
            yield address


@asynccontextmanager
async def _replica(settings: Settings) -> AsyncIterator[asyncpg.Pool | None]:
    if settings.read_database_url is None:
        yield None
    else:
        async with _connected(settings, settings.read_database_url) as pool:
            yield pool


@asynccontextmanager
async def _connected(
    settings: Settings, address: str, *, plan_once: bool = False
) -> AsyncIterator[asyncpg.Pool]:
    pool = await connect_pool(
        address, min_size=settings.pool_min, max_size=settings.pool_max, plan_once=plan_once
    )
    try:
        yield pool
    finally:
        await pool.close()


def _outlines(path: Path | None) -> Outlines | None:
    """Read and drawn once, before anything is opened."""
    if path is None:
        return None
    try:
        return draw_outlines(read_states(path.read_bytes()))
    except OSError as error:
        raise StartRefused(
            f"Los límites de los estados {path} (CONSTANCIA_STATE_BOUNDARIES) no se pueden leer: {error.strerror}. "
            "Corrija la ruta o los permisos, o quite el ajuste.",
            f"The boundaries of the states {path} (CONSTANCIA_STATE_BOUNDARIES) cannot be read: {error.strerror}. "
            "Correct the path or the permissions, or remove the setting.",
        ) from None
    except CatalogRefused as refused:
        raise StartRefused(
            f"Los límites de los estados {path} (CONSTANCIA_STATE_BOUNDARIES) no sirven. {refused.text.es}",
            f"The boundaries of the states {path} (CONSTANCIA_STATE_BOUNDARIES) cannot be used. {refused.text.en}",
        ) from None


def _master_key(path: Path, *, in_use: bool) -> MasterKey:
    """The master key; a new one only for a register in which nothing has been encrypted yet."""
    if in_use and not path.exists():
        raise StartRefused(
            f"Falta la clave maestra {path} y la base de datos ya tiene eventos. Restaure el archivo de su copia, o "
            "indique dónde está con CONSTANCIA_MASTER_KEY_FILE: otra clave no abre lo que se cifró con ella.",
            f"The master key {path} is missing and the database has events already. Restore the file from its copy, "
            "or say where it is with CONSTANCIA_MASTER_KEY_FILE: another key does not open what it encrypted.",
        )
    return load_or_create_master_key(path)
