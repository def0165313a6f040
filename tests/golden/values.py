"""What the golden bytes say: one or more events of every type, every optional field both present and absent.

Add to this table, never change what stands in it: an event that was released stays readable for ever. A new case gets
a stream of its own, so that what is recorded of the states of the others stays, too.
"""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import msgspec

from registry.domain.assignment_events import (
    AssignmentCorrected,
    AssignmentEnded,
    AssignmentRegistered,
    AssignmentRelocated,
    AssignmentResumed,
    AssignmentStarted,
    AssignmentSuspended,
    RelocationDecided,
    RelocationRequested,
)
from registry.domain.certainty import LinkedReport
from registry.domain.claims import Perpetrator, Range, Victim, When, Where
from registry.domain.codes import (
    AssignmentEnd,
    AttributionBasis,
    Certainty,
    CertaintyBasis,
    Connectivity,
    CorrectionReason,
    DatePrecision,
    Directness,
    DisputeGround,
    DisputeOutcome,
    IncidentClass,
    InstitutionKind,
    Manner,
    Means,
    Nexus,
    Outcome,
    PerpetratorGroup,
    PlacePrecision,
    PlazaType,
    RelocationAction,
    RelocationDecision,
    RelocationReason,
    RelocationRequester,
    RelocationUnit,
    ReportClass,
    Sex,
    SiteLevel,
    SiteSuspensionReason,
    SourceType,
    StaffAlone,
    Supervision,
    SuspensionReason,
    TriageDecision,
    VictimRole,
)
from registry.domain.event import By, Event
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
from registry.domain.institution import InstitutionRegistered, InstitutionRenamed
from registry.domain.register import (
    CatalogAdopted,
    DefinitionAdopted,
    PolicyAdopted,
    ReleasePublished,
    SubjectErased,
    SubjectKind,
)
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
from registry.domain.site import ConditionsRecorded, SiteRecoded, SiteRegistered, SiteReopened, SiteSuspended


def _id(number: int) -> UUID:
    return UUID(int=(0x5EED << 96) + number, version=4)


_OPERATOR = By(institution=None, key=None)
_UNIVERSITY = By(institution=_id(1), key=_id(2))
_REVIEWER = By(institution=_id(3), key=_id(4))
_SECOND_REVIEWER = By(institution=_id(5), key=None)
_STUDENT = "person-0b6f3f8c2c6a4f5e9d0a"
_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_SEALED = "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def _envelope(stream: int, version: int, by: By, at: datetime | None = None) -> dict[str, Any]:
    return {
        "originator_id": _id(stream),
        "originator_version": version,
        "event_id": _id(stream * 1000 + version),
        "recorded": at or datetime(2026, 3, 2, 12, 0, version, 123456, tzinfo=UTC),
        "by": by,
    }


_DAY = When(earliest=date(2026, 1, 5), latest=date(2026, 1, 6), precision=DatePrecision.DAY)
_BY_THEN = When(earliest=None, latest=date(2026, 12, 31), precision=DatePrecision.YEAR)
_CLINIC = Where(state="16", cvegeo="16012", site=_id(11), precision=PlacePrecision.SITE)
_COUNTRY = Where(precision=PlacePrecision.COUNTRY)
_NAMED_VICTIM = Victim(
    role=VictimRole.PASANTE_MEDICINE,
    sex=Sex.FEMALE,
    outcome=Outcome.KILLED,
    nexus=Nexus.ON_DUTY_AT_SITE,
    manner=Manner.DISPUTED,
    person=_STUDENT,
    assignment=_id(20),
)
_VICTIMS = Victim(
    role=VictimRole.STAFF,
    sex=Sex.NOT_REPORTED,
    outcome=Outcome.UNKNOWN,
    nexus=Nexus.UNKNOWN,
    count=Range(low=2, best=3, high=1_000_000),
)
_LINKED = LinkedReport(
    report=_id(30),
    institution=_id(1),
    recorded=datetime(2026, 3, 2, 12, 0, 1, 123456, tzinfo=UTC),
    report_class=ReportClass.ATTACK,
    source_type=SourceType.UNIVERSITY,
    directness=Directness.DIRECT,
    source="source-5c1e9a",
    derived_from=_id(31),
    when=_DAY,
    where=_CLINIC,
    evidence=True,
)
_LINKED_BARELY = LinkedReport(
    report=_id(31),
    institution=_id(5),
    recorded=datetime(2026, 3, 2, tzinfo=UTC),
    report_class=ReportClass.THREAT,
    source_type=SourceType.PRESS,
    directness=Directness.INDIRECT,
    source=None,
    derived_from=None,
    when=None,
    where=None,
)
_POLICY = {"id": "disclosure-policy/1", "rungs": [{"facets": ["tally", "year"], "at_least": 3}], "note": None}
_TALLY = {
    "strict": {"victims": [1, 1, 1], "deaths": [1, 1, 1]},
    "broad": {"victims": [1, 2, 3], "deaths": [1, 1, 1]},
}
_FINDING: dict[str, Any] = {
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

GOLDEN: dict[str, Event] = {
    "institution.registered.v1.university": InstitutionRegistered(
        **_envelope(1, 1, _OPERATOR), name="Universidad Ñandú", kind=InstitutionKind.UNIVERSITY, state="09"
    ),
    "site.registered.v1.full": SiteRegistered(
        **_envelope(11, 1, _UNIVERSITY),
        name="Clínica «La Ladera» № 3",
        cvegeo="16012",
        clues="MNSSA000123",
        level=SiteLevel.FIRST,
        plaza_types=(PlazaType.A, PlazaType.CC),
    ),
    "site.registered.v1.bare": SiteRegistered(
        **_envelope(12, 1, _OPERATOR), name="Clínica", cvegeo="14053", clues=None, level=None, plaza_types=()
    ),
    "institution.registered.v1.former_name": InstitutionRegistered(
        **_envelope(2, 1, _OPERATOR), name="Instituto Primero", kind=InstitutionKind.OTHER, state="16"
    ),
    "institution.renamed.v1.second": InstitutionRenamed(
        **_envelope(2, 2, _OPERATOR), name="Instituto Segundo"
    ),
    "site.registered.v1.kept": SiteRegistered(
        **_envelope(13, 1, _OPERATOR),
        name="Clínica Tercera",
        cvegeo="16012",
        clues="MNSSA000456",
        level=None,
        plaza_types=(),
    ),
    "site.recoded.v1.new_code": SiteRecoded(
        **_envelope(13, 2, _UNIVERSITY), clues="MNIMB000456", valid_from=date(2026, 4, 1)
    ),
    "site.conditions_recorded.v1.alone": ConditionsRecorded(
        **_envelope(13, 3, _UNIVERSITY),
        connectivity=Connectivity.RADIO,
        staff_alone=StaffAlone.YES,
        supervision=Supervision.NOT_REPORTED,
        on=date(2026, 2, 15),
    ),
    "site.suspended.v1.threat": SiteSuspended(
        **_envelope(13, 4, _UNIVERSITY), reason=SiteSuspensionReason.THREAT, on=date(2026, 2, 20)
    ),
    "site.reopened.v1.later": SiteReopened(**_envelope(13, 5, _OPERATOR), on=date(2026, 3, 1)),
    "assignment.registered.v1.year": AssignmentRegistered(
        **_envelope(20, 1, _UNIVERSITY),
        student=_STUDENT,
        institution=_id(1),
        site=_id(11),
        promotion="2026-02",
        plaza_type=PlazaType.C,
        starts=date(2026, 2, 1),
        planned_end=date(2027, 1, 31),
    ),
    "assignment.relocated.v1.full": AssignmentRelocated(
        **_envelope(20, 2, _UNIVERSITY),
        from_=_id(11),
        to=_id(12),
        effective=date(2026, 3, 1),
        reason=RelocationReason.THREAT,
        trigger_incident=_id(40),
        request=24,
    ),
    "assignment.relocated.v1.bare": AssignmentRelocated(
        **_envelope(20, 3, _UNIVERSITY),
        from_=_id(12),
        to=_id(11),
        effective=date(2026, 5, 1),
        reason=RelocationReason.ADMINISTRATIVE,
        trigger_incident=None,
        request=None,
    ),
    "assignment.ended.v1.completed": AssignmentEnded(
        **_envelope(20, 4, _UNIVERSITY), reason=AssignmentEnd.COMPLETED, on=date(2027, 1, 31)
    ),
    "assignment.registered.v1.eventful": AssignmentRegistered(
        **_envelope(21, 1, _UNIVERSITY),
        student=_STUDENT,
        institution=_id(1),
        site=_id(13),
        promotion="2026-1",
        plaza_type=PlazaType.C,
        starts=date(2026, 2, 1),
        planned_end=date(2027, 1, 31),
    ),
    "assignment.registered.v1.ranked": AssignmentRegistered(
        **_envelope(22, 1, _UNIVERSITY),
        student=_STUDENT,
        institution=_id(1),
        site=_id(13),
        promotion="2026-2",
        plaza_type=PlazaType.A,
        starts=date(2026, 8, 1),
        planned_end=date(2027, 7, 31),
        selection_rank=1_204,
    ),
    "assignment.started.v1.late": AssignmentStarted(**_envelope(21, 2, _UNIVERSITY), on=date(2026, 2, 4)),
    "assignment.suspended.v1.threat": AssignmentSuspended(
        **_envelope(21, 3, _UNIVERSITY), on=date(2026, 2, 20), reason=SuspensionReason.THREAT
    ),
    "assignment.resumed.v1.month_later": AssignmentResumed(
        **_envelope(21, 4, _UNIVERSITY), on=date(2026, 3, 20)
    ),
    "assignment.relocation_requested.v1.family": RelocationRequested(
        **_envelope(21, 5, _UNIVERSITY),
        requester=RelocationRequester.FAMILY,
        reason=RelocationReason.THREAT,
        on=date(2026, 2, 21),
        trigger_incident=_id(40),
    ),
    "assignment.relocation_requested.v1.student": RelocationRequested(
        **_envelope(21, 6, _UNIVERSITY),
        requester=RelocationRequester.STUDENT,
        reason=RelocationReason.INSECURITY,
        on=date(2026, 3, 2),
        trigger_incident=None,
    ),
    "assignment.relocation_decided.v1.denied": RelocationDecided(
        **_envelope(21, 7, _UNIVERSITY),
        request=5,
        decision=RelocationDecision.DENIED,
        on=date(2026, 2, 25),
    ),
    "assignment.corrected.v1.planned_end": AssignmentCorrected(
        **_envelope(21, 8, _UNIVERSITY),
        event=1,
        field="planned_end",
        old="2027-01-31",
        new="2027-02-28",
        reason=CorrectionReason.NEW_EVIDENCE,
    ),
    "assignment.corrected.v1.trigger": AssignmentCorrected(
        **_envelope(21, 9, _UNIVERSITY),
        event=6,
        field="trigger_incident",
        old=None,
        new=str(_id(40)),
        reason=CorrectionReason.NEW_EVIDENCE,
    ),
    "assignment.corrected.v1.not_so": AssignmentCorrected(
        **_envelope(21, 10, _UNIVERSITY),
        event=4,
        field="on",
        old="2026-03-20",
        new=None,
        reason=CorrectionReason.DATA_ENTRY,
    ),
    "attack.reported.v1.full": AttackReported(
        **_envelope(30, 1, _UNIVERSITY),
        institution=_id(1),
        source_type=SourceType.UNIVERSITY,
        directness=Directness.DIRECT,
        source="source-5c1e9a",
        derived_from=_id(31),
        when=_DAY,
        where=_CLINIC,
        kind="COERCED_CARE",
        means=(Means.FIREARM, Means.VEHICLE),
        perpetrator=Perpetrator(group=PerpetratorGroup.ORGANISED_CRIME, basis=AttributionBasis.ALLEGED),
        victims=(_NAMED_VICTIM, _VICTIMS),
        digests=("digest-0f3c",),
        urls=("url-51aa", "url-9d02"),
    ),
    "attack.reported.v1.bare": AttackReported(
        **_envelope(32, 1, _SECOND_REVIEWER),
        institution=_id(5),
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
        **_envelope(31, 1, _UNIVERSITY),
        institution=_id(1),
        source_type=SourceType.VICTIM_OR_FAMILY,
        directness=Directness.DIRECT,
        source="source-77",
        derived_from=_id(30),
        when=_BY_THEN,
        where=_COUNTRY,
        kind="ORDER_TO_LEAVE",
        means=(Means.NOT_REPORTED,),
        perpetrator=Perpetrator(group=PerpetratorGroup.COMMUNITY_MEMBER, basis=AttributionBasis.ALLEGED),
        victims=(_VICTIMS,),
    ),
    "threat.reported.v1.bare": ThreatReported(
        **_envelope(33, 1, _UNIVERSITY),
        institution=_id(1),
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
        **_envelope(34, 1, _UNIVERSITY),
        institution=_id(1),
        source_type=SourceType.PRESS,
        directness=Directness.INDIRECT,
        source="source-5c1e9a",
        derived_from=_id(31),
        action=RelocationAction.WITHDRAWN,
        unit=RelocationUnit.STUDENTS,
        count=Range(low=10, best=12, high=20),
        when=_BY_THEN,
        where=(_CLINIC, _COUNTRY),
        trigger_incident=_id(40),
    ),
    "relocation.reported.v1.bare": RelocationReported(
        **_envelope(35, 1, _UNIVERSITY),
        institution=_id(1),
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
        **_envelope(36, 1, _UNIVERSITY), institution=_id(1), quarter="2025-Q4"
    ),
    "report.amended.v1.occurrence": ReportAmended(
        **_envelope(30, 2, _UNIVERSITY),
        reason=CorrectionReason.NEW_EVIDENCE,
        source_type=SourceType.PROSECUTOR,
        directness=Directness.DIRECT,
        source="source-5c1e9a",
        derived_from=_id(31),
        claims=OccurrenceClaims(
            when=_BY_THEN,
            where=_CLINIC,
            kind="ABDUCTION",
            means=(Means.FIREARM,),
            perpetrator=Perpetrator(group=PerpetratorGroup.UNKNOWN, basis=AttributionBasis.ALLEGED),
            victims=(_NAMED_VICTIM,),
            digests=("digest-0f3c",),
            urls=(),
        ),
    ),
    "report.amended.v1.bare": ReportAmended(
        **_envelope(32, 2, _SECOND_REVIEWER),
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
        **_envelope(34, 2, _UNIVERSITY),
        reason=CorrectionReason.CODEBOOK_CHANGE,
        source_type=SourceType.PRESS,
        directness=Directness.INDIRECT,
        source="source-5c1e9a",
        derived_from=None,
        claims=RelocationClaims(
            action=RelocationAction.NOT_SENT,
            unit=RelocationUnit.PLACES,
            count=Range(low=9, best=9, high=9),
            when=_DAY,
            where=(_COUNTRY,),
            trigger_incident=_id(40),
        ),
    ),
    "report.amended.v1.fewer_relocations": ReportAmended(
        **_envelope(34, 3, _UNIVERSITY),
        reason=CorrectionReason.DATA_ENTRY,
        source_type=SourceType.PRESS,
        directness=Directness.INDIRECT,
        source=None,
        derived_from=_id(31),
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
        **_envelope(30, 3, _REVIEWER), decision=TriageDecision.OUT_OF_SCOPE, incident=None
    ),
    "report.match_rejected.v1.other_incident": MatchRejected(**_envelope(30, 4, _REVIEWER), incident=_id(41)),
    "report.evidence_attached.v1.file": EvidenceAttached(
        **_envelope(30, 5, _UNIVERSITY),
        evidence=_id(38),
        size=482_113,
        media_type="application/pdf",
        digests=("digest-77b1",),
        urls=("url-51aa",),
    ),
    "report.triaged.v1.linked": ReportTriaged(
        **_envelope(30, 6, _REVIEWER), decision=TriageDecision.LINK, incident=_id(40)
    ),
    "report.withdrawn.v1.source": ReportWithdrawn(
        **_envelope(32, 3, _SECOND_REVIEWER), reason=CorrectionReason.SOURCE_WITHDRAWN
    ),
    "incident.opened.v1.two_reports": IncidentOpened(
        **_envelope(40, 1, _REVIEWER), incident_class=IncidentClass.ATTACK, reports=(_LINKED, _LINKED_BARELY)
    ),
    "incident.finding_recorded.v1.when": FindingRecorded(
        **_envelope(40, 2, _REVIEWER), **(_FINDING | {"when": _DAY})
    ),
    "incident.finding_recorded.v1.where": FindingRecorded(
        **_envelope(40, 3, _REVIEWER), **(_FINDING | {"where": _CLINIC})
    ),
    "incident.finding_recorded.v1.kind": FindingRecorded(
        **_envelope(40, 4, _REVIEWER), **(_FINDING | {"kind": "COERCED_CARE"})
    ),
    "incident.finding_recorded.v1.already_public": FindingRecorded(
        **_envelope(40, 5, _REVIEWER), **(_FINDING | {"already_public": True})
    ),
    "incident.finding_recorded.v1.not_public": FindingRecorded(
        **_envelope(40, 6, _SECOND_REVIEWER), **(_FINDING | {"already_public": False})
    ),
    "incident.finding_recorded.v1.family_agrees": FindingRecorded(
        **_envelope(40, 7, _REVIEWER), **(_FINDING | {"family_agrees": True})
    ),
    "incident.victim_recorded.v1.person": VictimRecorded(**_envelope(40, 8, _REVIEWER), victim=_NAMED_VICTIM),
    "incident.victim_recorded.v1.several": VictimRecorded(**_envelope(40, 9, _REVIEWER), victim=_VICTIMS),
    "incident.certainty_set.v1.possible": CertaintySet(
        **_envelope(40, 10, _REVIEWER), level=Certainty.POSSIBLE, criteria=(), basis=()
    ),
    "incident.certainty_set.v1.confirmed": CertaintySet(
        **_envelope(40, 11, _REVIEWER),
        level=Certainty.CONFIRMED,
        criteria=("TWO_INDEPENDENT_SOURCES_AGREE", "DOCUMENT_OR_SEALED_EVIDENCE"),
        basis=(CertaintyBasis.FORENSIC_DOCUMENT, CertaintyBasis.SEALED_EVIDENCE),
    ),
    "incident.disclosed.v1.first": IncidentDisclosed(
        **_envelope(40, 12, _OPERATOR),
        disclosure={
            "incident": str(_id(40)),
            "status": "ACTIVE",
            "merged_into": None,
            "certainty": "PROBABLE",
            "disputed": False,
            "class": "ATTACK",
            "reason": None,
            "waived": [],
            "facets": {
                "tally": {"value": _TALLY},
                "year": {"value": "2026"},
                **{name: {"sealed": _SEALED} for name in ("state", "kind", "municipality", "month", "sex")},
            },
        },
    ),
    "incident.retracted.v1.duplicate": IncidentRetracted(
        **_envelope(40, 13, _REVIEWER), reason=CorrectionReason.DUPLICATE
    ),
    "incident.opened.v1.one_report": IncidentOpened(
        **_envelope(41, 1, _REVIEWER), incident_class=IncidentClass.ATTACK, reports=(_LINKED,)
    ),
    "incident.report_linked.v1.second": ReportLinked(**_envelope(41, 2, _REVIEWER), report=_LINKED_BARELY),
    "incident.finding_recorded.v1.means": FindingRecorded(
        **_envelope(41, 3, _REVIEWER),
        **(
            _FINDING
            | {
                "means": (Means.FIREARM,),
                "basis": (CertaintyBasis.LINKED_REPORTS, CertaintyBasis.FORENSIC_DOCUMENT),
                "reports": (_id(30),),
            }
        ),
    ),
    "incident.finding_recorded.v1.perpetrator": FindingRecorded(
        **_envelope(41, 4, _REVIEWER),
        **(
            _FINDING
            | {
                "perpetrator": Perpetrator(
                    group=PerpetratorGroup.COMMON_CRIME, basis=AttributionBasis.CHARGED
                )
            }
        ),
    ),
    "incident.victim_recorded.v1.survivors": VictimRecorded(**_envelope(41, 5, _REVIEWER), victim=_VICTIMS),
    "incident.outcome_updated.v1.one_of_them": OutcomeUpdated(
        **_envelope(41, 6, _SECOND_REVIEWER),
        victim=1,
        outcome=Outcome.KILLED,
        manner=Manner.HOMICIDE,
        count=Range(low=1, best=1, high=1),
        known_on=date(2026, 6, 3),
    ),
    "incident.outcome_updated.v1.all": OutcomeUpdated(
        **_envelope(41, 7, _SECOND_REVIEWER),
        victim=1,
        outcome=Outcome.MINOR,
        manner=None,
        count=None,
        known_on=date(2026, 6, 4),
    ),
    "incident.disputed.v1.when": IncidentDisputed(**_envelope(41, 8, _UNIVERSITY), ground=DisputeGround.WHEN),
    "incident.dispute_resolved.v1.upheld": DisputeResolved(
        **_envelope(41, 9, _REVIEWER), dispute=1, decision=DisputeOutcome.UPHELD
    ),
    "incident.corrected.v1.when": IncidentCorrected(
        **_envelope(41, 10, _REVIEWER),
        field="when",
        victim=None,
        old=None,
        new={"earliest": "2026-01-05", "latest": "2026-01-06", "precision": "DAY"},
        reason=CorrectionReason.DATA_ENTRY,
    ),
    "incident.corrected.v1.victim": IncidentCorrected(
        **_envelope(41, 11, _REVIEWER),
        field="victim",
        victim=2,
        old=msgspec.to_builtins(_VICTIMS),
        new=msgspec.to_builtins(_NAMED_VICTIM),
        reason=CorrectionReason.MISIDENTIFICATION,
    ),
    "incident.retracted.v1.error": IncidentRetracted(
        **_envelope(41, 12, _REVIEWER), reason=CorrectionReason.OUT_OF_SCOPE
    ),
    "incident.reinstated.v1.error": IncidentReinstated(
        **_envelope(41, 13, _SECOND_REVIEWER), reason=CorrectionReason.NEW_EVIDENCE
    ),
    "incident.report_unlinked.v1.moved": ReportUnlinked(
        **_envelope(41, 14, _REVIEWER), report=_id(31), reason=CorrectionReason.MISIDENTIFICATION
    ),
    "incident.merged.v1.duplicate": IncidentMerged(
        **_envelope(41, 15, _REVIEWER), into=_id(40), reason=CorrectionReason.DUPLICATE
    ),
    "incident.opened.v1.part": IncidentOpened(
        **_envelope(42, 1, _REVIEWER), incident_class=IncidentClass.THREAT, reports=(_LINKED_BARELY,)
    ),
    "incident.split.v1.part": IncidentSplit(
        **_envelope(42, 2, _REVIEWER), from_=_id(41), reason=CorrectionReason.MISIDENTIFICATION
    ),
    "definition.adopted.v1.national": DefinitionAdopted(
        **_envelope(50, 1, _OPERATOR), definition="national-count/1", sha256=_DIGEST
    ),
    "policy.adopted.v1.first": PolicyAdopted(
        **_envelope(50, 2, _OPERATOR), name="disclosure-policy/1", sha256=_DIGEST, policy=_POLICY
    ),
    "catalog.adopted.v1.municipalities": CatalogAdopted(
        **_envelope(53, 1, _OPERATOR), name="municipalities", vintage="2020-01-01", sha256=_DIGEST, rows=2469
    ),
    "release.published.v1.answered": ReleasePublished(
        **_envelope(50, 3, _OPERATOR, datetime(2026, 4, 1, tzinfo=UTC)),
        release=_id(60),
        definition=_DIGEST,
        policy=_DIGEST,
        disclosed=1,
        answers=(
            {"institution": str(_id(1)), "quarter": "2026-Q1", "answer": "ANSWERED"},
            {"institution": str(_id(5)), "quarter": "2026-Q1", "answer": "NOT_ANSWERED"},
        ),
        tables=(),
    ),
    "release.published.v1.tables": ReleasePublished(
        **_envelope(50, 4, _OPERATOR),
        release=_id(61),
        definition=_DIGEST,
        policy=_DIGEST,
        disclosed=0,
        answers=(),
        tables=({"name": "table/1", "rows": [[1, None, "x"]]},),
    ),
    "subject.erased.v1.person": SubjectErased(
        **_envelope(52, 1, _OPERATOR),
        kind=SubjectKind.PERSON,
        subject="5ca1ab1e" * 4,
        reason=CorrectionReason.DATA_SUBJECT_REQUEST,
    ),
}
"""``<name on the wire>.v<class_version>.<case>`` → the event as this program must read it, upcast if it is older."""
