"""What people send, field by field as in the public contract, before anything is decided.

Decoded strictly from JSON (unknown fields are refused). Private fields stay in drafts only for as long as it takes
to seal them: events hold codes and pseudonyms.
"""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

from registry.domain.claims import Bound, Perpetrator, Range
from registry.domain.codes import (
    NOT_REPORTED,
    AssignmentEnd,
    Certainty,
    CertaintyBasis,
    CorrectionReason,
    DatePrecision,
    Directness,
    IncidentClass,
    InstitutionKind,
    Manner,
    Means,
    Nexus,
    Outcome,
    PlacePrecision,
    PlazaType,
    RelocationAction,
    RelocationReason,
    RelocationUnit,
    ReportClass,
    Sex,
    SiteLevel,
    SourceType,
    VictimRole,
)
from registry.log.canonical import MAX_INTEGER

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"
"""A line of text; among the control characters is NUL, which the database cannot hold."""

SourceRecordId = Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=NO_CONTROLS)]
StateCode = Annotated[str, msgspec.Meta(pattern=r"^(0[1-9]|[12][0-9]|3[0-2])$")]
MunicipalityCode = Annotated[str, msgspec.Meta(pattern=r"^(0[1-9]|[12][0-9]|3[0-2])(?!000)[0-9]{3}$")]
CluesCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{5}[0-9]{6}$")]
Promotion = Annotated[str, msgspec.Meta(pattern=r"^(19|20)[0-9]{2}-[12]$")]
Quarter = Annotated[str, msgspec.Meta(pattern=r"^(19|20)[0-9]{2}-Q[1-4]$")]
LongText = Annotated[str, msgspec.Meta(max_length=20_000)]
ShortText = Annotated[str, msgspec.Meta(max_length=2_000)]


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base: strict about field names, immutable."""


class InstitutionDraft(Draft, frozen=True, kw_only=True):
    name: Name
    kind: InstitutionKind
    state: StateCode
    source_record_id: SourceRecordId | None = None


class Contact(Draft, frozen=True, kw_only=True):
    """How to reach a site. Private: encrypted, never in a leaf."""

    name: ShortText | None = None
    phone: ShortText | None = None
    email: ShortText | None = None


class SiteDraft(Draft, frozen=True, kw_only=True):
    name: Name
    cvegeo: MunicipalityCode
    clues: CluesCode | None = None
    level: SiteLevel | None = None
    plaza_types: list[PlazaType] = []
    contact: Contact | None = None
    source_record_id: SourceRecordId | None = None


class Student(Draft, frozen=True, kw_only=True):
    """A CURP, or the institution's own number: one of the two. Private; becomes a keyed pseudonym."""

    curp: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[A-Z0-9][0-9]$")] | None = None
    internal_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None


class AssignmentDraft(Draft, frozen=True, kw_only=True):
    student: Student
    site: UUID
    promotion: Promotion
    plaza_type: PlazaType
    starts: date
    planned_end: date
    source_record_id: SourceRecordId | None = None


class RecordReference(Draft, frozen=True, kw_only=True):
    """A record by its sender's own id, where the caller does not know ours.

    ``institution`` is who sent it, needed where several used that id; another institution's record is found only by
    keys that may see it.
    """

    source_record_id: SourceRecordId
    institution: UUID | None = None


Reference = UUID | RecordReference


class RelocationDraft(Draft, frozen=True, kw_only=True):
    """An assignment moves to another site."""

    to: UUID
    effective: date
    reason: RelocationReason
    trigger_incident: Reference | None = None
    source_record_id: SourceRecordId | None = None


class EndDraft(Draft, frozen=True, kw_only=True):
    """An assignment ends."""

    reason: AssignmentEnd
    on: date
    source_record_id: SourceRecordId | None = None


class WhenDraft(Draft, frozen=True, kw_only=True):
    """``wording`` keeps the source's own words for the date; private."""

    earliest: date | None
    latest: date
    precision: DatePrecision
    wording: ShortText | None = None


class WhereDraft(Draft, frozen=True, kw_only=True):
    """``wording`` keeps the source's own words for the place; private."""

    state: StateCode | None = None
    cvegeo: MunicipalityCode | None = None
    site: UUID | None = None
    precision: PlacePrecision
    wording: ShortText | None = None


class VictimDraft(Draft, frozen=True, kw_only=True):
    role: VictimRole
    sex: Sex = Sex.NOT_REPORTED
    outcome: Outcome = Outcome.NOT_REPORTED
    nexus: Nexus = Nexus.NOT_REPORTED
    count: Range | None = None
    manner: Manner | None = None
    student: Student | None = None
    assignment: UUID | None = None


class EvidenceDraft(Draft, frozen=True, kw_only=True):
    """What was seen, where and when. Private. At least a digest or a source URL."""

    algorithm: ShortText | None = None
    digest: ShortText | None = None
    size: Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)] | None = None
    media_type: ShortText | None = None
    source_url: ShortText | None = None
    acquired_at: ShortText | None = None


class ReportDraft(Draft, frozen=True, kw_only=True):
    """One source's account of a threat or an attack, or (class RELOCATION) of relocations of many.

    ``source_name`` is who says it (the outlet of a press piece): private, pseudonymised, so that two pieces of one
    outlet are not two sources. ``action``, ``unit``, ``low``, ``best``, ``high`` belong to class RELOCATION only,
    where ``where`` may be a list.
    """

    class_: ReportClass = msgspec.field(name="class")
    source_type: SourceType
    directness: Directness = Directness.INDIRECT
    source_name: ShortText | None = None
    derived_from: Reference | None = None
    when: WhenDraft | None = None
    where: WhereDraft | list[WhereDraft] | None = None
    kind: str = NOT_REPORTED
    means: list[Means] = []
    perpetrator: Perpetrator | None = None
    victims: list[VictimDraft] = []
    narrative: LongText | None = None
    evidence: list[EvidenceDraft] = []
    action: RelocationAction | None = None
    unit: RelocationUnit | None = None
    low: Bound | None = None
    best: Bound | None = None
    high: Bound | None = None
    trigger_incident: Reference | None = None
    source_record_id: SourceRecordId | None = None


class NilReportDraft(Draft, frozen=True, kw_only=True):
    """Nothing happened that the institution knows of, in one quarter."""

    quarter: Quarter
    source_record_id: SourceRecordId | None = None


class FindingDraft(Draft, frozen=True, kw_only=True):
    """One finding of a reviewer, exactly one of the four values, with the reports it rests on.

    ``already_public`` True takes effect when a second reviewer, of another organisation, finds it too;
    ``sources`` are its URLs.
    """

    when: WhenDraft | None = None
    where: WhereDraft | None = None
    kind: str | None = None
    already_public: bool | None = None
    family_agrees: bool | None = None
    sources: list[ShortText] = []


class VictimRecordDraft(VictimDraft, frozen=True, kw_only=True):
    """A victim recorded on its own, with the sender's id for it."""

    source_record_id: SourceRecordId | None = None


class FindingRecordDraft(FindingDraft, frozen=True, kw_only=True):
    """A finding recorded on its own, with the sender's id for it."""

    source_record_id: SourceRecordId | None = None


class CertaintyDraft(Draft, frozen=True, kw_only=True):
    level: Certainty
    basis: tuple[CertaintyBasis, ...] = (CertaintyBasis.LINKED_REPORTS,)


class IncidentDraft(Draft, frozen=True, kw_only=True):
    class_: IncidentClass = msgspec.field(name="class")
    reports: list[Reference]
    findings: list[FindingDraft] = []
    victims: list[VictimDraft] = []
    certainty: CertaintyDraft | None = None
    source_record_id: SourceRecordId | None = None


class RetractionDraft(Draft, frozen=True, kw_only=True):
    reason: CorrectionReason
