"""Takes the rows of one import: checks them, and stores each for itself or all together.

Every row is a command of its own with its own ``source_record_id``, so a repeated import finds what it stored before
and adds nothing, however the first attempt ended.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from api.imports.answers import Mode, Outcome, Status
from api.imports.errors import RowProblem
from api.imports.lines import Line
from api.imports.records import RecordDraft, Records, problems_of, read_record
from api.problems import Problem, from_error
from api.rest.bodies import content_of
from registry.application import assignments, incidents, reports, rows
from registry.application.answers import Accepted
from registry.application.application import Application
from registry.application.drafts import (
    AssignmentDraft,
    IncidentDraft,
    RecordReference,
    Reference,
    ReportDraft,
)
from registry.application.unit import Actor, Decision, WriteOptions
from registry.errors import RegistryError, SourceRecordDiffers
from registry.text import Text

AT_ONCE: Final = 32
"""Rows of one partial import in flight: enough to fill a group commit, few enough to leave room for others."""

LONGEST_KEY: Final = 240
"""Of an import's Idempotency-Key; rows add ``/<row>``, and a longer key stands in as its digest."""


class Prepared(NamedTuple):
    """A row that can be decided on."""

    row: int
    draft: RecordDraft
    content: bytes


class Import:
    """One import by one actor. ``run`` never raises for a row: its outcome says what is wrong with it."""

    def __init__(
        self, application: Application, actor: Actor, records: Records, *, idempotency_key: str | None = None
    ) -> None:
        self._application = application
        self._actor = actor
        self._records = records
        self._key = idempotency_key

    async def run(self, lines: Sequence[Line], mode: Mode) -> list[Outcome]:
        """The outcome of every row, in their order."""
        # Decoding tens of thousands of rows takes seconds, which the other requests should not wait for.
        prepared, repeated, outcomes = await asyncio.to_thread(self._prepare, lines)
        taken = await self._take(prepared, mode, sound=not outcomes)
        outcomes.update({outcome.row: outcome for outcome in taken})
        for row, first in repeated.items():
            outcomes[row] = _like_first(row, outcomes[first])
        return [outcomes[line.row] for line in lines]

    async def _take(self, prepared: Sequence[Prepared], mode: Mode, *, sound: bool) -> list[Outcome]:
        """``sound``: no row of the import has been refused so far."""
        match mode:
            case Mode.DRY_RUN:
                return await self._check(prepared)
            case Mode.PARTIAL:
                return await self._store_each(prepared)
            case Mode.ATOMIC:
                return await self._store_all(prepared, sound=sound)

    def _prepare(self, lines: Sequence[Line]) -> tuple[list[Prepared], dict[int, int], dict[int, Outcome]]:
        """Rows to decide on; rows that only repeat an earlier one, with its number; and rows that cannot be taken."""
        prepared: list[Prepared] = []
        repeated: dict[int, int] = {}
        refused: dict[int, Outcome] = {}
        first: dict[str, Prepared] = {}
        for line in lines:
            row = self._read(line)
            if isinstance(row, Outcome):
                refused[line.row] = row
                continue
            name = row.draft.source_record_id
            known = row if name is None else first.setdefault(name, row)
            if known is row:
                prepared.append(row)
            elif known.content == row.content:
                repeated[row.row] = known.row
            else:
                refused[row.row] = Outcome(row.row, Status.ERROR, problems=(_differs(known.row),))
        return prepared, repeated, refused

    def _read(self, line: Line) -> Prepared | Outcome:
        if line.problem is not None:
            return Outcome(line.row, Status.ERROR, problems=(line.problem,))
        try:
            draft = read_record(self._records, line.body)
        except Problem as problem:
            return Outcome(line.row, Status.ERROR, problems=tuple(problems_of(problem)))
        return Prepared(line.row, draft, content_of(draft))

    async def _check(self, prepared: Sequence[Prepared]) -> list[Outcome]:
        verdicts = await rows.check(self._application, self._actor, self._decisions(prepared))
        return [
            self._refused(row, verdict)
            if isinstance(verdict, RegistryError)
            else Outcome(row.row, Status(verdict))
            for row, verdict in zip(prepared, verdicts, strict=True)
        ]

    async def _store_each(self, prepared: Sequence[Prepared]) -> list[Outcome]:
        free = asyncio.Semaphore(AT_ONCE)
        done: dict[str, asyncio.Event] = {}

        async def store(row: Prepared, earlier: Sequence[asyncio.Event]) -> Outcome:
            # Only earlier rows are waited for, and before a place is taken: nobody waits in a circle.
            for one in earlier:
                await one.wait()
            try:
                return await take(row)
            finally:
                if row.draft.source_record_id in done:
                    done[row.draft.source_record_id].set()

        async def take(row: Prepared) -> Outcome:
            async with free:
                try:
                    accepted = await self._application.execute(
                        self._actor, decide(row.draft), self._options(row)
                    )
                except RegistryError as error:
                    return self._refused(row, error)
                return _accepted(row, accepted)

        async with asyncio.TaskGroup() as group:
            tasks = []
            for row in prepared:
                earlier = [done[name] for name in _names(row.draft) if name in done]
                tasks.append(group.create_task(store(row, earlier)))
                if row.draft.source_record_id is not None:
                    done[row.draft.source_record_id] = asyncio.Event()
        return [task.result() for task in tasks]

    async def _store_all(self, prepared: Sequence[Prepared], *, sound: bool) -> list[Outcome]:
        unnamed = [row for row in prepared if row.draft.source_record_id is None]
        if unnamed or not sound:
            refused = [Outcome(row.row, Status.ERROR, problems=(_NEEDS_NAME,)) for row in unnamed]
            named = [row for row in prepared if row.draft.source_record_id is not None]
            return [*refused, *(_skipped_unless_refused(one) for one in await self._check(named))]
        try:
            accepted = await rows.execute_all(self._application, self._actor, list(self._decisions(prepared)))
        except rows.RowRejected as rejected:
            # It stops at the first; the sender wants to mend them all at once.
            checked = await self._check(prepared)
            checked[rejected.row] = self._refused(prepared[rejected.row], rejected.error)
            return [_skipped_unless_refused(one) for one in checked]
        return [_accepted(row, one) for row, one in zip(prepared, accepted, strict=True)]

    def _decisions(self, prepared: Sequence[Prepared]) -> Iterator[tuple[Decision, WriteOptions]]:
        for row in prepared:
            yield decide(row.draft), self._options(row)

    def _options(self, row: Prepared) -> WriteOptions:
        return WriteOptions(
            idempotency_key=self._row_key(row.row),
            body=row.content,
            source_record_id=row.draft.source_record_id,
            content=row.content,
        )

    def _row_key(self, row: int) -> str | None:
        if self._key is None:
            return None
        key = self._key if len(self._key) <= LONGEST_KEY else hashlib.sha256(self._key.encode()).hexdigest()
        return f"{key}/{row}"

    def _refused(self, row: Prepared, error: RegistryError) -> Outcome:
        """``id`` is that of the record that stands in the way, where there is one."""
        problem = from_error(error)
        if problem is None:
            raise error
        existing = error.stream_id if isinstance(error, SourceRecordDiffers) else None
        return Outcome(row.row, Status.ERROR, existing, problems=tuple(problems_of(problem)))


def _names(draft: RecordDraft) -> Iterator[str]:
    """The senders' own ids of the records that a row refers to."""
    references: list[Reference | None] = []
    if isinstance(draft, ReportDraft):
        references = [draft.derived_from, draft.trigger_incident]
    elif isinstance(draft, IncidentDraft):
        references = [*draft.reports]
    for reference in references:
        if isinstance(reference, RecordReference):
            yield reference.source_record_id


def decide(draft: RecordDraft) -> Decision:
    """The use case of a draft."""
    match draft:
        case AssignmentDraft():
            return assignments.register(draft)
        case ReportDraft():
            return reports.submit(draft)
        case IncidentDraft():
            return incidents.open_incident(draft)


def _accepted(row: Prepared, accepted: Accepted) -> Outcome:
    new = accepted.created and not accepted.replayed
    return Outcome(
        row.row,
        Status.CREATED if new else Status.UNCHANGED,
        accepted.id,
        tuple(event.position for event in accepted.events),
    )


def _skipped_unless_refused(outcome: Outcome) -> Outcome:
    return outcome if outcome.status is Status.ERROR else Outcome(outcome.row, Status.SKIPPED)


def _like_first(row: int, first: Outcome) -> Outcome:
    """A repeated row adds nothing to what its first became."""
    status = Status.UNCHANGED if first.status is Status.CREATED else first.status
    return Outcome(row, status, first.id, first.positions, first.problems)


def _differs(first: int) -> RowProblem:
    return RowProblem(
        field="source_record_id",
        code="source-record-differs",
        detail=Text(
            f"La fila {first} tiene el mismo source_record_id con otro contenido. Cada registro necesita el suyo.",
            f"Row {first} has the same source_record_id with other content. Each record needs its own.",
        ),
    )


_NEEDS_NAME: Final = RowProblem(
    field="source_record_id",
    code="missing-source-record-id",
    detail=Text(
        "En modo atomic cada fila necesita source_record_id, para que repetir el envío no duplique nada.",
        "In mode atomic each row needs a source_record_id, so that repeating the import doubles nothing.",
    ),
)
