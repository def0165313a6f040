"""What becomes of the rows of an import, and what is said of those that are refused."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from api.imports.answers import Outcome, Status
from api.imports.errors import DOUBTFUL, RowProblem
from api.imports.hints import hint_for
from api.imports.paths import value_at
from api.imports.records import problems_of
from api.problems import Problem
from registry.application.execution.answers import Accepted
from registry.application.execution.unit import Warned
from registry.application.imports.bulk import Stored
from registry.text import Text


def explained(problem: Problem, body: bytes) -> Iterator[RowProblem]:
    """What is wrong with a line, and what has most likely happened to it."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        document = None
    for one in problems_of(problem):
        hint = hint_for(one.field, value_at(document, one.field or ""))
        if hint is None:
            yield one
        else:
            yield one._replace(detail=Text(f"{one.detail.es} {hint.es}", f"{one.detail.en} {hint.en}"))


def outcome_of_stored(row: int, stored: Stored, resumed: int | None) -> Outcome:
    """``resumed``: the size of the log when the row was first tried; what was made from there on is this import's."""
    if stored.created or _made_before(stored.positions, resumed):
        status = Status.AMENDED if stored.amendment else Status.CREATED
    else:
        status = Status.UNCHANGED
    return Outcome(row, status, stored.id, stored.positions, warnings=doubts(stored.warnings))


def outcome_of_accepted(row: int, accepted: Accepted, resumed: int | None) -> Outcome:
    """The same of a row that was a command of its own."""
    positions = tuple(event.position for event in accepted.events)
    new = accepted.created and (not accepted.replayed or _made_before(positions, resumed))
    status = Status.CREATED if new else Status.UNCHANGED
    return Outcome(row, status, accepted.id, positions, warnings=doubts(accepted.warnings))


def doubts(warnings: Sequence[Warned]) -> tuple[RowProblem, ...]:
    """What somebody should look at in a row that was taken."""
    return tuple(RowProblem(one.field, DOUBTFUL, one.text) for one in warnings)


def _made_before(positions: Sequence[int], resumed: int | None) -> bool:
    """Found, and made by this very import: it was interrupted between storing and noting that it was stored."""
    return resumed is not None and positions[0] >= resumed


def skipped_unless_refused(outcome: Outcome) -> Outcome:
    """Of a row that is not stored because of another."""
    return outcome if outcome.status is Status.ERROR else Outcome(outcome.row, Status.SKIPPED)


def like_first(row: int, first: Outcome) -> Outcome:
    """A repeated row adds nothing to what its first became."""
    status = Status.UNCHANGED if first.status is Status.CREATED else first.status
    return Outcome(row, status, first.id, first.positions, first.problems)


def differs_from(first: int) -> RowProblem:
    """Of a row under the id of the row ``first``, and saying something else."""
    return RowProblem(
        field="source_record_id",
        code="source-record-differs",
        detail=Text(
            f"La fila {first} tiene el mismo source_record_id con otro contenido. Cada registro necesita el suyo.",
            f"Row {first} has the same source_record_id with other content. Each record needs its own.",
        ),
    )


SAID_TWICE: Final = RowProblem(
    field="source_record_id",
    code="source-record-differs",
    detail=Text(
        "Otra fila de este mismo archivo tiene el mismo source_record_id con otro contenido. Deje una sola.",
        "Another row of this file has the same source_record_id with other content. Keep one of them.",
    ),
)

NOT_AMENDED: Final = RowProblem(
    field="source_record_id",
    code="source-record-differs",
    detail=Text(
        "Solo los reportes se enmiendan. Corrija la asignación o el incidente, o use otro source_record_id.",
        "Only reports are amended. Correct the assignment or the incident, or use another source_record_id.",
    ),
)

NEEDS_NAME: Final = RowProblem(
    field="source_record_id",
    code="missing-source-record-id",
    detail=Text(
        "En modo atomic cada fila necesita source_record_id, para que repetir el envío no duplique nada.",
        "In mode atomic each row needs a source_record_id, so that repeating the import doubles nothing.",
    ),
)
