"""Reports as they are sent: what one source said."""

from typing import Annotated

import msgspec

from registry.application.drafts.common import (
    Draft,
    Kind,
    LongText,
    Reference,
    ReportedVictimDraft,
    ShortText,
    SourceRecordId,
    WhenDraft,
    WhereDraft,
)
from registry.domain.claims import Bound, Perpetrator
from registry.domain.codes import (
    NOT_REPORTED,
    CorrectionReason,
    Directness,
    Means,
    RelocationAction,
    RelocationUnit,
    ReportClass,
    SourceType,
    TriageDecision,
)
from registry.log.canonical import MAX_INTEGER

Quarter = Annotated[str, msgspec.Meta(pattern=r"^(19|20)[0-9]{2}-Q[1-4]$")]


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
    kind: Kind = NOT_REPORTED
    means: list[Means] = []
    perpetrator: Perpetrator | None = None
    victims: list[ReportedVictimDraft] = []
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


class AmendmentDraft(ReportDraft, frozen=True, kw_only=True):
    """The whole report as it should read now, and why; its class stays. What is left out is no longer said."""

    reason: CorrectionReason


class WithdrawalDraft(Draft, frozen=True, kw_only=True):
    reason: CorrectionReason


class TriageDraft(Draft, frozen=True, kw_only=True):
    """A reviewer's decision about a report.

    ``incident``: what it is linked to (LINK), or one that it was said not to be about and now may be (PENDING_INFO).
    ``reason``: why a linked report no longer is.
    """

    decision: TriageDecision
    incident: Reference | None = None
    reason: CorrectionReason | None = None
    source_record_id: SourceRecordId | None = None


class MatchRejectionDraft(Draft, frozen=True, kw_only=True):
    """The report is not about this incident."""

    incident: Reference
    source_record_id: SourceRecordId | None = None
