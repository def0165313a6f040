"""Events of incidents."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec

from registry.domain.certainty import LinkedReport
from registry.domain.claims import Perpetrator, Range
from registry.domain.codes import (
    AttributionBasis,
    Certainty,
    CertaintyBasis,
    CorrectionReason,
    Directness,
    DisputeGround,
    DisputeOutcome,
    IncidentClass,
    Manner,
    Means,
    Outcome,
    PerpetratorGroup,
    ReportClass,
    SourceType,
)
from registry.domain.event import Event
from registry.domain.incident_events import (
    CertaintySet,
    DisputeResolved,
    FindingRecorded,
    IncidentCorrected,
    IncidentDisclosed,
    IncidentDisputed,
    IncidentMerged,
    IncidentOpened,
    IncidentReinstated,
    IncidentRetracted,
    IncidentSplit,
    OutcomeUpdated,
    ReportLinked,
    ReportUnlinked,
    VictimRecorded,
)
from tests.golden.values.common import (
    CLINIC,
    DAY,
    NAMED_VICTIM,
    OPERATOR,
    REVIEWER,
    SECOND_REVIEWER,
    UNIVERSITY,
    VICTIMS,
    envelope,
    numbered,
)

SEALED = "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

LINKED = LinkedReport(
    report=numbered(30),
    institution=numbered(1),
    recorded=datetime(2026, 3, 2, 12, 0, 1, 123456, tzinfo=UTC),
    report_class=ReportClass.ATTACK,
    source_type=SourceType.UNIVERSITY,
    directness=Directness.DIRECT,
    source="source-5c1e9a",
    derived_from=numbered(31),
    when=DAY,
    where=CLINIC,
    evidence=True,
)
LINKED_BARELY = LinkedReport(
    report=numbered(31),
    institution=numbered(5),
    recorded=datetime(2026, 3, 2, tzinfo=UTC),
    report_class=ReportClass.THREAT,
    source_type=SourceType.PRESS,
    directness=Directness.INDIRECT,
    source=None,
    derived_from=None,
    when=None,
    where=None,
)

TALLY = {
    "strict": {"victims": [1, 1, 1], "deaths": [1, 1, 1]},
    "broad": {"victims": [1, 2, 3], "deaths": [1, 1, 1]},
}
FINDING: dict[str, Any] = {
    "when": None,
    "where": None,
    "kind": None,
    "already_public": None,
    "family_agrees": None,
    "means": None,
    "perpetrator": None,
    "basis": (),
    "reports": (),
}

INCIDENTS: dict[str, Event] = {
    "incident.opened.v1.two_reports": IncidentOpened(
        **envelope(40, 1, REVIEWER), incident_class=IncidentClass.ATTACK, reports=(LINKED, LINKED_BARELY)
    ),
    "incident.finding_recorded.v1.when": FindingRecorded(
        **envelope(40, 2, REVIEWER), **(FINDING | {"when": DAY})
    ),
    "incident.finding_recorded.v1.where": FindingRecorded(
        **envelope(40, 3, REVIEWER), **(FINDING | {"where": CLINIC})
    ),
    "incident.finding_recorded.v1.kind": FindingRecorded(
        **envelope(40, 4, REVIEWER), **(FINDING | {"kind": "COERCED_CARE"})
    ),
    "incident.finding_recorded.v1.already_public": FindingRecorded(
        **envelope(40, 5, REVIEWER), **(FINDING | {"already_public": True})
    ),
    "incident.finding_recorded.v1.not_public": FindingRecorded(
        **envelope(40, 6, SECOND_REVIEWER), **(FINDING | {"already_public": False})
    ),
    "incident.finding_recorded.v1.family_agrees": FindingRecorded(
        **envelope(40, 7, REVIEWER), **(FINDING | {"family_agrees": True})
    ),
    "incident.victim_recorded.v1.person": VictimRecorded(**envelope(40, 8, REVIEWER), victim=NAMED_VICTIM),
    "incident.victim_recorded.v1.several": VictimRecorded(**envelope(40, 9, REVIEWER), victim=VICTIMS),
    "incident.certainty_set.v1.possible": CertaintySet(
        **envelope(40, 10, REVIEWER), level=Certainty.POSSIBLE, criteria=(), basis=()
    ),
    "incident.certainty_set.v1.confirmed": CertaintySet(
        **envelope(40, 11, REVIEWER),
        level=Certainty.CONFIRMED,
        criteria=("TWO_INDEPENDENT_SOURCES_AGREE", "DOCUMENT_OR_SEALED_EVIDENCE"),
        basis=(CertaintyBasis.FORENSIC_DOCUMENT, CertaintyBasis.SEALED_EVIDENCE),
    ),
    "incident.disclosed.v1.first": IncidentDisclosed(
        **envelope(40, 12, OPERATOR),
        disclosure={
            "incident": str(numbered(40)),
            "status": "ACTIVE",
            "merged_into": None,
            "certainty": "PROBABLE",
            "disputed": False,
            "class": "ATTACK",
            "reason": None,
            "waived": [],
            "facets": {
                "tally": {"value": TALLY},
                "year": {"value": "2026"},
                **{name: {"sealed": SEALED} for name in ("state", "kind", "municipality", "month", "sex")},
            },
        },
    ),
    "incident.retracted.v1.duplicate": IncidentRetracted(
        **envelope(40, 13, REVIEWER), reason=CorrectionReason.DUPLICATE
    ),
    "incident.opened.v1.one_report": IncidentOpened(
        **envelope(41, 1, REVIEWER), incident_class=IncidentClass.ATTACK, reports=(LINKED,)
    ),
    "incident.report_linked.v1.second": ReportLinked(**envelope(41, 2, REVIEWER), report=LINKED_BARELY),
    "incident.finding_recorded.v1.means": FindingRecorded(
        **envelope(41, 3, REVIEWER),
        **(
            FINDING
            | {
                "means": (Means.FIREARM,),
                "basis": (CertaintyBasis.LINKED_REPORTS, CertaintyBasis.FORENSIC_DOCUMENT),
                "reports": (numbered(30),),
            }
        ),
    ),
    "incident.finding_recorded.v1.perpetrator": FindingRecorded(
        **envelope(41, 4, REVIEWER),
        **(
            FINDING
            | {
                "perpetrator": Perpetrator(
                    group=PerpetratorGroup.COMMON_CRIME, basis=AttributionBasis.CHARGED
                )
            }
        ),
    ),
    "incident.victim_recorded.v1.survivors": VictimRecorded(**envelope(41, 5, REVIEWER), victim=VICTIMS),
    "incident.outcome_updated.v1.one_of_them": OutcomeUpdated(
        **envelope(41, 6, SECOND_REVIEWER),
        victim=1,
        outcome=Outcome.KILLED,
        manner=Manner.HOMICIDE,
        count=Range(low=1, best=1, high=1),
        known_on=date(2026, 6, 3),
    ),
    "incident.outcome_updated.v1.all": OutcomeUpdated(
        **envelope(41, 7, SECOND_REVIEWER),
        victim=1,
        outcome=Outcome.MINOR,
        manner=None,
        count=None,
        known_on=date(2026, 6, 4),
    ),
    "incident.disputed.v1.when": IncidentDisputed(**envelope(41, 8, UNIVERSITY), ground=DisputeGround.WHEN),
    "incident.dispute_resolved.v1.upheld": DisputeResolved(
        **envelope(41, 9, REVIEWER), dispute=1, decision=DisputeOutcome.UPHELD
    ),
    "incident.corrected.v1.when": IncidentCorrected(
        **envelope(41, 10, REVIEWER),
        field="when",
        victim=None,
        old=None,
        new={"earliest": "2026-01-05", "latest": "2026-01-06", "precision": "DAY"},
        reason=CorrectionReason.DATA_ENTRY,
    ),
    "incident.corrected.v1.victim": IncidentCorrected(
        **envelope(41, 11, REVIEWER),
        field="victim",
        victim=2,
        old=msgspec.to_builtins(VICTIMS),
        new=msgspec.to_builtins(NAMED_VICTIM),
        reason=CorrectionReason.MISIDENTIFICATION,
    ),
    "incident.retracted.v1.error": IncidentRetracted(
        **envelope(41, 12, REVIEWER), reason=CorrectionReason.OUT_OF_SCOPE
    ),
    "incident.reinstated.v1.error": IncidentReinstated(
        **envelope(41, 13, SECOND_REVIEWER), reason=CorrectionReason.NEW_EVIDENCE
    ),
    "incident.report_unlinked.v1.moved": ReportUnlinked(
        **envelope(41, 14, REVIEWER), report=numbered(31), reason=CorrectionReason.MISIDENTIFICATION
    ),
    "incident.merged.v1.duplicate": IncidentMerged(
        **envelope(41, 15, REVIEWER), into=numbered(40), reason=CorrectionReason.DUPLICATE
    ),
    "incident.opened.v1.part": IncidentOpened(
        **envelope(42, 1, REVIEWER), incident_class=IncidentClass.THREAT, reports=(LINKED_BARELY,)
    ),
    "incident.split.v1.part": IncidentSplit(
        **envelope(42, 2, REVIEWER), from_=numbered(41), reason=CorrectionReason.MISIDENTIFICATION
    ),
}
