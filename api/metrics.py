"""``GET /metrics`` in Prometheus' text format: how the process fares, never who did what.

How many reports came in, and when, is itself worth protecting, so the figures are shown to the machine itself and
to keys with the scope ``admin`` only; labels are routes, states and names of read models, never ids.
"""

import asyncio
import ipaddress
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

import asyncpg
from fastapi import APIRouter
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.requests import Request
from starlette.responses import Response

from api.auth.guard import authenticate
from api.auth.scopes import Scope
from api.health import CHECK_TIMEOUT_SECONDS, RUNNING, Health
from projections.runner import Status
from registry.log.storage import PublishedCheckpoint

T = TypeVar("T")

# From an answer out of memory (1 ms) to where a client gives up (10 s).
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The figures of one process, in a registry of their own so that two apps in one process do not collide."""

    def __init__(
        self,
        health: Health,
        projections: Callable[[], Awaitable[Sequence[Status]]],
        checkpoint: Callable[[], Awaitable[PublishedCheckpoint | None]],
    ) -> None:
        self._registry = CollectorRegistry()
        self._health = health
        self._projections = projections
        self._checkpoint = checkpoint
        self._asked: list[tuple[Gauge, Callable[[], Awaitable[Mapping[str, int]]]]] = []
        self._requests = Counter(
            "constancia_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._duration = Histogram(
            "constancia_http_request_seconds",
            "Time to answer.",
            ("route",),
            registry=self._registry,
            buckets=_SECONDS,
        )
        self._parts = Gauge(
            "constancia_part_running",
            "1 while a part of the process is well.",
            ("part",),
            registry=self._registry,
        )
        self._position, self._lag, self._stopped = (
            Gauge(f"constancia_projection_{name}", text, ("projection",), registry=self._registry)
            for name, text in (
                ("position", "Events of the log that a read model covers."),
                ("lag_events", "Events of the log that a read model does not cover yet."),
                ("stopped", "1 while a read model stands at an event that it cannot read."),
            )
        )
        self._leaves, self._published = (
            Gauge(f"constancia_checkpoint_{name}", text, registry=self._registry)
            for name, text in (
                ("leaves", "Leaves that the last published checkpoint covers; NaN before the first."),
                (
                    "timestamp_seconds",
                    "POSIX time of the last publication, which takes the quorum's cosignatures; NaN before.",
                ),
            )
        )

    def ask(
        self, name: str, text: str, label: str, values: Callable[[], Awaitable[Mapping[str, int]]]
    ) -> None:
        """From now on the gauge ``constancia_<name>`` is shown, too: ``values`` tells it by label, when it is asked."""
        self._asked.append((Gauge(f"constancia_{name}", text, (label,), registry=self._registry), values))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request answered. ``route`` is a path template, so that the number of labels stays bounded."""
        self._requests.labels(method, route, status).inc()
        self._duration.labels(route).observe(seconds)

    async def render(self) -> bytes:
        """The figures as they are now."""
        for part, state in (await self._health.states()).items():
            self._parts.labels(part).set(state == RUNNING)
        await self._ask_projections()
        await self._ask_log()
        for gauge, values in self._asked:
            gauge.clear()
            for label, value in (await _in_time(values) or {}).items():
                gauge.labels(label).set(value)
        return generate_latest(self._registry)

    async def _ask_projections(self) -> None:
        """A copy being rebuilt comes and goes; while the database is away there is nothing to say about any."""
        for gauge in (self._position, self._lag, self._stopped):
            gauge.clear()
        for status in await _in_time(self._projections) or ():
            self._position.labels(status.name).set(status.position)
            self._lag.labels(status.name).set(status.size - status.position)
            self._stopped.labels(status.name).set(status.failed is not None)

    async def _ask_log(self) -> None:
        """Nothing is published without the quorum, so a checkpoint that grows old tells that it is missed too."""
        latest = await _in_time(self._checkpoint)
        self._leaves.set(math.nan if latest is None else latest.size)
        self._published.set(math.nan if latest is None else latest.refreshed_at.timestamp())


async def _in_time(ask: Callable[[], Awaitable[T]]) -> T | None:
    """The answer; None while the database is away."""
    try:
        return await asyncio.wait_for(ask(), CHECK_TIMEOUT_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return None


def build_router(metrics: Metrics) -> APIRouter:
    """``GET /metrics``."""
    router = APIRouter(tags=["operation"])

    @router.get("/metrics", summary="Métricas para Prometheus · Metrics for Prometheus")
    async def render(request: Request) -> Response:
        if not _is_local(request):
            await authenticate(request, frozenset({Scope.ADMIN}))
        return Response(await metrics.render(), 200, {"Cache-Control": "no-store"}, CONTENT_TYPE_LATEST)

    return router


def _is_local(request: Request) -> bool:
    """Whether the machine itself asks. A proxy on it that hides for whom it asks would pass: docs/api.md warns."""
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
