"""Many decisions of one sender, each for itself, many to a transaction: what imports store by.

Every row has its sender's own id, so whatever interrupts this, sending the rows again stores each of them once. No
receipts are signed here: they are at ``/v1/receipts`` for whoever wants one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from registry.application.drafts import AmendmentDraft, ReportDraft
from registry.application.execution.application import Application
from registry.application.execution.deaths import refuse_double_deaths
from registry.application.execution.unit import OPERATOR_ID, Actor, Unit, Warned, WriteOptions
from registry.application.imports.rows import Decided, Row, append_together, taken_warnings
from registry.application.places.by_name import with_codes
from registry.application.reports import amend
from registry.domain.codes import CorrectionReason
from registry.domain.event import Aggregate
from registry.domain.mapper import noun_of
from registry.errors import RegistryError, SourceRecordDiffers, StoreUnavailable
from registry.store import ExclusiveNames, Outcome
from registry.store.store import CurrentRecord

GROUP: Final = 250
"""Rows of one transaction: more gain nothing, and hold up for longer what else this process does."""

UNDER_WAY: Final = 2
"""Groups at once: one in the database's hands and one in ours."""

AT_ONCE: Final = 32
"""Rows stored each by itself, in flight: enough to fill a group commit, few enough to leave room for others."""

_ATTEMPTS: Final = 5

T = TypeVar("T")
R = TypeVar("R")


class Stored(NamedTuple):
    """A row's record. ``created`` False: it was there already, and says the same. ``amendment``: by being amended.

    ``warnings`` are told once, when the row is stored.
    """

    id: UUID
    positions: tuple[int, ...]
    created: bool
    amendment: bool = False
    warnings: tuple[Warned, ...] = ()


async def store_each(
    app: Application, actor: Actor, rows: Sequence[Row], *, independent: bool = False
) -> list[Stored | RegistryError]:
    """Stores rows, in their order, each of which has a source record id that no other of them has.

    A refusal is that row's alone. A known record with other content is SourceRecordDiffers. ``independent``: no row
    refers to another, so that one group is decided while another is being committed.
    """
    results: dict[int, Stored | RegistryError] = {}
    known = await current(app, actor, [options.source_record_id or "" for _, options in rows])
    new: list[int] = []
    for row, record in enumerate(known):
        if record is None:
            new.append(row)
        elif record.content == app.repeats.content(rows[row][1]):
            amended = record.name != rows[row][1].source_record_id
            results[row] = Stored(record.stream_id, record.positions, created=False, amendment=amended)
        else:
            results[row] = await _differs(app, record)
    groups = [new[start : start + GROUP] for start in range(0, len(new), GROUP)]

    async def store(group: Sequence[int]) -> None:
        await _store_group(app, actor, rows, group, results)

    await at_once(UNDER_WAY if independent else 1, groups, store)
    return [results[row] for row in range(len(rows))]


async def at_once(most: int, items: Iterable[T], operation: Callable[[T], Awaitable[R]]) -> list[R]:
    """The results of an operation on each item, in order; begun in that order, at most so many under way."""
    free = asyncio.Semaphore(most)

    async def one(item: T) -> R:
        async with free:
            return await operation(item)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]


async def current(app: Application, actor: Actor, names: Sequence[str]) -> list[CurrentRecord | None]:
    """What the sender's own records say now, after all amendments that imports made of them."""
    asked = [(name, _revisions(name)) for name in names]
    return await app.store.current_source_records(actor.institution or OPERATOR_ID, asked)


async def amend_report(app: Application, actor: Actor, draft: ReportDraft, options: WriteOptions) -> Stored:
    """The report under the draft's source record id, said anew; unchanged if that is what it says already."""
    name = options.source_record_id or ""
    for attempt in range(_ATTEMPTS):
        (record,) = await current(app, actor, [name])
        if record is None:
            raise StoreUnavailable(
                "El registro se borró mientras llegaba su enmienda. Repita el envío.",
                "The record was erased while its amendment came in. Repeat the submission.",
            )
        if record.content == app.repeats.content(options):
            return Stored(record.stream_id, record.positions, created=False, amendment=record.name != name)
        try:
            accepted = await app.execute(actor, *amendment(record, draft, options))
        except SourceRecordDiffers:
            if attempt == _ATTEMPTS - 1:
                raise
            continue  # another import has amended it in between: what does it say now?
        positions = tuple(event.position for event in accepted.events)
        return Stored(accepted.id, positions, accepted.created, amendment=True, warnings=accepted.warnings)
    raise AssertionError("the last attempt returns or raises")


def amendment(record: CurrentRecord, draft: ReportDraft, options: WriteOptions) -> Row:
    """The report of a source record, said anew, and known under a name of its own from then on."""

    async def decide(unit: Unit) -> Aggregate:
        coded = await with_codes(unit, draft)
        anew = AmendmentDraft(
            **{field: getattr(coded, field) for field in ReportDraft.__struct_fields__},
            reason=CorrectionReason.NEW_EVIDENCE,
        )
        return await amend(record.stream_id, anew)(unit)

    name = _next(options.source_record_id or "", record.name)
    return decide, WriteOptions(source_record_id=name, content=options.content)


async def _store_group(
    app: Application,
    actor: Actor,
    rows: Sequence[Row],
    group: Sequence[int],
    results: dict[int, Stored | RegistryError],
) -> None:
    """The rows of one transaction; after a refusal, those behind it are decided anew, apart from what it has seen."""
    left = list(group)
    while left:
        unit = app.unit(actor)
        decided: list[Decided] = []
        exclusive: dict[UUID, ExclusiveNames] = {}
        refused: RegistryError | None = None
        for row in left:
            decision, options = rows[row]
            try:
                aggregate = await decision(unit)
                await refuse_double_deaths(unit)
            except RegistryError as error:
                refused = error
                results[row] = error
                break
            exclusive |= {holder.stream_id: holder for holder in unit.exclusive()}
            unit.name(options.source_record_id, aggregate)
            decided.append(Decided(row, aggregate.id, unit.take(), options, taken_warnings(unit)))
        await _append(app, actor, unit, rows, decided, exclusive.values(), results)
        left = left[len(decided) + (refused is not None) :]


async def _append(
    app: Application,
    actor: Actor,
    unit: Unit,
    rows: Sequence[Row],
    decided: Sequence[Decided],
    exclusive: Iterable[ExclusiveNames],
    results: dict[int, Stored | RegistryError],
) -> None:
    if not decided:
        return
    try:
        _, answer = await append_together(app, actor, unit, decided, exclusive)
    except StoreUnavailable as error:
        results.update({one.row: error for one in decided})
        return
    if answer.outcome not in (Outcome.STORED, Outcome.DUPLICATE):
        await _each_alone(app, actor, rows, [one.row for one in decided], results)
        return
    first = 0
    for one in decided:
        positions = answer.positions[first : first + len(one.pending)]
        results[one.row] = Stored(one.aggregate, tuple(positions), created=True, warnings=one.warnings)
        first += len(one.pending)


async def _each_alone(
    app: Application,
    actor: Actor,
    rows: Sequence[Row],
    group: Sequence[int],
    results: dict[int, Stored | RegistryError],
) -> None:
    """Another request stored one of the rows, or moved a stream, in the meantime: which, each finds out by itself."""

    async def store(row: int) -> None:
        try:
            accepted = await app.execute(actor, *rows[row])
        except RegistryError as error:
            results[row] = error
        else:
            positions = tuple(event.position for event in accepted.events)
            created = accepted.created and not accepted.replayed
            results[row] = Stored(accepted.id, positions, created, warnings=accepted.warnings)

    await at_once(AT_ONCE, group, store)


async def _differs(app: Application, record: CurrentRecord) -> SourceRecordDiffers:
    event = await app.store.at(record.positions[0])
    if event is None:
        raise RuntimeError("a position without its event")
    return SourceRecordDiffers(noun_of(event.type), record.stream_id)


def _revisions(name: str) -> str:
    # A separator that no sender's id may hold, and one length whatever the name's: an id may have 255 characters.
    return f"\x1f{sha256(name.encode()).hexdigest()}\x1f"


def _next(name: str, current_name: str) -> str:
    number = 1 if current_name == name else int(current_name.rpartition("\x1f")[2]) + 1
    return f"{_revisions(name)}{number}"
