"""An incident, and a repository that takes snapshots early."""

from uuid import UUID

import asyncpg
import pytest

from registry.application.execution.application import Application
from registry.application.execution.repository import Repository
from registry.application.execution.unit import Actor
from registry.store.snapshots import Snapshots
from tests.integration.repository.growing import opened

INTERVAL = 5
"""Events between snapshots in these tests."""


@pytest.fixture
async def incident(app: Application, university: Actor, verifier: Actor) -> UUID:
    """An incident with one event."""
    return await opened(app, university, verifier)


@pytest.fixture
def repository(app: Application, pool: asyncpg.Pool) -> Repository:
    """One that takes snapshots early."""
    return Repository(app.store, Snapshots(pool), interval=INTERVAL)
