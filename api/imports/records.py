"""The kinds of records that can be imported, and how one is read from one line.

``relocations`` are statements about relocations of many (reports of class RELOCATION), as a third party makes them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from api.auth.scopes import Scope
from api.imports.errors import RowProblem
from api.problems import INVALID_INPUT, FieldError, Problem
from api.rest.bodies import decode
from registry.application.drafts import AssignmentDraft, IncidentDraft, ReportDraft
from registry.domain.codes import ReportClass
from registry.text import Text

RecordDraft = AssignmentDraft | ReportDraft | IncidentDraft


class Records(StrEnum):
    """What a file holds: the value of ``records=`` and of ``--records``."""

    ASSIGNMENTS = "assignments"
    RELOCATIONS = "relocations"
    REPORTS = "reports"
    INCIDENTS = "incidents"


class Kind(NamedTuple):
    """``scope`` is what a key needs beside ``imports:write``; ``collection`` is where its records are found."""

    draft: type[RecordDraft]
    scope: Scope
    collection: str


KINDS: Final[Mapping[Records, Kind]] = {
    Records.ASSIGNMENTS: Kind(AssignmentDraft, Scope.ASSIGNMENTS_WRITE, "/v1/assignments"),
    Records.RELOCATIONS: Kind(ReportDraft, Scope.REPORTS_WRITE, "/v1/reports"),
    Records.REPORTS: Kind(ReportDraft, Scope.REPORTS_WRITE, "/v1/reports"),
    Records.INCIDENTS: Kind(IncidentDraft, Scope.INCIDENTS_VERIFY, "/v1/incidents"),
}


def read_record(records: Records, line: bytes) -> RecordDraft:
    """The draft that one JSON object makes, by the rules of the endpoint that takes such records one by one.

    :raises Problem: what that endpoint would answer; its errors name fields and repeat no value.
    """
    draft = decode(line, KINDS[records].draft)
    if (
        records is Records.RELOCATIONS
        and isinstance(draft, ReportDraft)
        and draft.class_ != ReportClass.RELOCATION
    ):
        raise Problem(
            INVALID_INPUT,
            errors=[
                FieldError(
                    "class",
                    Text(
                        "Se acepta RELOCATION; amenazas y ataques se importan como reports.",
                        "RELOCATION is accepted; threats and attacks are imported as reports.",
                    ),
                )
            ],
        )
    return draft


def problems_of(problem: Problem) -> list[RowProblem]:
    """What is wrong with a row, field by field."""
    slug = problem.kind.slug
    if not problem.errors:
        return [RowProblem(field=None, code=slug, detail=problem.detail)]
    return [RowProblem(field=error.field or None, code=slug, detail=error.text) for error in problem.errors]
