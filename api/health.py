"""Is the process alive (``/healthz``), and can it do its work (``/readyz``): the state of its background tasks."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg
import msgspec
from fastapi import APIRouter
from starlette.responses import Response

# A probe must answer before the prober gives up; Kubernetes waits 1 s unless told otherwise.
CHECK_TIMEOUT_SECONDS: Final = 0.9

RUNNING: Final = "running"
FAILING: Final = "failing"
STOPPED: Final = "stopped"


class Health:
    """The parts of this process by name, each running, failing (tried again) or stopped (an operator must act).

    Tasks report their state; a part whose failures are known elsewhere is asked when somebody wants to know.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, str] = {}
        self._checks: dict[str, Callable[[], Awaitable[str]]] = {}

    def report(self, task: str, state: str) -> None:
        self._tasks[task] = state

    def ask(self, name: str, check: Callable[[], Awaitable[str]]) -> None:
        """From now on ``check`` is called for the state of ``name``."""
        self._checks[name] = check

    async def states(self) -> dict[str, str]:
        """Every part's state now. A check that cannot answer in time, or at all, is failing."""
        asked = {name: await _in_time(check) for name, check in self._checks.items()}
        return {
            **self._tasks,
            **{name: _worse(self._tasks.get(name, RUNNING), state) for name, state in asked.items()},
        }


def build_router(health: Health) -> APIRouter:
    """``GET /healthz`` and ``GET /readyz``. States only: why a part fails is in the operator's log."""
    router = APIRouter(tags=["operation"])

    @router.get("/healthz", summary="El proceso vive · The process is alive")
    async def healthz() -> Response:
        return _json({"status": "ok"}, 200)

    @router.get(
        "/readyz",
        summary="El servicio puede trabajar · The service can work",
        responses={503: {"description": "Una parte falla · A part is failing"}},
    )
    async def readyz() -> Response:
        states = await health.states()
        ready = all(state == RUNNING for state in states.values())
        return _json({"status": "ready" if ready else "not ready", "parts": states}, 200 if ready else 503)

    return router


def database_check(pool: asyncpg.Pool) -> Callable[[], Awaitable[str]]:
    """Whether the database answers a query."""

    async def check() -> str:
        await pool.fetchval("SELECT 1")
        return RUNNING

    return check


async def _in_time(check: Callable[[], Awaitable[str]]) -> str:
    try:
        return await asyncio.wait_for(check(), CHECK_TIMEOUT_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return FAILING


def _worse(one: str, other: str) -> str:
    return max(one, other, key=(RUNNING, FAILING, STOPPED).index)


def _json(body: object, status: int) -> Response:
    return Response(msgspec.json.encode(body), status, {"Cache-Control": "no-store"}, "application/json")
