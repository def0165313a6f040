"""Events of reports."""

from datetime import date

from registry.domain.claims import Perpetrator, Range, When, Where
from registry.domain.codes import (
    AttributionBasis,
    CorrectionReason,
    DatePrecision,
    Directness,
    Means,
    PerpetratorGroup,
    PlacePrecision,
    RelocationAction,
    RelocationUnit,
    SourceType,
    TriageDecision,
)
from registry.domain.event import Event
from registry.domain.report_events import (
    AttackReported,
    EvidenceAttached,
    MatchRejected,
    NilReported,
    OccurrenceClaims,
    RelocationClaims,
    RelocationReported,
    ReportAmended,
    ReportTriaged,
    ReportWithdrawn,
    ThreatReported,
)
from tests.golden.values.common import (
    CLINIC,
    DAY,
    NAMED_VICTIM,
    REVIEWER,
    SECOND_REVIEWER,
    UNIVERSITY,
    VICTIMS,
    envelope,
    numbered,
)

BY_THEN = When(earliest=None, latest=date(2026, 12, 31), precision=DatePrecision.YEAR)
COUNTRY = Where(precision=PlacePrecision.COUNTRY)

REPORTS: dict[str, Event] = {
    "attack.reported.v1.full": AttackReported(
        **envelope(30, 1, UNIVERSITY),
        institution=numbered(1),
        source_type=SourceType.UNIVERSITY,
        directness=Directness.DIRECT,
        source="source-5c1e9a",
        derived_from=numbered(31),
        when=DAY,
        where=CLINIC,
        kind="COERCED_CARE",
        means=(Means.FIREARM, Means.VEHICLE),
        perpetrator=Perpetrator(group=PerpetratorGroup.ORGANISED_CRIME, basis=AttributionBasis.ALLEGED),
        victims=(NAMED_VICTIM, VICTIMS),
        digests=("digest-0f3c",),
        urls=("url-51aa", "url-9d02"),
    ),
    "attack.reported.v1.bare": AttackReported(
        **envelope(32, 1, SECOND_REVIEWER),
        institution=numbered(5),
        source_type=SourceType.PRESS,
        directness=Directness.INDIRECT,
        source=None,
        derived_from=None,
        when=None,
        where=None,
        kind="NOT_REPORTED",
        means=(),
        perpetrator=None,
        victims=(),
    ),
    "threat.reported.v1.full": ThreatReported(
        **envelope(31, 1, UNIVERSITY),
        institution=numbered(1),
        source_type=SourceType.VICTIM_OR_FAMILY,
        directness=Directness.DIRECT,
        source="source-77",
        derived_from=numbered(30),
        when=BY_THEN,
        where=COUNTRY,
        kind="ORDER_TO_LEAVE",
        means=(Means.NOT_REPORTED,),
        perpetrator=Perpetrator(group=PerpetratorGroup.COMMUNITY_MEMBER, basis=AttributionBasis.ALLEGED),
        victims=(VICTIMS,),
    ),
    "threat.reported.v1.bare": ThreatReported(
        **envelope(33, 1, UNIVERSITY),
        institution=numbered(1),
        source_type=SourceType.VICTIM_OR_FAMILY,
        directness=Directness.DIRECT,
        source=None,
        derived_from=None,
        when=None,
        where=None,
        kind="UNKNOWN",
        means=(),
        perpetrator=None,
        victims=(),
    ),
    "relocation.reported.v1.full": RelocationReported(
        **envelope(34, 1, UNIVERSITY),
        institution=numbered(1),
        source_type=SourceType.PRESS,
        directness=Directness.INDIRECT,
        source="source-5c1e9a",
        derived_from=numbered(31),
        action=RelocationAction.WITHDRAWN,
        unit=RelocationUnit.STUDENTS,
        count=Range(low=10, best=12, high=20),
        when=BY_THEN,
        where=(CLINIC, COUNTRY),
        trigger_incident=numbered(40),
    ),
    "relocation.reported.v1.bare": RelocationReported(
        **envelope(35, 1, UNIVERSITY),
        institution=numbered(1),
        source_type=SourceType.PRESS,
        directness=Directness.INDIRECT,
        source=None,
        derived_from=None,
        action=RelocationAction.CLOSED,
        unit=None,
        count=None,
        when=None,
        where=(),
        trigger_incident=None,
    ),
    "nil.reported.v1.quarter": NilReported(
        **envelope(36, 1, UNIVERSITY), institution=numbered(1), quarter="2025-Q4"
    ),
    "report.amended.v1.occurrence": ReportAmended(
        **envelope(30, 2, UNIVERSITY),
        reason=CorrectionReason.NEW_EVIDENCE,
        source_type=SourceType.PROSECUTOR,
        directness=Directness.DIRECT,
        source="source-5c1e9a",
        derived_from=numbered(31),
        claims=OccurrenceClaims(
            when=BY_THEN,
            where=CLINIC,
            kind="ABDUCTION",
            means=(Means.FIREARM,),
            perpetrator=Perpetrator(group=PerpetratorGroup.UNKNOWN, basis=AttributionBasis.ALLEGED),
            victims=(NAMED_VICTIM,),
            digests=("digest-0f3c",),
            urls=(),
        ),
    ),
    "report.amended.v1.bare": ReportAmended(
        **envelope(32, 2, SECOND_REVIEWER),
        reason=CorrectionReason.DATA_ENTRY,
        source_type=SourceType.PRESS,
        directness=Directness.INDIRECT,
        source=None,
        derived_from=None,
        claims=OccurrenceClaims(
            when=None, where=None, kind="UNKNOWN", means=(), perpetrator=None, victims=(), digests=(), urls=()
        ),
    ),
    "report.amended.v1.relocations": ReportAmended(
        **envelope(34, 2, UNIVERSITY),
        reason=CorrectionReason.CODEBOOK_CHANGE,
        source_type=SourceType.PRESS,
        directness=Directness.INDIRECT,
        source="source-5c1e9a",
        derived_from=None,
        claims=RelocationClaims(
            action=RelocationAction.NOT_SENT,
            unit=RelocationUnit.PLACES,
            count=Range(low=9, best=9, high=9),
            when=DAY,
            where=(COUNTRY,),
            trigger_incident=numbered(40),
        ),
    ),
    "report.amended.v1.fewer_relocations": ReportAmended(
        **envelope(34, 3, UNIVERSITY),
        reason=CorrectionReason.DATA_ENTRY,
        source_type=SourceType.PRESS,
        directness=Directness.INDIRECT,
        source=None,
        derived_from=numbered(31),
        claims=RelocationClaims(
            action=RelocationAction.NOT_SENT,
            unit=None,
            count=None,
            when=None,
            where=(),
            trigger_incident=None,
        ),
    ),
    "report.triaged.v1.out_of_scope": ReportTriaged(
        **envelope(30, 3, REVIEWER), decision=TriageDecision.OUT_OF_SCOPE, incident=None
    ),
    "report.match_rejected.v1.other_incident": MatchRejected(
        **envelope(30, 4, REVIEWER), incident=numbered(41)
    ),
    "report.evidence_attached.v1.file": EvidenceAttached(
        **envelope(30, 5, UNIVERSITY),
        evidence=numbered(38),
        size=482_113,
        media_type="application/pdf",
        digests=("digest-77b1",),
        urls=("url-51aa",),
    ),
    "report.triaged.v1.linked": ReportTriaged(
        **envelope(30, 6, REVIEWER), decision=TriageDecision.LINK, incident=numbered(40)
    ),
    "report.withdrawn.v1.source": ReportWithdrawn(
        **envelope(32, 3, SECOND_REVIEWER), reason=CorrectionReason.SOURCE_WITHDRAWN
    ),
}
