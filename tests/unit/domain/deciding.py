"""An incident with the reports it rests on, those who decide about it, and what refuses them."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from registry.domain.certainty import LinkedReport
from registry.domain.claims import Victim, When, Where
from registry.domain.codes import (
    Certainty,
    CertaintyBasis,
    CorrectionReason,
    DatePrecision,
    Directness,
    IncidentClass,
    IncidentStatus,
    Nexus,
    Outcome,
    PlacePrecision,
    ReportClass,
    Sex,
    SourceType,
    VictimRole,
)
from registry.domain.event import Act, By
from registry.domain.incident import Incident
from registry.errors import RuleViolated

NOW = datetime(2026, 2, 1, tzinfo=UTC)
REPORTER, OTHER_REPORTER, REVIEWER, SECOND, THIRD = (UUID(int=n, version=4) for n in range(1, 6))
LINKED, DOCUMENTED = (CertaintyBasis.LINKED_REPORTS,), (CertaintyBasis.OFFICIAL_DOCUMENT,)
WHY = CorrectionReason.MISIDENTIFICATION


def by(institution: UUID | None) -> Act:
    return Act(By(institution=institution, key=None), NOW)


def report(institution: UUID = REPORTER, **changes: Any) -> LinkedReport:
    fields: dict[str, Any] = {
        "report": uuid4(),
        "institution": institution,
        "recorded": NOW,
        "report_class": ReportClass.ATTACK,
        "source_type": SourceType.UNIVERSITY,
        "directness": Directness.DIRECT,
        "source": None,
        "derived_from": None,
        "when": When(earliest=date(2026, 1, 5), latest=date(2026, 1, 5), precision=DatePrecision.DAY),
        "where": Where(state="16", cvegeo="16012", precision=PlacePrecision.MUNICIPALITY),
    }
    return LinkedReport(**(fields | changes))


def victim(**changes: Any) -> Victim:
    fields: dict[str, Any] = {
        "role": VictimRole.PASANTE_MEDICINE,
        "sex": Sex.FEMALE,
        "outcome": Outcome.SEVERE,
        "nexus": Nexus.ON_DUTY_AT_SITE,
    }
    return Victim(**(fields | changes))


def opened(*reports: LinkedReport, **more: Any) -> Incident:
    return Incident.open(
        by(REVIEWER), incident_class=IncidentClass.ATTACK, reports=reports or [report()], **more
    )


def probable() -> tuple[Incident, LinkedReport, LinkedReport]:
    """An incident that two independent sources make PROBABLE."""
    one, other = report(), report(OTHER_REPORTER)
    incident = opened(one, other)
    incident.set_certainty(by(REVIEWER), level=Certainty.PROBABLE, basis=LINKED)
    return incident, one, other


def standing(incident: Incident) -> tuple[Certainty | None, IncidentStatus]:
    return incident.certainty, incident.status


def level(incident: Incident) -> str | None:
    return incident.certainty


def refusal(refused: Callable[[], object]) -> str:
    with pytest.raises(RuleViolated) as caught:
        refused()
    return caught.value.rule
