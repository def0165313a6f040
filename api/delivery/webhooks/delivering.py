"""Brings events to endpoints: to each in the order of the log, the next when the one before was accepted.

Every endpoint that the process holds has a task of its own, which waits where the log ends and holds neither connection
nor events while it does. What is not accepted is tried again, and nothing goes past it; so whoever drops repeated
``webhook-id``s has the log's own sequence. Endpoints that fail, or take long, share few places among themselves, so
that the others find theirs.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from api.delivery.webhooks import schedule
from api.delivery.webhooks.client import Post
from api.delivery.webhooks.endpoints import Message, Reason
from api.delivery.webhooks.leases import SURE, Held, Leased, Leases
from api.delivery.webhooks.outcomes import Outcome
from api.delivery.webhooks.sending import send
from api.delivery.webhooks.signing import webhook_id
from api.redaction import describe
from api.streams.audience import Audience
from api.streams.following import Following, StreamedEvent, StreamPage
from api.streams.streams import StreamsFull
from api.streams.wanted import Wanted
from registry.privacy.master import MasterKey
from registry.store.transient import TRANSIENT

log = logging.getLogger("constancia.webhooks")

LOOK_SECONDS: Final = 1.0
"""Between two looks at what there is to deliver to: how late a new endpoint, a replay or an ended key is noticed."""

LEASE_SECONDS: Final = 10.0
"""How long an endpoint waits after the process that held it was killed. Longer than a database takes to answer."""

AT_ONCE: Final = 128
TROUBLED_AT_ONCE: Final = 32
"""Requests on their way to endpoints that fail or are slow; the others have ``AT_ONCE`` for themselves."""

SLOW_SECONDS: Final = 2.0

PAGE_EVENTS: Final = 50
"""Read ahead for one endpoint; for one that fails, only what it is to be tried with."""

FRESH_SECONDS: Final = 60.0
"""What was read ahead is read anew behind them: it may have been erased."""

SAVE_SECONDS: Final = 10.0
"""Between two notes that there was nothing for an endpoint: behind them, it would only be looked for again."""

FORGET_SECONDS: Final = 60.0
"""How much later than they expire secrets and answers are deleted, at most."""

TROUBLE_SECONDS: Final = 5.0
FINISH_SECONDS: Final = 3.0
"""What is on its way may take so long at shutdown; behind that, it is sent again after the next start."""


_RANDOM: Final = random.SystemRandom()


class _Work:
    """A task for one endpoint. ``busy`` while a request is on its way, which nobody should break off."""

    def __init__(self, held: Held) -> None:
        self.id = held.id
        self.revision = held.revision
        self.busy = False
        self.slow = False
        self.task: asyncio.Task[None] | None = None


class Deliverer:
    """One per process; any number of processes. ``post`` belongs to the caller.

    :param clock: of the schedule. Leases go by the database's.
    :param sleep: waits between two tries.
    :param jitter: a random number from 0 to 1.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        master: MasterKey,
        following: Following,
        post: Post,
        clock: Callable[[], datetime],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = _RANDOM.random,
        look_seconds: float = LOOK_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._leases = Leases(pool, master, uuid4(), lease_seconds, clock)
        self._following = following
        self._post = post
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._look_seconds = look_seconds
        self._lease_seconds = lease_seconds
        # By the loop's clock: behind it, another process may hold what this one held.
        self._held_until = 0.0
        self._forget_at = 0.0
        self._works: dict[UUID, _Work] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._troubled_slots = asyncio.Semaphore(TROUBLED_AT_ONCE)

    async def run(self, stopping: asyncio.Event) -> None:
        """Until told to stop. What is on its way then is given a moment."""
        try:
            while not stopping.is_set():
                try:
                    await self._look()
                except TRANSIENT as error:
                    log.warning("webhooks wait for the database (%s)", type(error).__name__)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), self._look_seconds)
        finally:
            await self._finish()

    async def _look(self) -> None:
        """Brings the tasks in line with what this process holds."""
        renewed = asyncio.get_running_loop().time()
        held = await self._leases.take()
        self._held_until = renewed + self._lease_seconds * SURE
        for lost in self._works.keys() - {one.id for one in held if one.allowed}:
            await self._end(self._works.pop(lost))
        for one in held:
            if not one.allowed:
                if await self._leases.end_key(one):
                    _tell_disabled(one.id, Reason.KEY_ENDED)
                continue
            work = self._works.get(one.id)
            if work is not None and work.revision != one.revision and not work.busy:
                await self._end(work)
            if work is None or work.task is None or work.task.done():
                self._works[one.id] = work = _Work(one)
                work.task = asyncio.create_task(self._keep(work), name=f"webhook {one.id}")
        if renewed >= self._forget_at:
            self._forget_at = renewed + FORGET_SECONDS
            await self._leases.forget()

    async def _finish(self) -> None:
        # Nothing new is begun: what waits behind the message that is on its way would otherwise follow it.
        self._held_until = 0.0
        busy = [work.task for work in self._works.values() if work.busy and work.task is not None]
        if busy:
            await asyncio.wait(busy, timeout=FINISH_SECONDS)
        for work in self._works.values():
            await self._end(work)
        self._works.clear()
        with suppress(*TRANSIENT):
            await self._leases.release()

    async def _end(self, work: _Work) -> None:
        if work.task is not None:
            work.task.cancel()
            await asyncio.wait({work.task})

    async def _keep(self, work: _Work) -> None:
        """One endpoint's task, until the endpoint is not this process's any more, or something unforeseen happens."""
        try:
            while await self._serve(work):
                pass
        except TRANSIENT:  # said once for all, where leases are renewed
            await asyncio.sleep(TROUBLE_SECONDS)
        except Exception as error:  # noqa: BLE001 - one endpoint's trouble must not be every endpoint's
            log.error("webhook %s: %s", work.id, describe(error))  # noqa: TRY400 - the words may be private
            await asyncio.sleep(TROUBLE_SECONDS)

    async def _serve(self, work: _Work) -> bool:
        """Delivers until there is a reason to read the endpoint anew. False: there is nothing to deliver to."""
        leased = await self._leases.load(work.id)
        if leased is None or self._expired():
            return False
        endpoint = leased.endpoint
        work.revision = endpoint.revision
        if endpoint.next_try is not None:
            await self._wait_until(endpoint.next_try)
        limit = 1 if endpoint.failures else PAGE_EVENTS
        wanted = Wanted(types=frozenset(endpoint.types) or None)
        position, saved = endpoint.position, asyncio.get_running_loop().time()
        async with aclosing(self._pages(leased.audience, position, wanted, limit)) as pages:
            async for page in pages:
                if page.events:
                    reached = await self._deliver(work, leased, position, page)
                    if reached is None:
                        return True
                    position = reached
                elif asyncio.get_running_loop().time() - saved >= SAVE_SECONDS:
                    if not await self._leases.passed(endpoint.id, position, page.next):
                        return True
                    position, saved = page.next, asyncio.get_running_loop().time()
        return False

    async def _pages(
        self, audience: Audience, after: int, wanted: Wanted, limit: int
    ) -> AsyncGenerator[StreamPage, None]:
        """What there is, and what comes; by looking now and then, where clients have taken all of the streams."""
        while True:
            try:
                async with aclosing(self._following.pages(audience, after, wanted, limit)) as pages:
                    async for page in pages:
                        yield page
                return
            except StreamsFull:
                page = await self._following.page(audience, after, limit, wanted)
            yield page
            after = page.next
            await asyncio.sleep(self._look_seconds)

    async def _wait_until(self, then: datetime) -> None:
        """No longer than any pause: a clock that was wrong when ``then`` was noted must not silence an endpoint."""
        wait = min(then - self._clock(), schedule.LONGEST_RETRY_AFTER).total_seconds()
        if wait > 0:
            await self._sleep(wait)

    async def _deliver(self, work: _Work, leased: Leased, position: int, page: StreamPage) -> int | None:
        """Where the endpoint stands after a page; None where there is a reason to read it anew."""
        if not await self._leases.still(leased):
            return None
        fresh_until = asyncio.get_running_loop().time() + FRESH_SECONDS
        for event in page.events:
            if asyncio.get_running_loop().time() > fresh_until:
                return None
            if not await self._bring(work, leased, position, event):
                return None
            position = event.position + 1
        # It has recovered: from here on, more is read ahead.
        return None if leased.endpoint.failures else position

    async def _bring(self, work: _Work, leased: Leased, position: int, event: StreamedEvent) -> bool:
        """One attempt with one event; whether to go on with the next."""
        endpoint = leased.endpoint
        message = Message(webhook_id(endpoint.id, event.id), event.body, event.position)
        async with self._troubled_slots if endpoint.failures or work.slow else self._slots:
            if self._expired():
                return False
            work.busy = True
            try:
                at = self._clock()
                outcome = await send(self._post, endpoint.url, leased.secrets, message, at)
                work.slow = outcome.duration.total_seconds() > SLOW_SECONDS
                if outcome.accepted:
                    return await self._leases.accepted(leased, position, at, message, outcome)
                await self._note_failure(leased, position, at, message, outcome)
            finally:
                work.busy = False
        return False

    def _expired(self) -> bool:
        """Whether another process may hold by now what this one held."""
        return asyncio.get_running_loop().time() >= self._held_until

    async def _note_failure(
        self, leased: Leased, position: int, at: datetime, message: Message, outcome: Outcome
    ) -> None:
        endpoint, now = leased.endpoint, self._clock()
        since = endpoint.failing_since or now
        failures = endpoint.failures + 1
        disabled, again = Reason.GONE if outcome.gone else None, None
        if disabled is None:
            again = schedule.next_try(now, since, failures, self._jitter(), outcome.wished)
            disabled = Reason.FAILING if again is None else None
        noted = await self._leases.failed(
            leased, position, at, message, outcome, failing_since=since, next_try=again, disabled=disabled
        )
        if noted and disabled is not None:
            _tell_disabled(endpoint.id, disabled)
        elif noted and failures == 1:
            log.info("webhook %s does not accept: %s", endpoint.id, outcome.failure or outcome.status)


def _tell_disabled(endpoint: UUID, reason: Reason) -> None:
    log.warning("webhook %s is disabled: %s. Its institution sees why at GET /v1/webhooks.", endpoint, reason)
