"""Several decisions of one file: stored together or not at all, or only checked.

Later rows see what earlier ones decided.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from registry.application.execution.answers import Accepted
from registry.application.execution.application import MAX_ATTEMPTS, Application, contended
from registry.application.execution.deaths import refuse_double_deaths
from registry.application.execution.sealing import Sealed, seal
from registry.application.execution.unit import Actor, Decision, Unit, Warned, WriteOptions
from registry.domain.event import Pending
from registry.errors import InvalidInput, RegistryError
from registry.store import Answer, Command, ExclusiveNames, Outcome, SourceRecord

Row = tuple[Decision, WriteOptions]


class RowRejected(RegistryError):
    """One decision of several that were to be stored together was refused, so none was. ``row`` from 0."""

    def __init__(self, row: int, error: RegistryError) -> None:
        self.row = row
        self.error = error
        super().__init__(error.text.es, error.text.en)


class Decided(NamedTuple):
    """A row that has something to store, with its record's id and what is doubtful about it."""

    row: int
    aggregate: UUID
    pending: list[Pending]
    options: WriteOptions
    warnings: tuple[Warned, ...] = ()


class Checked(NamedTuple):
    """What would become of a row, and what would be doubtful about it."""

    verdict: Literal["created", "unchanged"] | RegistryError
    warnings: tuple[Warned, ...] = ()


async def execute_all(app: Application, actor: Actor, rows: Sequence[Row]) -> list[Accepted]:
    """Stores several decisions in one transaction, or none of them.

    Rows whose source record is known with the same content are answered as they were, and not stored again. The
    Idempotency-Key of single rows is not used. Raises RowRejected for the first row that is refused.
    """
    for _ in range(MAX_ATTEMPTS):
        unit = app.unit(actor)
        file = _File()
        accepted: dict[int, Accepted] = {}
        decided: list[Decided] = []
        exclusive: dict[UUID, ExclusiveNames] = {}
        for row, (decision, options) in enumerate(rows):
            try:
                if known := await app.repeats.find(actor, options):
                    accepted[row] = await app.answers.again(
                        known.event_ids, created=known.replayed, replayed=known.replayed
                    )
                elif not file.repeats(row, options):
                    aggregate = await decision(unit)
                    await refuse_double_deaths(unit)
                    exclusive |= {holder.stream_id: holder for holder in unit.exclusive()}
                    unit.name(options.source_record_id, aggregate)
                    decided.append(Decided(row, aggregate.id, unit.take(), options, taken_warnings(unit)))
            except RegistryError as error:
                raise RowRejected(row, error) from error
        stored = await _append(app, actor, unit, decided, exclusive.values())
        if stored is not None:
            accepted |= stored
            for row, first in file.repeated.items():
                accepted[row] = msgspec.structs.replace(accepted[first], created=False)
            return [accepted[row] for row in range(len(rows))]
        # Another request stored one of the rows, or moved a stream, in the meantime: look again.
    raise contended()


async def check(app: Application, actor: Actor, rows: Iterable[Row]) -> list[Checked]:
    """A dry run: what would become of each row, in order. Stores nothing."""
    unit = app.unit(actor)
    file = _File()
    verdicts: list[Checked] = []
    for row, (decision, options) in enumerate(rows):
        try:
            if await app.repeats.find(actor, options) or file.repeats(row, options):
                verdicts.append(Checked("unchanged"))
            else:
                await _decide(unit, decision, options)
                verdicts.append(Checked("created", taken_warnings(unit)))
        except RegistryError as error:
            unit.warnings.clear()
            verdicts.append(Checked(error))
    return verdicts


def taken_warnings(unit: Unit) -> tuple[Warned, ...]:
    """What a unit has warned of since the last call: in a unit of many rows, that of one row."""
    warnings = tuple(unit.warnings)
    unit.warnings.clear()
    return warnings


async def _decide(unit: Unit, decision: Decision, options: WriteOptions) -> None:
    """Takes a decision of which only its possibility matters."""
    try:
        aggregate = await decision(unit)
        await refuse_double_deaths(unit)
    except RegistryError:
        unit.discard()
        raise
    unit.name(options.source_record_id, aggregate)
    unit.take()


async def append_together(
    app: Application,
    actor: Actor,
    unit: Unit,
    decided: Sequence[Decided],
    exclusive: Iterable[ExclusiveNames],
) -> tuple[list[Sealed], Answer]:
    """All rows in one command. Everything is sealed at once: one look into the vault."""
    sealed, data_keys = await seal(app.vault, [pending for one in decided for pending in one.pending])
    records: list[SourceRecord] = []
    first = 0
    for one in decided:
        records += app.repeats.source_record(actor, one.options, first, first + len(one.pending) - 1)
        first += len(one.pending)
    answer = await app.store.append(
        Command(
            tuple(one.event for one in sealed),
            None,
            tuple(records),
            data_keys,
            unit.reads({one.event.stream_id for one in sealed}),
            tuple(exclusive),
        )
    )
    return sealed, answer


async def _append(
    app: Application,
    actor: Actor,
    unit: Unit,
    decided: Sequence[Decided],
    exclusive: Iterable[ExclusiveNames],
) -> dict[int, Accepted] | None:
    """The answers by row; None if the command lost a race."""
    if not decided:
        return {}
    sealed, answer = await append_together(app, actor, unit, decided, exclusive)
    if answer.outcome not in (Outcome.STORED, Outcome.DUPLICATE):
        return None
    accepted = {}
    first = 0
    for one in decided:
        last = first + len(one.pending)
        accepted[one.row] = app.answers.first(
            one.aggregate, sealed[first:last], answer.positions[first:last], one.warnings
        )
        first = last
    return accepted


class _File:
    """The source records of one file, which may come twice."""

    def __init__(self) -> None:
        self.repeated: dict[int, int] = {}
        """Row → the earlier row that it repeats."""
        self._first: dict[str, tuple[int, bytes]] = {}

    def repeats(self, row: int, options: WriteOptions) -> bool:
        """Whether an earlier row said the same. Raises InvalidInput if one said something else under the same id."""
        if options.source_record_id is None:
            return False
        first, content = self._first.setdefault(options.source_record_id, (row, options.content))
        if content != options.content:
            raise InvalidInput(
                "source_record_id",
                "Otra fila de este mismo envío lleva ese source_record_id con otro contenido. Deje una sola.",
                "Another row of this submission has that source_record_id with other content. Keep one of them.",
            )
        if first != row:
            self.repeated[row] = first
        return first != row
