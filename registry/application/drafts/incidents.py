"""Incidents as reviewers send them."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

from registry.application.drafts.common import (
    Draft,
    Kind,
    LongText,
    Pseudonym,
    Reference,
    ShortText,
    SourceRecordId,
    Student,
    VictimDraft,
    WhenDraft,
    WhereDraft,
)
from registry.domain.claims import Perpetrator, Range
from registry.domain.codes import (
    Certainty,
    CertaintyBasis,
    CorrectionReason,
    DisputeGround,
    DisputeOutcome,
    IncidentClass,
    Manner,
    Means,
    Nexus,
    Outcome,
    Sex,
    VictimRole,
)

Number = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
"""Of a victim or a dispute of an incident, counted from 1."""


class FindingDraft(Draft, frozen=True, kw_only=True):
    """One finding of a reviewer: exactly one value, what it rests on, and the linked reports that say so.

    ``already_public`` True takes effect when a second reviewer, of another organisation, finds it too;
    ``sources`` are its URLs.
    """

    when: WhenDraft | None = None
    where: WhereDraft | None = None
    kind: Kind | None = None
    means: list[Means] | None = None
    perpetrator: Perpetrator | None = None
    already_public: bool | None = None
    family_agrees: bool | None = None
    basis: tuple[CertaintyBasis, ...] = (CertaintyBasis.LINKED_REPORTS,)
    reports: list[Reference] = []
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


class LinkDraft(Draft, frozen=True, kw_only=True):
    """``report`` is linked, or ``remove`` is unlinked for a ``reason``: one of the two."""

    report: Reference | None = None
    remove: Reference | None = None
    reason: CorrectionReason | None = None
    source_record_id: SourceRecordId | None = None


class OutcomeDraft(Draft, frozen=True, kw_only=True):
    """What became of a victim, by its number. ``known_on``: the day on which it became known, today if absent.

    ``count``: of how many of several alike, when not of all; the rest keep their outcome, and these get the next
    number.
    """

    victim: Number
    outcome: Outcome
    manner: Manner | None = None
    count: Range | None = None
    known_on: date | None = None
    source_record_id: SourceRecordId | None = None


class DisputeDraft(Draft, frozen=True, kw_only=True):
    """An institution contests an incident. Its words are private."""

    ground: DisputeGround
    statement: LongText | None = None
    source_record_id: SourceRecordId | None = None


class DisputeResolutionDraft(Draft, frozen=True, kw_only=True):
    """``dispute`` is the number; it may be left out while one dispute is open. The words are private."""

    decision: DisputeOutcome
    dispute: Number | None = None
    resolution: LongText | None = None


class VictimCorrectionDraft(Draft, frozen=True, kw_only=True):
    """What is wrong about the victim of a number; what is left out stays as it is.

    ``unidentified`` takes away the person who was named wrongly. A ``count`` of 0 says that there was no such victim.
    """

    number: Number
    role: VictimRole | None = None
    sex: Sex | None = None
    outcome: Outcome | None = None
    nexus: Nexus | None = None
    count: Range | None = None
    manner: Manner | None = None
    student: Student | None = None
    assignment: UUID | None = None
    person: Pseudonym | None = None
    unidentified: bool = False


class IncidentCorrectionDraft(Draft, frozen=True, kw_only=True):
    """What should have been recorded, at least one value; each becomes an event with the old and the new value.

    ``authority`` is on whose word (the number of a ruling, say); private.
    """

    reason: CorrectionReason
    authority: ShortText | None = None
    class_: IncidentClass | None = msgspec.field(name="class", default=None)
    when: WhenDraft | None = None
    where: WhereDraft | None = None
    kind: Kind | None = None
    means: list[Means] | None = None
    perpetrator: Perpetrator | None = None
    victim: VictimCorrectionDraft | None = None


class RetractionDraft(Draft, frozen=True, kw_only=True):
    reason: CorrectionReason


class ReinstatementDraft(Draft, frozen=True, kw_only=True):
    reason: CorrectionReason


class MergeDraft(Draft, frozen=True, kw_only=True):
    """This incident is the same as ``into``, which remains."""

    into: Reference
    reason: CorrectionReason = CorrectionReason.DUPLICATE


class SplitDraft(Draft, frozen=True, kw_only=True):
    """A part of this incident becomes an incident of its own: some of its reports, and the victims of some numbers.

    ``class``: of the new incident, that of this one if absent. ``findings`` and ``certainty`` are about the new one.
    """

    reports: list[Reference]
    reason: CorrectionReason
    victims: list[Number] = []
    class_: IncidentClass | None = msgspec.field(name="class", default=None)
    findings: list[FindingDraft] = []
    certainty: CertaintyDraft | None = None
