"""What waits: adjudicated incidents for a release, at any size of the log, and reports for a reviewer.

How many incidents wait is attested, never certified. This one reads the private codes of events (an incident that is
only a rumour waits for nothing), so it is a projection of its own, and of what it reads it keeps nothing but that an
incident, or a report, waits, from where to where.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from projections.tables import Connection, columns
from registry.domain.codes import Certainty, TriageDecision
from registry.domain.incident_events import CertaintySet
from registry.domain.mapper import decode_event
from registry.domain.report_events import (
    AttackReported,
    IncidentReported,
    ReportAmended,
    ReportTriaged,
    ReportWithdrawn,
    ThreatReported,
)
from registry.sql import load_queries
from registry.store.records import Recorded

_SQL = load_queries("projections.models", "waiting.sql")
_ABOUT_REPORTS = frozenset(
    event.TOPIC for event in (ThreatReported, AttackReported, ReportAmended, ReportTriaged, ReportWithdrawn)
)
_ADJUDICATING = frozenset({Certainty.POSSIBLE, Certainty.PROBABLE, Certainty.CONFIRMED})


class Waiting:
    """Keeps the schema ``waiting`` up with the log."""

    name = "waiting"
    version = 1

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Folds what a batch is about, from how it stood before; a few statements in all."""
        await _fold_reports(connection, events)
        about = list({event.stream_id for event in events if event.type.startswith("incident.")})
        releases = [event.position for event in events if event.type == "release.published"]
        if releases:
            # All others stand still while the batch goes by: the first release finds them as any later one does.
            await connection.execute(_SQL["release"], releases[0], about)
        if not about:
            return
        batch = _Batch(await connection.fetch(_SQL["standing"], about))
        for event in events:
            batch.fold(event)
        await connection.execute(_SQL["adjudicate"], list(batch.disclosed), list(batch.disclosed.values()))
        spans = [(incident, since, until) for (incident, since), until in batch.spans.items()]
        if spans:
            await connection.execute(_SQL["wait"], *columns(spans))


class Queue(NamedTuple):
    """A page of the reports that wait, where the next one starts (None: no more), and how many wait in all."""

    ids: list[UUID]
    next: int | None
    waiting: int


async def reports(connection: Connection | asyncpg.Pool, *, after: int, limit: int) -> Queue:
    """Reports that wait for triage, the longest first. ``after`` is the ``next`` of the page before, 0 at first."""
    rows = await connection.fetch(_SQL["queue"], after, limit + 1)
    following = rows[limit - 1]["since"] + 1 if len(rows) > limit else None
    return Queue(
        [row["report"] for row in rows[:limit]], following, await connection.fetchval(_SQL["queued"])
    )


async def _fold_reports(connection: Connection, events: Sequence[Recorded]) -> None:
    """A report waits from its first event on, until it is linked, found out of scope, or withdrawn."""
    about = [event for event in events if event.type in _ABOUT_REPORTS]
    if not about:
        return
    rows = await connection.fetch(_SQL["reports"], list({event.stream_id for event in about}))
    since: dict[UUID, int | None] = {row["report"]: row["since"] for row in rows}
    out_of_scope = {row["report"]: row["out_of_scope"] for row in rows}
    for event in about:
        report = event.stream_id
        decoded = decode_event(event.type, event.state)
        if isinstance(decoded, IncidentReported):
            since[report], out_of_scope[report] = event.position, False
        if report not in since:
            continue  # not about one occurrence: nothing to triage
        match decoded:
            case ReportTriaged(decision=TriageDecision.PENDING_INFO):
                since[report] = event.position if since[report] is None else since[report]
                out_of_scope[report] = False
            case ReportTriaged(decision=decision):
                since[report], out_of_scope[report] = None, decision is TriageDecision.OUT_OF_SCOPE
            case ReportAmended() if out_of_scope[report]:
                since[report], out_of_scope[report] = event.position, False
            case ReportWithdrawn():
                since[report], out_of_scope[report] = None, False
    if since:
        await connection.execute(
            _SQL["put"], list(since), list(since.values()), [out_of_scope[one] for one in since]
        )


class _Batch:
    """The incidents of a batch.

    ``disclosed``: the adjudicated ones, and whether a release has disclosed them. ``spans``: the ends of the intervals
    that were opened or ended, by incident and start.
    """

    def __init__(self, rows: Sequence[asyncpg.Record]) -> None:
        self.disclosed: dict[UUID, bool] = {}
        self.spans: dict[tuple[UUID, int], int | None] = {}
        self._since: dict[UUID, int] = {}
        for row in rows:
            self.disclosed[row["incident"]] = row["disclosed"]
            if row["since"] is not None:
                self._since[row["incident"]] = row["since"]

    def fold(self, event: Recorded) -> None:
        if event.type == "release.published":
            for incident in [incident for incident in self._since if self.disclosed[incident]]:
                self._end(incident, event.position)
        elif event.type == "incident.disclosed":
            if event.stream_id in self.disclosed:
                self.disclosed[event.stream_id] = True
                self._end(event.stream_id, event.position)
        elif event.type.startswith("incident."):
            decoded = decode_event(event.type, event.state)
            if isinstance(decoded, CertaintySet) and decoded.level in _ADJUDICATING:
                self.disclosed.setdefault(event.stream_id, False)
            if event.stream_id in self.disclosed and event.stream_id not in self._since:
                self._since[event.stream_id] = event.position
                self.spans[event.stream_id, event.position] = None

    def _end(self, incident: UUID, position: int) -> None:
        since = self._since.pop(incident, None)
        if since is not None:
            self.spans[incident, since] = position
