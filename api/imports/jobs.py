"""Imports that take longer than a request: kept encrypted, batch by batch, until they are done and some days beyond.

::

    RECEIVING → WAITING → RUNNING → FINISHED
        │           └──────────┴──→ CANCELLED · REVOKED · FAILED
        └─ broke off: deleted after an hour

What was sent and what became of it lie under one data key, that of ``import:<id>``, which goes when the job does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

import asyncpg
import msgspec

from api.imports.answers import Mode, OnChange, Outcome, Status
from api.imports.records import Records
from api.imports.tables import Row
from registry.application.execution.unit import Actor
from registry.errors import Erased, IdempotencyKeyReused
from registry.privacy.vault import Cipher, Vault, decrypt, key_id
from registry.sql import load_queries

BATCH_ROWS: Final = 1_000
"""Rows of one step: its outcome is noted together, and a kill repeats no more than these."""

_SQL: Final = load_queries("api.imports", "jobs.sql")


class JobStatus(StrEnum):
    """How far a job is.

    ``REVOKED``: the key that sent it is no longer in force, so nothing more is stored. ``FAILED``: the program met
    something that it does not know; the operator's log has it.
    """

    RECEIVING = "RECEIVING"
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    CANCELLED = "CANCELLED"
    REVOKED = "REVOKED"
    FAILED = "FAILED"


class Format(StrEnum):
    """What came, and so in what its annotated copy goes back; every spreadsheet as XLSX."""

    CSV = "csv"
    XLSX = "xlsx"
    NDJSON = "ndjson"


class Order(msgspec.Struct, frozen=True):
    """What somebody wants imported."""

    actor: Actor
    records: Records
    mode: Mode
    on_change: OnChange
    format: Format
    delimiter: str
    headings: tuple[str, ...]


class Job(msgspec.Struct, frozen=True):
    """A job and how far it is."""

    id: UUID
    order: Order
    status: JobStatus
    rows: int
    done: int
    counts: dict[Status, int]
    created: datetime
    ended: datetime | None


class Batch(msgspec.Struct, frozen=True):
    """Some rows of a job. ``outcomes`` is None until they are known; ``tried_at`` is set when they are tried."""

    number: int
    rows: tuple[Row, ...]
    outcomes: tuple[Outcome, ...] | None = None
    tried_at: int | None = None


class _Heading(msgspec.Struct, frozen=True):
    delimiter: str
    headings: tuple[str, ...]


class Jobs:
    """The jobs of one register."""

    def __init__(self, pool: asyncpg.Pool, vault: Vault) -> None:
        self._pool = pool
        self._vault = vault

    async def known(self, actor: Actor, idempotency_key: str, body: bytes) -> UUID | None:
        """The job that this key has begun with the same Idempotency-Key. Raises IdempotencyKeyReused."""
        row = await self._pool.fetchrow(_SQL["by_idempotency_key"], actor.key, idempotency_key)
        if row is None:
            return None
        if row["body_hmac"] != body:
            raise IdempotencyKeyReused
        known: UUID = row["id"]
        return known

    async def add(
        self, order: Order, idempotency_key: str | None = None, body: bytes | None = None
    ) -> UUID | None:
        """A new job without rows yet. None if another request has just begun it under the same Idempotency-Key."""
        job = uuid4()
        cipher = await self._cipher(job)
        heading = msgspec.json.encode(_Heading(order.delimiter, order.headings))
        if idempotency_key is not None:
            await self._pool.execute(_SQL["forget_unfinished"], order.actor.key, idempotency_key)
        added: UUID | None = await self._pool.fetchval(
            _SQL["add"],
            job,
            order.actor.institution,
            order.actor.key,
            sorted(order.actor.scopes),
            order.records,
            order.mode,
            order.on_change,
            order.format,
            cipher.encrypt(heading, _place(job, "headings")),
            idempotency_key,
            body,
        )
        return added

    async def add_rows(self, job: UUID, number: int, rows: Sequence[Row]) -> None:
        """The next rows of a job that is coming in; ``number`` counts the calls from 0."""
        cipher = await self._cipher(job)
        content = cipher.encrypt(msgspec.json.encode(rows), _place(job, f"rows/{number}"))
        await self._pool.execute(_SQL["add_batch"], job, number, rows[0].number, len(rows), content)

    async def received(self, job: UUID, rows: int) -> None:
        """All of its rows are there: it may begin."""
        await self._pool.execute(_SQL["received"], job, rows)

    async def get(self, job: UUID) -> Job | None:
        """The job as it is now; None if there is none (any more)."""
        row = await self._pool.fetchrow(_SQL["job"], job)
        if row is None:
            return None
        heading = msgspec.json.decode(await self._open(job, row["headings"], "headings"), type=_Heading)
        counts = {
            Status.CREATED: row["made"],
            Status.AMENDED: row["amended"],
            Status.UNCHANGED: row["unchanged"],
            Status.ERROR: row["failed"],
            Status.SKIPPED: row["skipped"],
        }
        actor = Actor(row["institution"], row["key"], frozenset(row["scopes"]))
        order = Order(
            actor,
            Records(row["records"]),
            Mode(row["mode"]),
            OnChange(row["on_change"]),
            Format(row["format"]),
            heading.delimiter,
            heading.headings,
        )
        return Job(
            job,
            order,
            JobStatus(row["status"]),
            row["rows"],
            row["done"],
            counts,
            row["created"],
            row["ended"],
        )

    async def batches(self, job: UUID, from_row: int, most: int) -> list[Batch]:
        """At most so many batches, beginning with that which holds a row."""
        return [
            Batch(
                row["number"],
                await self._rows(job, row["number"], row["content"]),
                await self._outcomes(job, row["number"], row["outcomes"]),
            )
            for row in await self._pool.fetch(_SQL["batches"], job, from_row, most)
        ]

    async def next_batch(self, job: UUID) -> Batch | None:
        """The first batch without an outcome; None when all have theirs."""
        row = await self._pool.fetchrow(_SQL["next_batch"], job)
        if row is None:
            return None
        rows = await self._rows(job, row["number"], row["content"])
        return Batch(row["number"], rows, tried_at=row["tried_at"])

    async def under_way(self) -> list[UUID]:
        """Jobs that wait or have begun, the oldest first."""
        return [row["id"] for row in await self._pool.fetch(_SQL["under_way"])]

    async def begin(self, job: UUID) -> bool:
        """Whether it is still wanted."""
        return await self._pool.fetchval(_SQL["begin"], job) is not None

    async def permitted(self, order: Order) -> bool:
        """Whether the key that sent it is in force, now that its rows are about to be stored."""
        permitted: bool = await self._pool.fetchval(_SQL["permitted"], order.actor.key)
        return permitted

    async def try_batch(self, job: UUID, number: int, size: int) -> None:
        """Its rows are about to be stored, with the log at this size."""
        await self._pool.execute(_SQL["try"], job, number, size)

    async def claim(self, job: UUID, names: Mapping[int, bytes]) -> set[int]:
        """The rows, by their hashed names, before which another row of the job has had the same name."""
        rows = await self._pool.fetch(_SQL["claim"], job, list(names.values()), list(names))
        first = {row["name"]: row["row"] for row in rows}
        return {row for row, name in names.items() if first[name] != row}

    async def note(self, job: UUID, number: int, outcomes: Sequence[Outcome]) -> None:
        """What became of a batch; the first note stays."""
        cipher = await self._cipher(job)
        sealed = cipher.encrypt(msgspec.json.encode(outcomes), _place(job, f"outcomes/{number}"))
        statuses = [outcome.status for outcome in outcomes]
        counts = [
            statuses.count(status)
            for status in (Status.CREATED, Status.AMENDED, Status.UNCHANGED, Status.ERROR, Status.SKIPPED)
        ]
        await self._pool.execute(_SQL["done"], job, number, sealed, *counts)

    async def end(self, job: UUID, status: JobStatus) -> None:
        """It ended by itself."""
        await self._pool.execute(_SQL["end"], job, status)

    async def cancel(self, job: UUID) -> bool:
        """Whether it was under way, and no longer is. What it has stored stays."""
        return await self._pool.fetchval(_SQL["cancel"], job) is not None

    async def remove(self, job: UUID) -> None:
        """Deletes it, all that was sent with it, and their key."""
        await self._pool.execute(_SQL["remove"], job)
        for subject, key in (await self._vault.keys_for_reading([_subject(job)])).items():
            await self._vault.erase(subject, key_id(key))

    async def forget(self, kept: float) -> None:
        """Deletes jobs that ended so many seconds ago, and uploads that broke off."""
        for row in await self._pool.fetch(_SQL["expired"], kept):
            await self.remove(row["id"])

    async def _cipher(self, job: UUID) -> Cipher:
        subject = _subject(job)
        return Cipher((await self._vault.keys_for_writing([subject]))[subject])

    async def _open(self, job: UUID, sealed: bytes, part: str) -> bytes:
        keys = await self._vault.keys_for_reading([_subject(job)])
        if not keys:
            raise Erased
        return decrypt(keys[_subject(job)], sealed, _place(job, part))

    async def _rows(self, job: UUID, number: int, sealed: bytes) -> tuple[Row, ...]:
        return msgspec.json.decode(await self._open(job, sealed, f"rows/{number}"), type=tuple[Row, ...])

    async def _outcomes(self, job: UUID, number: int, sealed: bytes | None) -> tuple[Outcome, ...] | None:
        if sealed is None:
            return None
        opened = await self._open(job, sealed, f"outcomes/{number}")
        return msgspec.json.decode(opened, type=tuple[Outcome, ...])


def _subject(job: UUID) -> str:
    return f"import:{job}"


def _place(job: UUID, part: str) -> str:
    return f"import/{job}/{part}"
