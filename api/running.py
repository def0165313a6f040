"""The parts of a register that run: API, projections, publisher, releases; in one process or several.

One task group owns them all. The first SIGINT or SIGTERM lets what is under way finish; the second does not wait.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import asyncpg

from api.app import create_app
from api.delivery.relay.relaying import Relay
from api.delivery.webhooks.client import Client
from api.delivery.webhooks.delivering import Deliverer
from api.health import FAILING, RUNNING, STOPPED
from api.imports.worker import Worker
from api.server import Server
from api.services import Services
from api.streams.following import Following
from api.streams.streams import Streams
from api.supervision import keep_going
from projections.models import PROJECTIONS
from projections.releases import Releases
from projections.runner import Runner, statuses
from registry.log.publisher import Publisher

log = logging.getLogger("constancia")

TIDYING_SECONDS: Final = 3600.0
"""What has expired no longer counts at once; deleting it is only for room."""

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Running:
    """The parts of one process, started one by one, stopped together."""

    def __init__(self, services: Services, tasks: asyncio.TaskGroup, stopping: asyncio.Event) -> None:
        self._services = services
        self._tasks = tasks
        self._stopping = stopping

    async def serve(self, listener: socket.socket) -> None:
        """The API; returns once it accepts connections."""
        app = create_app(self._services)
        server = Server(app)
        settings = self._services.settings
        worker = Worker(self._services.pool, self._services.application, settings.import_kept)
        self._keep("imports", lambda: worker.run(self._stopping))
        self.deliver(app.state.following)
        serving = self._tasks.create_task(server.run_until(self._stopping, listener))
        self._tasks.create_task(self._end_streams(app.state.streams))
        listening = asyncio.create_task(server.listening.wait())
        await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()

    def deliver(self, following: Following) -> None:
        """Webhooks: events to the endpoints that institutions have registered."""
        services, application = self._services, self._services.application

        async def run() -> None:
            async with Client(services.settings.webhook_networks, application.clock) as client:
                await Deliverer(
                    services.pool, application.master, following, client.post, application.clock
                ).run(self._stopping)

        self._keep("webhooks", run)

    async def _end_streams(self, streams: Streams) -> None:
        """Streams have no end of their own: they are told before the server waits for what is under way."""
        await self._stopping.wait()
        await streams.close()

    def project(self) -> None:
        """The read models, following the log."""
        services = self._services
        runner = Runner(services.pool, PROJECTIONS)
        services.health.ask("projections", projections_check(services.pool, runner))
        self._keep("projections", lambda: runner.run(self._stopping))

    def publish(self, before_releases: Callable[[asyncio.Event], Awaitable[None]] | None = None) -> None:
        """Checkpoints, and releases, the first of which waits for ``before_releases``."""
        services, settings = self._services, self._services.settings
        publisher = Publisher(
            services.pool, services.log_keys, settings.origin, settings.data, services.policy
        )
        releases = Releases(services.application, services.pool)

        async def publishing() -> str:
            if publisher.refused:
                return STOPPED
            return FAILING if publisher.missed else RUNNING

        async def witnessing() -> str:
            return FAILING if publisher.missed else RUNNING

        async def release() -> None:
            if before_releases is not None:
                await before_releases(self._stopping)
            await releases.run(settings.release_every, self._stopping)

        async def tidy() -> None:
            while not self._stopping.is_set():
                await services.application.store.forget_idempotency_keys()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), TIDYING_SECONDS)

        services.health.ask("publisher", publishing)
        if services.policy.quorum is not None:
            services.health.ask("witnesses", witnessing)
        self._keep("publisher", lambda: publisher.run(settings.publish_every, self._stopping))
        self._keep("releases", release)
        self._keep("tidying", tidy)

    def relay(self) -> None:
        """What is published, to NATS."""
        services, settings = self._services, self._services.settings
        following = Following(Streams(services.pool), services.log_keys.origin)
        relay = Relay(settings.nats_url, settings.nats_stream, settings.nats_replicas, following)

        async def relaying() -> str:
            return RUNNING if relay.connected else FAILING

        # To find that no server of a cluster answers can take longer than after which a part counts as well again.
        services.health.ask("relay", relaying)
        self._keep("relay", lambda: relay.run(self._stopping))

    def _keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        self._tasks.create_task(keep_going(name, run, self._services.health, self._stopping), name=name)


def projections_check(pool: asyncpg.Pool, runner: Runner) -> Callable[[], Awaitable[str]]:
    """Whether every read model follows the log. How far each has come stays unsaid: it tells when events arrive."""

    async def check() -> str:
        if runner.stopped or any(status.failed for status in await statuses(pool)):
            return STOPPED
        return RUNNING

    return check


@contextmanager
def stopped_by_signals(stopping: asyncio.Event) -> Iterator[None]:
    """Within: the first signal sets ``stopping``, the second cancels the task that entered."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def stop() -> None:
        if stopping.is_set() and task is not None:
            log.warning("stopping at once")
            task.cancel()
        stopping.set()

    for number in SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
