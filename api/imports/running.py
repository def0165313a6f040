"""Takes the rows of one import: checks them, and stores each for itself or all together.

Every row is a command of its own with its own ``source_record_id``, so a repeated import finds what it stored before
and adds nothing, however the first attempt ended.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from api.auth.guard import missing_scope
from api.imports.answers import Mode, OnChange, Outcome, Status
from api.imports.lines import Line
from api.imports.outcomes import (
    NEEDS_NAME,
    NOT_AMENDED,
    SAID_TWICE,
    differs_from,
    doubts,
    explained,
    like_first,
    outcome_of_accepted,
    outcome_of_stored,
    skipped_unless_refused,
)
from api.imports.records import RecordDraft, Records, decide, names_of, problems_of, read_record, scope_of
from api.problems import Problem, from_error
from api.rest.bodies import content_of
from registry.application.drafts import ReportDraft
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor, Decision, WriteOptions
from registry.application.imports import bulk, rows
from registry.application.imports.bulk import Stored
from registry.errors import RegistryError, SourceRecordDiffers

LONGEST_KEY: Final = 240
"""Of an import's Idempotency-Key; rows add ``/<row>``, and a longer key stands in as its digest."""


class Prepared(NamedTuple):
    """A row that can be decided on."""

    row: int
    draft: RecordDraft
    content: bytes


Claim = Callable[[Mapping[int, str]], Awaitable[set[int]]]
"""Tells which of some rows, with their source record ids, repeat an id of an earlier row of the same file."""


class Import:
    """One import by one actor. ``run`` never raises for a row: its outcome says what is wrong with it."""

    def __init__(
        self,
        application: Application,
        actor: Actor,
        records: Records,
        *,
        on_change: OnChange = OnChange.REJECT,
        idempotency_key: str | None = None,
        claim: Claim | None = None,
    ) -> None:
        """``claim`` is needed where the rows of one file come in several runs."""
        self._application = application
        self._actor = actor
        self._records = records
        self._on_change = on_change
        self._key = idempotency_key
        self._claim = claim

    async def run(self, lines: Sequence[Line], mode: Mode, resumed: int | None = None) -> list[Outcome]:
        """The outcome of every row, in their order.

        ``resumed``: the size of the log when these rows were first tried. What they find from there on, they made
        before they were interrupted.
        """
        # Decoding tens of thousands of rows takes seconds, which the other requests should not wait for.
        prepared, repeated, outcomes = await asyncio.to_thread(self._prepare, lines)
        taken = await self._take(prepared, mode, resumed, sound=not outcomes)
        outcomes.update({outcome.row: outcome for outcome in taken})
        for row, first in repeated.items():
            outcomes[row] = like_first(row, outcomes[first])
        return [outcomes[line.row] for line in lines]

    async def _take(
        self, prepared: Sequence[Prepared], mode: Mode, resumed: int | None, *, sound: bool
    ) -> list[Outcome]:
        """``sound``: no row of the import has been refused so far."""
        match mode:
            case Mode.DRY_RUN:
                return await self._check(prepared)
            case Mode.PARTIAL:
                return await self._store_each(prepared, resumed)
            case Mode.ATOMIC:
                return await self._store_all(prepared, resumed, sound=sound)

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
                refused[row.row] = Outcome(row.row, Status.ERROR, problems=(differs_from(known.row),))
        return prepared, repeated, refused

    def _read(self, line: Line) -> Prepared | Outcome:
        if line.problems:
            return Outcome(line.row, Status.ERROR, problems=line.problems)
        try:
            draft = read_record(self._records, line.body)
            if scope_of(draft) not in self._actor.scopes:
                raise missing_scope(scope_of(draft))
        except Problem as problem:
            return Outcome(line.row, Status.ERROR, problems=tuple(explained(problem, line.body)))
        return Prepared(line.row, draft, content_of(draft))

    async def _repeated(self, prepared: Sequence[Prepared]) -> set[int]:
        """Rows that may not amend what an earlier row of the same file has said."""
        if self._claim is None or self._on_change is not OnChange.AMEND:
            return set()
        named = {row.row: row.draft.source_record_id for row in prepared}
        return await self._claim({row: name for row, name in named.items() if name is not None})

    async def _check(self, prepared: Sequence[Prepared]) -> list[Outcome]:
        repeated = await self._repeated(prepared)
        names = [row.draft.source_record_id for row in prepared]
        current = dict(
            zip(
                [name for name in names if name is not None],
                await bulk.current(
                    self._application, self._actor, [name for name in names if name is not None]
                ),
                strict=True,
            )
        )
        checked = await rows.check(self._application, self._actor, self._decisions(prepared))
        outcomes = []
        for row, (verdict, warnings) in zip(prepared, checked, strict=True):
            known = current.get(row.draft.source_record_id or "")
            if isinstance(verdict, SourceRecordDiffers) and row.row in repeated:
                outcomes.append(Outcome(row.row, Status.ERROR, problems=(SAID_TWICE,)))
                continue
            if isinstance(verdict, SourceRecordDiffers) and known is not None:
                same = known.content == self._application.repeats.content(self._options(row))
                if same or self._on_change is OnChange.AMEND:
                    outcomes.append(
                        Outcome(row.row, Status.UNCHANGED if same else Status.AMENDED, known.stream_id)
                    )
                    continue
            outcomes.append(
                self._refused(row, verdict)
                if isinstance(verdict, RegistryError)
                else Outcome(row.row, Status(verdict), warnings=doubts(warnings))
            )
        return outcomes

    async def _store_each(self, prepared: Sequence[Prepared], resumed: int | None) -> list[Outcome]:
        """Named rows in runs, many to a transaction; the others, which only their keys tell apart, one by one."""
        outcomes: list[Outcome] = []
        repeated = await self._repeated(prepared)
        named = [row for row in prepared if row.draft.source_record_id is not None]
        independent = not any(names_of(row.draft) for row in named)
        decisions = list(self._decisions(named))
        stored = await bulk.store_each(self._application, self._actor, decisions, independent=independent)
        changed: list[Prepared] = []
        for row, result in zip(named, stored, strict=True):
            differs = isinstance(result, SourceRecordDiffers)
            if differs and row.row in repeated:
                outcomes.append(Outcome(row.row, Status.ERROR, problems=(SAID_TWICE,)))
            elif differs and self._on_change is OnChange.AMEND:
                changed.append(row)
            elif isinstance(result, RegistryError):
                outcomes.append(self._refused(row, result))
            else:
                outcomes.append(outcome_of_stored(row.row, result, resumed))
        outcomes += await bulk.at_once(bulk.AT_ONCE, changed, self._amend)
        return outcomes + await self._store_unnamed(
            [row for row in prepared if row.draft.source_record_id is None], resumed
        )

    async def _amend(self, row: Prepared) -> Outcome:
        if not isinstance(row.draft, ReportDraft):
            return Outcome(row.row, Status.ERROR, problems=(NOT_AMENDED,))
        try:
            amended = await bulk.amend_report(self._application, self._actor, row.draft, self._options(row))
        except RegistryError as error:
            return self._refused(row, error)
        status = Status.AMENDED if amended.created else Status.UNCHANGED
        return Outcome(row.row, status, amended.id, amended.positions, warnings=doubts(amended.warnings))

    async def _store_unnamed(self, prepared: Sequence[Prepared], resumed: int | None) -> list[Outcome]:
        async def take(row: Prepared) -> Outcome:
            try:
                accepted = await self._application.execute(self._actor, decide(row.draft), self._options(row))
            except RegistryError as error:
                return self._refused(row, error)
            return outcome_of_accepted(row.row, accepted, resumed)

        return await bulk.at_once(bulk.AT_ONCE, prepared, take)

    async def _store_all(
        self, prepared: Sequence[Prepared], resumed: int | None, *, sound: bool
    ) -> list[Outcome]:
        unnamed = [row for row in prepared if row.draft.source_record_id is None]
        if unnamed or not sound:
            refused = [Outcome(row.row, Status.ERROR, problems=(NEEDS_NAME,)) for row in unnamed]
            named = [row for row in prepared if row.draft.source_record_id is not None]
            return [*refused, *(skipped_unless_refused(one) for one in await self._check(named))]
        planned, outcomes = await self._plan(prepared, resumed)
        try:
            accepted = await rows.execute_all(self._application, self._actor, [row for _, row, _ in planned])
        except rows.RowRejected as rejected:
            # It stops at the first; the sender wants to mend them all at once.
            first = planned[rejected.row][0]
            checked = [one for one in await self._check(prepared) if one.row != first.row]
            refused = [*checked, self._refused(first, rejected.error)]
            return [skipped_unless_refused(one) for one in refused]
        for (row, _, status), one in zip(planned, accepted, strict=True):
            outcome = outcome_of_accepted(row.row, one, resumed)
            new = outcome.status is Status.CREATED
            outcomes.append(msgspec.structs.replace(outcome, status=status) if new else outcome)
        return outcomes

    async def _plan(
        self, prepared: Sequence[Prepared], resumed: int | None
    ) -> tuple[list[tuple[Prepared, rows.Row, Status]], list[Outcome]]:
        """What is to be stored together, and what each then is; and the rows that say what is known already."""
        names = [row.draft.source_record_id or "" for row in prepared]
        known = await bulk.current(self._application, self._actor, names)
        planned: list[tuple[Prepared, rows.Row, Status]] = []
        outcomes: list[Outcome] = []
        for row, record in zip(prepared, known, strict=True):
            options = self._options(row)
            if record is None:
                planned.append((row, (decide(row.draft), options), Status.CREATED))
            elif record.content == self._application.repeats.content(options):
                amendment = record.name != row.draft.source_record_id
                stored = Stored(record.stream_id, record.positions, created=False, amendment=amendment)
                outcomes.append(outcome_of_stored(row.row, stored, resumed))
            elif self._on_change is OnChange.AMEND and isinstance(row.draft, ReportDraft):
                planned.append((row, bulk.amendment(record, row.draft, options), Status.AMENDED))
            else:
                planned.append((row, (decide(row.draft), options), Status.CREATED))
        return planned, outcomes

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
