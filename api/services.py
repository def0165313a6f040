"""What the faces need of one running register, put together once at the start."""

from dataclasses import dataclass, field

import asyncpg
from starlette.requests import HTTPConnection

from api.auth.keys import Keys
from api.health import Health
from api.web.charts.geography import Outlines
from registry.application.execution.application import Application
from registry.log.keys import LogKeys
from registry.log.policy import Policy
from registry.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Owned by whoever started the process, who closes them after the last request."""

    settings: Settings
    pool: asyncpg.Pool
    application: Application
    log_keys: LogKeys
    api_keys: Keys
    health: Health
    replica: asyncpg.Pool | None = None
    figures: asyncpg.Pool | None = None
    policy: Policy = field(default_factory=Policy)
    invented: bool = False
    """Whether people and events are a demonstration's, which pages must say."""
    outlines: Outlines | None = None
    """Of the states, where the operator has given their boundaries: the public site shows a map then."""

    @property
    def counting(self) -> asyncpg.Pool:
        """Where public figures are read: by connections of their own, so that questions never hold up intake."""
        return self.figures or self.reading

    @property
    def reading(self) -> asyncpg.Pool:
        """Where public reads go: a replica, where there is one. It may be a moment behind."""
        return self.replica or self.pool


def services_of(connection: HTTPConnection) -> Services:
    """The services of the app that answers this request."""
    services: Services = connection.app.state.services
    return services
