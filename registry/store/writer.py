"""Group commit: one task per process writes everything that arrived while the last commit was under way.

There is no linger: an idle writer commits a lone command at once, and under load the time of a commit is the time in
which the next batch gathers. Where there is enough for both, two batches are under way, each with half of what waits:
while the database commits one, which holds the head row, the other has been sent and this process prepares and answers.
Several processes may write at once; the head row orders them all.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence, Set
from typing import Any

import asyncpg
import msgspec

from registry.errors import StoreUnavailable
from registry.sql import load_queries
from registry.store.append_call import to_answers, to_arguments
from registry.store.connections import Connections
from registry.store.records import Answer, Command
from registry.store.transient import TRANSIENT

MAX_BATCH_EVENTS = 2_000
"""Events in one commit; more no longer raises the rate, and a batch holds the head row for as long as it is written."""

BATCHES_UNDER_WAY = 2
"""One in the database's hands and one in ours."""

PAIRED_EVENTS = 32
"""With fewer, waiting and under way, one batch takes them all: two halves would cost two commits and gain nothing.
Events, not the rows that come with them. Measured with single events: 32 submitters store a quarter more in halves, 16
as much as at once, 8 less; 64 submitters of reports, seven rows each, as much.
"""

MAX_BATCH_BYTES = 8 * 1024 * 1024
MAX_WAITING_BYTES = 64 * 1024 * 1024
"""Bound of what waits in memory; beyond it submitters are told to come back."""

RETRY_SECONDS = 30.0
"""How long a batch is tried again over a lost connection before its submitters are told that its outcome is unknown."""

RETRY_PAUSE_SECONDS = 0.25

ANSWER_SECONDS = 10.0
"""A connection that has not answered by then is given up as lost, and the batch sent again over another. If it is the
database that is slow, its commit is not disturbed: the batch that was sent again waits for it, and is told so."""

_QUERIES = load_queries("registry.store", "queries.sql")


class _Waiting(msgspec.Struct, eq=False):
    command: Command
    answer: asyncio.Future[Answer]
    claims: Set[object]
    needs: Set[object]
    """What no earlier command that is not done yet may claim: what it claims itself, and what it read, for in one batch
    the database could not see that it changes first.
    """
    size: int


class _Batch(msgspec.Struct, eq=False):
    """Commands in order of arrival, no two of which, here or in another batch under way, claim the same."""

    waiting: list[_Waiting]
    claims: set[object]
    events: int


class Writer:
    """Owns the queue of commands. ``append`` may be called from any number of tasks of one loop."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._queue: deque[_Waiting] = deque()
        self._waiting_events = self._waiting_bytes = 0
        self._under_way: dict[asyncio.Task[None], _Batch] = {}
        self._changed = asyncio.Event()
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(), name="store writer")

    def append(self, command: Command) -> asyncio.Future[Answer]:
        """Stores a command or refuses it; the future is done when that is durable.

        A caller that is cancelled does not take its command back: whoever repeats it, with the same event ids,
        Idempotency-Key or source record, gets the answer of the first. Raises StoreUnavailable if too much waits
        already, and ValueError for a command without events; the future raises StoreUnavailable if the outcome could
        not be learnt in time.
        """
        if not command.events:
            raise ValueError("a command without events stores nothing and has no answer")
        size = command.size
        if self._closing or self._task.done():
            raise StoreUnavailable(
                "El servicio se está deteniendo. Repita el envío en unos segundos con la misma Idempotency-Key.",
                "The service is stopping. Repeat the submission in a few seconds with the same Idempotency-Key.",
            )
        if self._waiting_bytes and self._waiting_bytes + size > MAX_WAITING_BYTES:
            raise StoreUnavailable(
                "Hay demasiados envíos en espera. Repita en unos segundos con la misma Idempotency-Key.",
                "Too many submissions are waiting. Repeat in a few seconds with the same Idempotency-Key.",
            )
        answer: asyncio.Future[Answer] = self._loop.create_future()
        claims = _claims(command)
        needs = claims.union([read.stream_id.int for read in command.reads]) if command.reads else claims
        self._queue.append(_Waiting(command, answer, claims, needs, size))
        self._waiting_events += len(command.events)
        self._waiting_bytes += size
        self._changed.set()
        return answer

    async def close(self) -> None:
        """Writes what waits, then ends."""
        self._closing = True
        self._changed.set()
        await self._task

    async def _run(self) -> None:
        try:
            while self._queue or self._under_way or not self._closing:
                if len(self._under_way) < BATCHES_UNDER_WAY and (batch := self._take()).waiting:
                    commit = self._loop.create_task(self._commit(batch.waiting))
                    self._under_way[commit] = batch
                    commit.add_done_callback(self._landed)
                else:
                    self._changed.clear()
                    await self._changed.wait()
        finally:
            self._abandon(self._queue)

    def _landed(self, commit: asyncio.Task[None]) -> None:
        del self._under_way[commit]
        self._changed.set()

    def _take(self) -> _Batch:
        """The next batch, in order of arrival. A command waits until earlier ones that claim the same are done."""
        batch = _Batch([], set(), 0)
        queue, others = self._queue, self._under_way.values()
        share = len(queue)
        if self._waiting_events + sum([other.events for other in others]) >= PAIRED_EVENTS:
            share = -(-(share + sum([len(other.waiting) for other in others])) // BATCHES_UNDER_WAY)
        elif others:
            return batch
        claimed: set[object] = set().union(*[other.claims for other in others])
        left: list[_Waiting] = []
        size = 0
        while queue and len(batch.waiting) < share:
            waiting = queue[0]
            events = len(waiting.command.events)
            if batch.waiting and (
                batch.events + events > MAX_BATCH_EVENTS or size + waiting.size > MAX_BATCH_BYTES
            ):
                break
            queue.popleft()
            if claimed.isdisjoint(waiting.needs):
                batch.waiting.append(waiting)
                batch.claims |= waiting.claims
                batch.events += events
                size += waiting.size
            else:
                left.append(waiting)
            claimed |= waiting.claims
        queue.extendleft(reversed(left))
        self._waiting_events -= batch.events
        self._waiting_bytes -= size
        return batch

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        try:
            answers = await self._write([waiting.command for waiting in batch])
        except asyncpg.DataError as error:
            await self._isolate(batch, error)
        except TRANSIENT:
            self._abandon(batch)
        except Exception as error:  # noqa: BLE001 - given to whoever waits for it; the writer must outlive it
            await self._isolate(batch, error)
        else:
            for waiting, answer in zip(batch, answers, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(answer)

    async def _isolate(self, batch: Sequence[_Waiting], error: Exception) -> None:
        """A poison command fails alone; its batch-mates, rolled back with it, are written again, half by half.

        One poison command in a batch of n costs about 2 log2 n commits, where one by one would cost n.
        """
        if len(batch) == 1:
            _fail(batch[0].answer, error)
            return
        middle = len(batch) // 2
        await self._commit(batch[:middle])
        await self._commit(batch[middle:])

    async def _write(self, commands: Sequence[Command]) -> list[Answer]:
        """One round trip. Over a lost connection the same batch is sent again: event ids make that harmless."""
        arguments = to_arguments(commands)
        deadline = self._loop.time() + RETRY_SECONDS
        while True:
            try:
                rows = await self._send(arguments)
            except asyncpg.DataError:
                raise
            except TRANSIENT:
                if self._closing or self._loop.time() > deadline:
                    raise
                await asyncio.sleep(RETRY_PAUSE_SECONDS)
            else:
                return to_answers(commands, rows)

    async def _send(self, arguments: Sequence[Any]) -> list[asyncpg.Record]:
        """Raises TimeoutError if no answer comes in time: a connection may be lost without anybody saying so."""
        async with asyncio.timeout(ANSWER_SECONDS), self._connections.lent() as connection:
            try:
                return await connection.fetch(_QUERIES["append"], *arguments)
            except asyncio.CancelledError:
                # Giving it back would wait for its answer.
                connection.terminate()
                raise

    @staticmethod
    def _abandon(waiting: Iterable[_Waiting]) -> None:
        for one in waiting:
            _fail(
                one.answer,
                StoreUnavailable(
                    "No se sabe si el envío quedó guardado. Repítalo con la misma Idempotency-Key: no se duplicará.",
                    "It is not known whether the submission was stored. Repeat it with the same Idempotency-Key: "
                    "it will not be doubled.",
                ),
            )


def _fail(answer: asyncio.Future[Answer], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


def _claims(command: Command) -> set[object]:
    """What two commands of one batch must not share, because the database sees both at once."""
    claims: set[object] = set()
    for event in command.events:
        # Numbers, because a UUID's hash is computed in Python.
        claims.add(event.stream_id.int)
        claims.add(event.event_id.int)
    if command.idempotency:
        claims.add((command.idempotency.institution, "key", command.idempotency.key))
    for record in command.source_records:
        claims.add((record.institution, "record", record.source_record_id))
    for data_key in command.data_keys:
        claims.add(data_key.subject)
    for holder in command.exclusive:
        claims.update(("exclusive", name) for name in holder.names)
    return claims
