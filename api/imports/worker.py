"""Carries out the jobs of imports, one at a time in each process, and goes on with those that a process left behind."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

import asyncpg

from api.imports.answers import Mode, Outcome, Status
from api.imports.columns import Columns
from api.imports.jobs import Batch, Format, Job, Jobs, JobStatus
from api.imports.lines import Body, Line
from api.imports.running import Import
from api.imports.tables import Row, Table
from api.redaction import describe
from registry.application.execution.application import Application
from registry.sql import load_queries
from registry.store.transient import TRANSIENT

log = logging.getLogger("constancia.imports")

PAUSE_SECONDS: Final = 0.25
"""Between two looks for a job: what a small import waits at most."""

TRIES: Final = 20
UNAVAILABLE: Final = "unavailable"
"""Code of a row whose outcome is unknown, because the database was away: its batch is tried again, so many times."""

_SQL: Final = load_queries("api.imports", "jobs.sql")


class Worker:
    """One per process."""

    def __init__(self, pool: asyncpg.Pool, application: Application, kept: float) -> None:
        self._pool = pool
        self._application = application
        self._jobs = Jobs(pool, application.vault)
        self._kept = kept

    async def run(self, stopping: asyncio.Event) -> None:
        """Until told to stop; a job under way goes on at the next start."""
        while not stopping.is_set():
            worked = await self.work(stopping)
            if not worked:
                await self._jobs.forget(self._kept)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), PAUSE_SECONDS)

    async def work(self, stopping: asyncio.Event | None = None) -> bool:
        """Carries out the jobs that nobody is working on; whether there was one."""
        worked = False
        for job in await self._jobs.under_way():
            if stopping is not None and stopping.is_set():
                break
            async with self._pool.acquire() as connection:
                if not await connection.fetchval(_SQL["lock"], str(job)):
                    continue
                worked = True
                try:
                    await self._carry_out(job, stopping)
                finally:
                    await connection.execute(_SQL["unlock"], str(job))
        return worked

    async def _carry_out(self, job_id: UUID, stopping: asyncio.Event | None) -> None:
        job = await self._jobs.get(job_id)
        if job is None or not await self._jobs.begin(job_id):
            return
        try:
            while await self._jobs.begin(job_id):
                if not await self._jobs.permitted(job.order):
                    await self._jobs.end(job_id, JobStatus.REVOKED)
                    return
                if job.order.mode is Mode.ATOMIC:
                    await self._all(job)
                    break
                batch = await self._jobs.next_batch(job_id)
                if batch is None:
                    break
                if stopping is not None and stopping.is_set():
                    return
                await self._batch(job, batch)
        except TRANSIENT:
            log.warning("import %s waits for the database", job_id)
            return
        except Exception as error:  # noqa: BLE001 - one job's trouble must not be every job's
            log.error("import %s: %s", job_id, describe(error))  # noqa: TRY400 - the words may be private
            await self._jobs.end(job_id, JobStatus.FAILED)
            return
        await self._jobs.end(job_id, JobStatus.FINISHED)

    async def _batch(self, job: Job, batch: Batch) -> None:
        store = self._application.store
        size = await store.size()
        if batch.tried_at is None:
            await self._jobs.try_batch(job.id, batch.number, size)
        outcomes = await self._run(job, _lines(job, batch.rows), batch.tried_at, size)
        await self._jobs.note(job.id, batch.number, outcomes)

    async def _all(self, job: Job) -> None:
        """All rows in one transaction; a repetition finds that they are there."""
        numbers: list[tuple[int, int]] = []
        lines: list[Line] = []
        from_row = 0
        while batches := await self._jobs.batches(job.id, from_row, 20):
            for batch in batches:
                numbers.append((batch.number, len(batch.rows)))
                lines += _lines(job, batch.rows)
                from_row = batch.rows[-1].number + 1
        first = await self._jobs.next_batch(job.id)
        if first is None:
            return
        size = await self._application.store.size()
        if first.tried_at is None:
            await self._jobs.try_batch(job.id, first.number, size)
        outcomes = await self._run(job, lines, first.tried_at, size)
        start = 0
        for number, count in numbers:
            await self._jobs.note(job.id, number, outcomes[start : start + count])
            start += count

    async def _run(self, job: Job, lines: Sequence[Line], resumed: int | None, size: int) -> list[Outcome]:
        """``resumed``: where the log stood when these rows were first tried; ``size``: where it stands now."""
        order = job.order
        mac = self._application.master.mac

        async def claim(names: Mapping[int, str]) -> set[int]:
            hashed = {row: mac("source-record-name", name.encode())[:16] for row, name in names.items()}
            return await self._jobs.claim(job.id, hashed)

        running = Import(
            self._application,
            order.actor,
            order.records,
            on_change=order.on_change,
            # Rows without an id of their own are recognised by it after a kill.
            idempotency_key=f"import {job.id}",
            claim=claim,
        )
        outcomes = await running.run(lines, order.mode, resumed)
        for _ in range(TRIES):
            if not any(_unknown(outcome) for outcome in outcomes):
                break
            await asyncio.sleep(PAUSE_SECONDS)
            outcomes = await running.run(lines, order.mode, size if resumed is None else resumed)
        return outcomes


def _lines(job: Job, rows: Sequence[Row]) -> list[Line]:
    order = job.order
    columns = None if order.format is Format.NDJSON else Columns(order.headings, order.records)
    body = Body(Table(order.headings, iter(rows)), columns)
    return [body.line(row) for row in rows]


def _unknown(outcome: Outcome) -> bool:
    return outcome.status is Status.ERROR and any(one.code == UNAVAILABLE for one in outcome.problems)
