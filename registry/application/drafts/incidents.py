"""Incidents as reviewers send them."""

import msgspec

from registry.application.drafts.common import (
    Draft,
    Reference,
    ShortText,
    SourceRecordId,
    VictimDraft,
    WhenDraft,
    WhereDraft,
)
from registry.domain.codes import Certainty, CertaintyBasis, CorrectionReason, IncidentClass


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
