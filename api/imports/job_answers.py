"""What ``/v1/imports/{id}`` answers: how far an import is, and what became of its rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from api.imports.answers import Mode, OnChange, Outcome, RowResult, Status, result_of
from api.imports.jobs import Job, JobStatus
from api.imports.records import Records
from registry.text import Language


class JobView(msgspec.Struct, frozen=True, omit_defaults=True):
    """An import. ``done`` of its ``rows`` have an outcome; the other numbers say which.

    ``kept_until``: when the file and its errors are deleted. ``results`` are a page of outcomes, where one was asked
    for, and ``next`` is the row after which the next page begins.
    """

    id: UUID
    status: JobStatus
    mode: Mode
    records: Records
    on_change: OnChange
    rows: int
    done: int
    created: int
    amended: int
    unchanged: int
    failed: int
    skipped: int
    started_at: datetime
    file: str
    ended_at: datetime | None = None
    kept_until: datetime | None = None
    results: tuple[RowResult, ...] = ()
    next: int | None = None


def view_of(
    job: Job,
    kept: float,
    outcomes: Sequence[Outcome] = (),
    following: int | None = None,
    language: Language = "es",
) -> JobView:
    """The job for its sender."""
    return JobView(
        id=job.id,
        status=job.status,
        mode=job.order.mode,
        records=job.order.records,
        on_change=job.order.on_change,
        rows=job.rows,
        done=job.done,
        created=job.counts[Status.CREATED],
        amended=job.counts[Status.AMENDED],
        unchanged=job.counts[Status.UNCHANGED],
        failed=job.counts[Status.ERROR],
        skipped=job.counts[Status.SKIPPED],
        started_at=job.created,
        file=f"/v1/imports/{job.id}/file",
        ended_at=job.ended,
        kept_until=None if job.ended is None else job.ended + timedelta(seconds=kept),
        results=tuple(result_of(outcome, language) for outcome in outcomes),
        next=following,
    )
