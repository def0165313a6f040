"""Events of the register itself."""

from datetime import UTC, datetime

from registry.domain.codes import CorrectionReason
from registry.domain.event import Event
from registry.domain.register import (
    CatalogAdopted,
    DefinitionAdopted,
    PolicyAdopted,
    ReleasePublished,
    SubjectErased,
    SubjectKind,
)
from tests.golden.values.common import OPERATOR, envelope, numbered

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
POLICY = {"id": "disclosure-policy/1", "rungs": [{"facets": ["tally", "year"], "at_least": 3}], "note": None}

REGISTER: dict[str, Event] = {
    "definition.adopted.v1.national": DefinitionAdopted(
        **envelope(50, 1, OPERATOR), definition="national-count/1", sha256=DIGEST
    ),
    "policy.adopted.v1.first": PolicyAdopted(
        **envelope(50, 2, OPERATOR), name="disclosure-policy/1", sha256=DIGEST, policy=POLICY
    ),
    "catalog.adopted.v1.municipalities": CatalogAdopted(
        **envelope(53, 1, OPERATOR), name="municipalities", vintage="2020-01-01", sha256=DIGEST, rows=2469
    ),
    "release.published.v1.answered": ReleasePublished(
        **envelope(50, 3, OPERATOR, datetime(2026, 4, 1, tzinfo=UTC)),
        release=numbered(60),
        definition=DIGEST,
        policy=DIGEST,
        disclosed=1,
        answers=(
            {"institution": str(numbered(1)), "quarter": "2026-Q1", "answer": "ANSWERED"},
            {"institution": str(numbered(5)), "quarter": "2026-Q1", "answer": "NOT_ANSWERED"},
        ),
        tables=(),
    ),
    "release.published.v1.tables": ReleasePublished(
        **envelope(50, 4, OPERATOR),
        release=numbered(61),
        definition=DIGEST,
        policy=DIGEST,
        disclosed=0,
        answers=(),
        tables=({"name": "table/1", "rows": [[1, None, "x"]]},),
    ),
    "subject.erased.v1.person": SubjectErased(
        **envelope(52, 1, OPERATOR),
        kind=SubjectKind.PERSON,
        subject="5ca1ab1e" * 4,
        reason=CorrectionReason.DATA_SUBJECT_REQUEST,
    ),
}
