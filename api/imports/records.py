"""The kinds of records that can be imported, and how one is read from one line.

``relocations`` are either statements about relocations of many (reports of class RELOCATION), as a third party makes
them, or, where a row names an ``assignment``, the relocation of that one, as its university records it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from api.auth.scopes import Scope
from api.imports.errors import RowProblem
from api.problems import INVALID_INPUT, FieldError, Problem
from api.rest.bodies import decode
from registry.application import assignments, incidents, reports
from registry.application.claims import references
from registry.application.drafts import (
    AssignmentDraft,
    Draft,
    IncidentDraft,
    RecordReference,
    Reference,
    RelocationDraft,
    ReportDraft,
)
from registry.application.execution.unit import Decision, Unit
from registry.application.places import by_name
from registry.application.places.by_name import ReportNamingPlaces
from registry.domain.assignment import Assignment
from registry.domain.codes import ReportClass
from registry.domain.event import Aggregate
from registry.text import Text


class AssignmentRow(AssignmentDraft, frozen=True, kw_only=True):
    """An assignment whose ``site`` may be named by its CLUES, or the id that it was registered under."""

    site: Reference  # type: ignore[assignment]


class RelocationRow(RelocationDraft, frozen=True, kw_only=True):
    """The relocation of one assignment; both sites and the assignment may be named by their senders' own ids."""

    assignment: Reference
    to: Reference  # type: ignore[assignment]


RecordDraft = AssignmentRow | RelocationRow | ReportDraft | IncidentDraft


class Records(StrEnum):
    """What a file holds: the value of ``records=`` and of ``--records``."""

    ASSIGNMENTS = "assignments"
    RELOCATIONS = "relocations"
    REPORTS = "reports"
    INCIDENTS = "incidents"


class Kind(NamedTuple):
    """``drafts`` are what a row may be; ``scope`` is what a key needs beside ``imports:write``."""

    drafts: tuple[type[RecordDraft], ...]
    scopes: frozenset[Scope]
    collection: str


_REPORTS: Final = frozenset({Scope.REPORTS_WRITE})
_ASSIGNMENTS: Final = frozenset({Scope.ASSIGNMENTS_WRITE})

KINDS: Final[Mapping[Records, Kind]] = {
    Records.ASSIGNMENTS: Kind((AssignmentRow,), _ASSIGNMENTS, "/v1/assignments"),
    Records.RELOCATIONS: Kind((ReportNamingPlaces, RelocationRow), _REPORTS | _ASSIGNMENTS, "/v1/reports"),
    Records.REPORTS: Kind((ReportNamingPlaces,), _REPORTS, "/v1/reports"),
    Records.INCIDENTS: Kind((IncidentDraft,), frozenset({Scope.INCIDENTS_VERIFY}), "/v1/incidents"),
}

AMENDABLE: Final = frozenset({Records.REPORTS, Records.RELOCATIONS})
"""Reports are said anew as a whole; assignments and incidents are corrected field by field, with a reason."""

_SCOPE_OF: Final[Mapping[type[Draft], Scope]] = {
    AssignmentRow: Scope.ASSIGNMENTS_WRITE,
    RelocationRow: Scope.ASSIGNMENTS_WRITE,
    ReportDraft: Scope.REPORTS_WRITE,
    ReportNamingPlaces: Scope.REPORTS_WRITE,
    IncidentDraft: Scope.INCIDENTS_VERIFY,
}


def scope_of(draft: RecordDraft) -> Scope:
    """What a key needs for this row."""
    return _SCOPE_OF[type(draft)]


def read_record(records: Records, line: bytes) -> RecordDraft:
    """The draft that one JSON object makes, by the rules of the endpoint that takes such records one by one.

    :raises Problem: what that endpoint would answer; its errors name fields and repeat no value.
    """
    match records:
        case Records.RELOCATIONS:
            return _relocation(line)
        case Records.REPORTS:
            return _report(line)
        case _:
            draft: RecordDraft = decode(line, KINDS[records].drafts[0])
            return draft


def _relocation(line: bytes) -> RecordDraft:
    if _names_assignment(line):
        return decode(line, RelocationRow)
    draft = _report(line)
    if draft.class_ is not ReportClass.RELOCATION:
        text = Text(
            "Se acepta RELOCATION; amenazas y ataques se importan como reports.",
            "RELOCATION is accepted; threats and attacks are imported as reports.",
        )
        raise Problem(INVALID_INPUT, errors=[FieldError("class", text)])
    return draft


def _report(line: bytes) -> ReportDraft:
    """One that names no place is the very draft that the endpoint takes, so that either recognises the other's."""
    return decode(line, ReportNamingPlaces if _names_place(line) else ReportDraft)


def _names_place(line: bytes) -> bool:
    try:
        where = msgspec.json.decode(line, type=_Placed).where
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    places = where if isinstance(where, list) else [where]
    return any(
        isinstance(one, dict) and (one.get("place") is not None or isinstance(one.get("site"), dict))
        for one in places
    )


class _Placed(msgspec.Struct):
    where: object = None


class _Named(msgspec.Struct):
    assignment: object = None


def _names_assignment(line: bytes) -> bool:
    try:
        return msgspec.json.decode(line, type=_Named).assignment is not None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def decide(draft: RecordDraft) -> Decision:
    """The use case of a draft."""
    match draft:
        case AssignmentRow():
            return _registered(draft)
        case RelocationRow():
            return _relocated(draft)
        case ReportNamingPlaces():
            return _submitted(draft)
        case ReportDraft():
            return reports.submit(draft)
        case IncidentDraft():
            return incidents.open_incident(draft)


def _submitted(row: ReportNamingPlaces) -> Decision:
    async def decided(unit: Unit) -> Aggregate:
        return await reports.submit(await by_name.with_codes(unit, row))(unit)

    return decided


def _registered(row: AssignmentRow) -> Decision:
    async def decided(unit: Unit) -> Aggregate:
        site = await by_name.find_site(unit, row.site, "site", row.starts)
        draft = AssignmentDraft(
            student=row.student,
            site=site,
            promotion=row.promotion,
            plaza_type=row.plaza_type,
            starts=row.starts,
            planned_end=row.planned_end,
            selection_rank=row.selection_rank,
            source_record_id=row.source_record_id,
        )
        return await assignments.register(draft)(unit)

    return decided


def _relocated(row: RelocationRow) -> Decision:
    async def decided(unit: Unit) -> Aggregate:
        assignment = await references.find(unit, Assignment, row.assignment, "assignment")
        draft = RelocationDraft(
            to=await by_name.find_site(unit, row.to, "to", row.effective),
            effective=row.effective,
            reason=row.reason,
            trigger_incident=row.trigger_incident,
            request=row.request,
            source_record_id=row.source_record_id,
        )
        return await assignments.relocate(assignment.id, draft)(unit)

    return decided


def names_of(draft: RecordDraft) -> list[str]:
    """The senders' own ids of the records that a row refers to."""
    named: list[Reference | None] = []
    match draft:
        case ReportDraft():
            named = [draft.derived_from, draft.trigger_incident]
        case IncidentDraft():
            named = [*draft.reports]
        case RelocationRow():
            named = [draft.assignment, draft.trigger_incident]
    return [one.source_record_id for one in named if isinstance(one, RecordReference)]


def problems_of(problem: Problem) -> list[RowProblem]:
    """What is wrong with a row, field by field."""
    slug = problem.kind.slug
    if not problem.errors:
        return [RowProblem(field=None, code=slug, detail=problem.detail)]
    return [RowProblem(field=error.field or None, code=slug, detail=error.text) for error in problem.errors]
