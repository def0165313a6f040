"""What an import answers, row by row: the shapes that ``POST /v1/imports`` returns and ``constancia import`` reads."""

from enum import StrEnum
from uuid import UUID

import msgspec

from api.imports.errors import RowProblem
from api.imports.records import Records
from registry.text import Language


class Mode(StrEnum):
    """``dry-run`` stores nothing; ``partial`` each row for itself; ``atomic`` all rows or none."""

    DRY_RUN = "dry-run"
    PARTIAL = "partial"
    ATOMIC = "atomic"


class OnChange(StrEnum):
    """What a source record that is known with other content means: an error of its row, or an amendment."""

    REJECT = "reject"
    AMEND = "amend"


class Status(StrEnum):
    """``created`` in a dry run means: would be. ``skipped``: sound, but an atomic import failed in another row."""

    CREATED = "created"
    AMENDED = "amended"
    UNCHANGED = "unchanged"
    ERROR = "error"
    SKIPPED = "skipped"


class RowError(msgspec.Struct, frozen=True):
    """``code`` is stable, ``detail`` is for people; neither repeats what the row says."""

    field: str | None
    code: str
    detail: str


class RowWarning(msgspec.Struct, frozen=True):
    """Something doubtful about a row that is accepted all the same."""

    field: str | None
    detail: str


class RowResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """``row`` counts from 1 below the heading. ``positions`` are those of its events, for their receipts.

    ``warnings`` are told when a row is stored, or would be; not again when it is found unchanged.
    """

    row: int
    status: Status
    id: UUID | None = None
    positions: tuple[int, ...] = ()
    errors: tuple[RowError, ...] = ()
    warnings: tuple[RowWarning, ...] = ()


class ImportResult(msgspec.Struct, frozen=True):
    """The whole answer. ``created`` + ``amended`` + ``unchanged`` + ``failed`` = ``rows``, unless rows were skipped."""

    mode: Mode
    records: Records
    rows: int
    created: int
    unchanged: int
    failed: int
    amended: int = 0
    results: tuple[RowResult, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """What became of one row, before it is put into a language."""

    row: int
    status: Status
    id: UUID | None = None
    positions: tuple[int, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    warnings: tuple[RowProblem, ...] = ()


def summarise(mode: Mode, records: Records, outcomes: list[Outcome], language: Language) -> ImportResult:
    """The answer in the caller's language, rows in their order."""
    statuses = [outcome.status for outcome in outcomes]
    return ImportResult(
        mode=mode,
        records=records,
        rows=len(outcomes),
        created=statuses.count(Status.CREATED),
        unchanged=statuses.count(Status.UNCHANGED),
        failed=statuses.count(Status.ERROR),
        amended=statuses.count(Status.AMENDED),
        results=tuple(result_of(outcome, language) for outcome in outcomes),
    )


def result_of(outcome: Outcome, language: Language) -> RowResult:
    """What became of one row, in one language."""
    errors = tuple(
        RowError(problem.field, problem.code, problem.detail.in_(language)) for problem in outcome.problems
    )
    warnings = tuple(RowWarning(one.field, one.detail.in_(language)) for one in outcome.warnings)
    return RowResult(outcome.row, outcome.status, outcome.id, outcome.positions, errors, warnings)
