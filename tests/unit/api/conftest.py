"""The app with nothing behind it."""

from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
from fastapi import FastAPI

from api.app import create_app
from api.health import Health
from api.services import Services
from registry.application.execution.application import utc_now
from registry.application.execution.unit import Actor
from registry.privacy.master import KEY_BYTES, MasterKey
from registry.settings import Settings


class SomeKeys:
    """Knows one key of every scope there is: its text is the scopes."""

    async def authenticate(self, token: str) -> Actor:
        return Actor(uuid4(), uuid4(), frozenset(token.split(",")))


class NoDatabase:
    """Breaks with words that nobody may see."""

    async def fetchrow(self, *_: object) -> None:
        raise RuntimeError("Key (curp)=(AAAA000000HDFXXX00)")

    fetch = fetchval = fetchrow


class DatabaseAway:
    """Does not answer."""

    async def fetch(self, *_: object) -> None:
        raise ConnectionRefusedError

    fetchrow = fetch


@pytest.fixture
def app() -> FastAPI:
    signer: Any = SimpleNamespace(signers=lambda _: (), origin="localhost:1/log", vkeys=dict, retired={})
    services: Any = SimpleNamespace(
        invented=False,
        outlines=None,
        settings=Settings(),
        pool=DatabaseAway(),
        reading=NoDatabase(),
        counting=NoDatabase(),
        application=SimpleNamespace(
            store=NoDatabase(),
            master=MasterKey(bytes(KEY_BYTES)),
            vault=NoDatabase(),
            reads=NoDatabase(),
            clock=utc_now,
        ),
        log_keys=signer,
        api_keys=SomeKeys(),
        health=Health(),
    )
    return create_app(cast(Services, services))
