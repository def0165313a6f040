"""A file that has come in: carried out at once if it is small, kept as a job if it is not."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import Final, NamedTuple
from uuid import UUID

from api.imports.answers import Mode, OnChange, Outcome
from api.imports.jobs import BATCH_ROWS, Format, Jobs, Order
from api.imports.lines import Body, open_fields, open_ndjson
from api.imports.records import Records
from api.imports.running import Import
from api.imports.spool import Spool
from api.imports.tables import Layout, Limits, Row
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor
from registry.errors import StoreUnavailable

AT_ONCE_ROWS: Final = 1_000
"""Rows of an import that is answered at once: a second or less."""

ATOMIC_ROWS: Final = 50_000
"""Rows of one transaction: they are held in memory, and everybody else's writes wait behind them."""

_DUPLICATE_TRIES: Final = 120
_DUPLICATE_PAUSE: Final = 0.25
"""Seconds between two looks for the job that a concurrent duplicate is just making."""


class Submission(NamedTuple):
    """What came with a file: who, what, how. ``body`` is what an Idempotency-Key is bound to."""

    actor: Actor
    records: Records
    mode: Mode
    on_change: OnChange
    ndjson: bool
    layout: Layout
    idempotency_key: str | None
    body: bytes


class Known(NamedTuple):
    """The job that has the rows. ``replayed``: an earlier request made it."""

    job: UUID
    replayed: bool


class Intake:
    """Takes files in. One per process."""

    def __init__(self, application: Application, jobs: Jobs, limits: Limits) -> None:
        self._application = application
        self._jobs = jobs
        self._limits = limits

    async def take(self, spool: Spool, given: Submission) -> list[Outcome] | Known:
        """The outcomes of a small import, or the job of a large one. Raises ImportRefused: nothing of it was taken."""
        limits = self._limits
        if given.mode is Mode.ATOMIC:
            limits = limits._replace(rows=min(limits.rows, ATOMIC_ROWS))
        body = await asyncio.to_thread(self._open, spool, given, limits)
        first = await asyncio.to_thread(_some, body.table.rows, AT_ONCE_ROWS + 1)
        if len(first) <= AT_ONCE_ROWS:
            return await self._run(given, body, first)
        return await self._keep(given, body, itertools.chain(first, body.table.rows))

    def _open(self, spool: Spool, given: Submission, limits: Limits) -> Body:
        file = spool.open()
        if given.ndjson:
            return open_ndjson(file, limits)
        return open_fields(file, given.records, given.layout, limits)

    async def _run(self, given: Submission, body: Body, rows: list[Row]) -> list[Outcome]:
        running = Import(
            self._application,
            given.actor,
            given.records,
            on_change=given.on_change,
            idempotency_key=given.idempotency_key,
        )
        return await running.run([body.line(row) for row in rows], given.mode)

    async def _keep(self, given: Submission, body: Body, rows: Iterator[Row]) -> Known:
        order = Order(
            given.actor,
            given.records,
            given.mode,
            given.on_change,
            _format(given, body),
            body.table.delimiter or ",",
            body.table.headings,
        )
        mac = self._application.master.mac("body", given.body) if given.idempotency_key else None
        for _ in range(_DUPLICATE_TRIES):
            if given.idempotency_key is not None and mac is not None:
                known = await self._jobs.known(given.actor, given.idempotency_key, mac)
                if known is not None:
                    return Known(known, replayed=True)
            job = await self._jobs.add(order, given.idempotency_key, mac)
            if job is not None:
                await self._fill(job, rows)
                return Known(job, replayed=False)
            await asyncio.sleep(_DUPLICATE_PAUSE)
        raise StoreUnavailable(
            "El mismo archivo se está recibiendo en otra petición. Repita en un momento.",
            "The same file is just coming in by another request. Repeat in a moment.",
        )

    async def _fill(self, job: UUID, rows: Iterator[Row]) -> None:
        count = 0
        try:
            for number in itertools.count():
                batch = await asyncio.to_thread(_some, rows, BATCH_ROWS)
                if not batch:
                    break
                await self._jobs.add_rows(job, number, batch)
                count += len(batch)
            await self._jobs.received(job, count)
        except BaseException:
            # Refused, or cut off: nothing of it may begin, and nothing stay.
            await asyncio.shield(self._jobs.remove(job))
            raise


def _format(given: Submission, body: Body) -> Format:
    if given.ndjson:
        return Format.NDJSON
    return Format.CSV if body.table.delimiter else Format.XLSX


def _some(rows: Iterator[Row], most: int) -> list[Row]:
    return list(itertools.islice(rows, most))
