"""The application over a real database, and the institutions that tests act for."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from api.app import create_app
from api.auth.keys import Keys
from api.auth.scopes import Scope
from api.auth.token import Tokens
from api.health import Health, database_check
from api.running import projections_check
from api.services import Services
from projections.runner import Runner
from registry.application.drafts import InstitutionDraft
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, Actor, WriteOptions
from registry.application.places import institutions
from registry.domain.codes import InstitutionKind
from registry.log.keys import LogKeys, load_or_create
from registry.privacy.master import MasterKey
from registry.settings import Settings
from tests.integration.rest import EVIDENCE_LIMIT, LIMIT, Institution


class Clock:
    """A clock that tests move by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))


@pytest.fixture
def log_keys(tmp_path: Path) -> LogKeys:
    return load_or_create(tmp_path / "log", "log.example/test")


@pytest.fixture
def master() -> MasterKey:
    return MasterKey(bytes(range(32)))


@pytest.fixture
async def app(
    pool: asyncpg.Pool, master: MasterKey, log_keys: LogKeys, clock: Clock
) -> AsyncIterator[Application]:
    async with Application(pool, master, log_keys, clock=clock) as application:
        yield application


@pytest.fixture
async def second(
    pool: asyncpg.Pool, master: MasterKey, log_keys: LogKeys, clock: Clock
) -> AsyncIterator[Application]:
    """Another process on the same database."""
    async with Application(pool, master, log_keys, clock=clock) as another:
        yield another


async def new_institution(app: Application, name: str, kind: InstitutionKind, scopes: set[str]) -> Actor:
    """Registers an institution and acts for it."""
    draft = InstitutionDraft(name=name, kind=kind, state="09")
    accepted = await app.execute(OPERATOR, institutions.register(draft), WriteOptions())
    return Actor(accepted.id, uuid4(), frozenset(scopes))


@pytest.fixture
async def university(app: Application) -> Actor:
    return await new_institution(
        app, "Universidad del Lago", InstitutionKind.UNIVERSITY, {"reports:write", "assignments:write"}
    )


@pytest.fixture
async def verifier(app: Application) -> Actor:
    return await new_institution(app, "Observatorio A", InstitutionKind.ASSOCIATION, {"incidents:verify"})


@pytest.fixture
async def second_verifier(app: Application) -> Actor:
    return await new_institution(app, "Observatorio B", InstitutionKind.ASSOCIATION, {"incidents:verify"})


def institution_of(actor: Actor) -> UUID:
    """The institution of an actor that has one."""
    assert actor.institution is not None
    return actor.institution


@pytest.fixture
def keys(pool: asyncpg.Pool, master: MasterKey) -> Keys:
    return Keys(pool, Tokens(master, "test"))


@pytest.fixture
def services(pool: asyncpg.Pool, app: Application, log_keys: LogKeys, keys: Keys, tmp_path: Path) -> Services:
    health = Health()
    health.ask("database", database_check(pool))
    health.ask("projections", projections_check(pool, Runner(pool, [])))
    return Services(
        settings=Settings(data=tmp_path, body_limit=LIMIT, evidence_limit=EVIDENCE_LIMIT),
        pool=pool,
        application=app,
        log_keys=log_keys,
        api_keys=keys,
        health=health,
    )


@pytest.fixture
async def http(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture
def join(http: httpx.AsyncClient, app: Application, keys: Keys) -> Callable[..., Any]:
    """Registers an institution whose key has some scopes."""

    async def join(*scopes: Scope) -> Institution:
        draft = InstitutionDraft(name="Universidad de Ejemplo", kind=InstitutionKind.UNIVERSITY, state="16")
        accepted = await app.execute(OPERATOR, institutions.register(draft), WriteOptions())
        issued = await keys.issue(accepted.id, scopes, None)
        return Institution(http, issued.key)

    return join
