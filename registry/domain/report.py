"""Reports: what one source said. Kept apart from incidents for ever, however often it is repeated or contradicted.

Its institution amends and withdraws it, and whatever it said before stays in the stream. Reviewers of other
institutions triage it. A report is about one occurrence: it is linked to one incident at a time.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from registry.domain.codes import (
    CorrectionReason,
    Directness,
    ReportClass,
    SourceType,
    TriageDecision,
)
from registry.domain.event import Act, Aggregate, Event, Private
from registry.domain.report_events import (
    AttackReported,
    EvidenceAttached,
    IncidentReported,
    MatchRejected,
    NilReported,
    OccurrenceClaims,
    RelocationClaims,
    RelocationReported,
    ReportAmended,
    ReportedEvent,
    ReportTriaged,
    ReportWithdrawn,
    ThreatReported,
)
from registry.domain.report_rules import (
    already_linked,
    linked_elsewhere,
    must_be_submitter,
    must_be_triaged_by_others,
    not_linked,
    nothing_to_triage,
    out_of_scope,
    rejected_before,
    rejected_by_own_institution,
    still_linked,
    withdrawn_already,
)
from registry.log.canonical import JSON


def quarter_name(institution: UUID | None, quarter: str) -> str:
    """The exclusive name that an institution's answer for a quarter holds."""
    return f"nil:{institution}:{quarter}"


class Amendment(msgspec.Struct, frozen=True, kw_only=True):
    """One amendment: when, why, and what the report said before of what changed.

    ``old`` holds JSON values by field. Empty: only words changed, which are private.
    """

    recorded: datetime
    reason: CorrectionReason
    old: dict[str, Any]


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file kept as evidence. ``size`` in bytes."""

    evidence: UUID
    size: int
    media_type: str


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """Which institution said that the report is not about an incident."""

    incident: UUID
    institution: UUID


class Report(Aggregate, kw_only=True):
    NOUN: ClassVar[str] = "report"

    institution: UUID | None = None
    """Who submitted it."""
    report: ReportedEvent | None = None
    """What is said now: the first event, with the claims of the last amendment."""
    quarter: str | None = None
    """Set on nil reports only, which have no ``report``."""
    amendments: tuple[Amendment, ...] = ()
    withdrawn: CorrectionReason | None = None
    triage: TriageDecision | None = None
    incidents: frozenset[UUID] = frozenset()
    """The links in force."""
    rejections: tuple[Rejection, ...] = ()
    evidence: tuple[Attachment, ...] = ()

    @classmethod
    def submit(
        cls, act: Act, event_type: type[ReportedEvent], *, report_id: UUID, private: Private, **data: Any
    ) -> "Report":
        report = cls(id=report_id)
        report.trigger(event_type, act, private=private, **data)
        return report

    @classmethod
    def nil(cls, act: Act, *, institution: UUID, quarter: str) -> "Report":
        report = cls.new()
        report.trigger(NilReported, act, institution=institution, quarter=quarter)
        return report

    @property
    def exclusive(self) -> frozenset[str] | None:
        """The quarter that a nil report answers for, while it stands. Other reports hold nothing."""
        if self.quarter is None:
            return None
        return frozenset() if self.withdrawn else frozenset({quarter_name(self.institution, self.quarter)})

    @property
    def report_class(self) -> ReportClass | None:
        match self.report:
            case ThreatReported():
                return ReportClass.THREAT
            case AttackReported():
                return ReportClass.ATTACK
            case RelocationReported():
                return ReportClass.RELOCATION
            case None:
                return None

    @property
    def rejected(self) -> frozenset[UUID]:
        """The incidents that it is not about."""
        return frozenset(rejection.incident for rejection in self.rejections)

    def rejected_by(self, incident: UUID) -> UUID | None:
        """The institution that said that the report is not about this incident."""
        said = (one.institution for one in self.rejections if one.incident == incident)
        return next(said, None)

    @property
    def waiting(self) -> bool:
        """Whether a reviewer has still to say what it is part of. Relocations of many are part of no incident."""
        if self.withdrawn is not None or not isinstance(self.report, IncidentReported):
            return False
        return self.triage in (None, TriageDecision.PENDING_INFO)

    @property
    def people(self) -> frozenset[str]:
        """Pseudonyms of the victims whom it names."""
        victims = self.report.victims if isinstance(self.report, IncidentReported) else ()
        return frozenset(victim.person for victim in victims if victim.person is not None)

    @property
    def sealed_evidence(self) -> bool:
        """Whether it is bound to a document: a file kept here, or the digest of one kept elsewhere."""
        return bool(self.evidence) or bool(isinstance(self.report, IncidentReported) and self.report.digests)

    def amend(
        self,
        act: Act,
        *,
        reason: CorrectionReason,
        source_type: SourceType,
        directness: Directness,
        source: str | None,
        derived_from: UUID | None,
        claims: OccurrenceClaims | RelocationClaims,
        private: Private,
    ) -> None:
        """The claims must be of the kind that was first submitted: the caller has compared the classes."""
        must_be_submitter(self, act)
        self._must_stand()
        self.trigger(
            ReportAmended,
            act,
            private=private,
            reason=reason,
            source_type=source_type,
            directness=directness,
            source=source,
            derived_from=derived_from,
            claims=claims,
        )

    def withdraw(self, act: Act, reason: CorrectionReason) -> None:
        must_be_submitter(self, act)
        self._must_stand()
        self.trigger(ReportWithdrawn, act, reason=reason)

    def link(self, act: Act, incident: UUID) -> None:
        """The report's side of a link; the incident's is ``Incident.link_report``, in the same write."""
        self._must_be_triable(act)
        if incident in self.incidents:
            raise already_linked()
        if self.incidents:
            raise linked_elsewhere(min(self.incidents))
        if self.triage is TriageDecision.OUT_OF_SCOPE:
            raise out_of_scope()
        if (institution := self.rejected_by(incident)) is not None:
            raise rejected_before(institution)
        self.trigger(ReportTriaged, act, decision=TriageDecision.LINK, incident=incident)

    def unlink(
        self, act: Act, incident: UUID, decision: TriageDecision = TriageDecision.PENDING_INFO
    ) -> None:
        """The report's side of taking a link back: the report waits again, or is out of scope."""
        self._must_be_triable(act)
        if incident not in self.incidents:
            raise not_linked()
        self.trigger(ReportTriaged, act, decision=decision, incident=incident)

    def set_aside(self, act: Act, decision: TriageDecision, *, reconsidered: UUID | None = None) -> None:
        """OUT_OF_SCOPE or PENDING_INFO for a report without links.

        ``reconsidered``: an incident that it was said not to be about. Another institution than the one that said so
        may take that back, so that the report can be linked there.
        """
        self._must_be_triable(act)
        if self.incidents:
            raise still_linked()
        if reconsidered is not None:
            rejected_by = self.rejected_by(reconsidered)
            if rejected_by is None:
                raise not_linked()
            if rejected_by == act.by.institution:
                raise rejected_by_own_institution()
        self.trigger(ReportTriaged, act, decision=decision, incident=reconsidered)

    def reject_match(self, act: Act, incident: UUID) -> None:
        self._must_be_triable(act)
        if incident in self.incidents:
            raise still_linked()
        if (institution := self.rejected_by(incident)) is not None:
            raise rejected_before(institution)
        self.trigger(MatchRejected, act, incident=incident)

    def attach_evidence(
        self,
        act: Act,
        *,
        evidence: UUID,
        algorithm: str,
        digest: str,
        size: int,
        media_type: str,
        digests: tuple[str, ...],
        urls: tuple[str, ...],
        words: Mapping[str, JSON],
    ) -> None:
        """Commits to a file. Who may add one is decided by the caller.

        ``digest`` is that of the file as received. ``words`` are what else is private: ``source_url``,
        ``acquired_at``, ``method``.
        """
        self._must_stand()
        described = {"algorithm": algorithm, "digest": digest, **words}
        self.trigger(
            EvidenceAttached,
            act,
            private={self.subject: {f"evidence:{evidence}": described}},
            evidence=evidence,
            size=size,
            media_type=media_type,
            digests=digests,
            urls=urls,
        )

    def _must_stand(self) -> None:
        if self.withdrawn is not None:
            raise withdrawn_already()

    def _must_be_triable(self, act: Act) -> None:
        must_be_triaged_by_others(self, act)
        self._must_stand()
        if not isinstance(self.report, IncidentReported):
            raise nothing_to_triage()

    def apply(self, event: Event) -> None:
        match event:
            case ThreatReported() | AttackReported() | RelocationReported():
                self.institution, self.report = event.institution, event
            case NilReported():
                self.institution, self.quarter = event.institution, event.quarter
            case ReportAmended():
                self._apply_amendment(event)
            case ReportWithdrawn():
                self.withdrawn, self.incidents = event.reason, frozenset()
            case ReportTriaged():
                self._apply_triage(event)
            case MatchRejected():
                if event.by.institution is not None:
                    said = Rejection(incident=event.incident, institution=event.by.institution)
                    self.rejections = (*self.rejections, said)
            case EvidenceAttached():
                attached = Attachment(evidence=event.evidence, size=event.size, media_type=event.media_type)
                self.evidence = (*self.evidence, attached)

    def _apply_amendment(self, event: ReportAmended) -> None:
        if self.report is None:
            return
        said = msgspec.to_builtins(self.report)
        new = {name: getattr(event, name) for name in _SOURCE_FIELDS} | {
            name: getattr(event.claims, name) for name in event.claims.__struct_fields__
        }
        self.report = msgspec.structs.replace(self.report, **new)
        says = msgspec.to_builtins(self.report)
        amendment = Amendment(
            recorded=event.recorded,
            reason=event.reason,
            old={name: said[name] for name in new if said[name] != says[name]},
        )
        self.amendments = (*self.amendments, amendment)
        if self.triage is TriageDecision.OUT_OF_SCOPE:
            # What was out of scope is no longer what is said: a reviewer has to look again.
            self.triage = None

    def _apply_triage(self, event: ReportTriaged) -> None:
        self.triage = event.decision
        if event.incident is None:
            return
        if event.decision is TriageDecision.LINK:
            self.incidents |= {event.incident}
        else:
            self.incidents -= {event.incident}
            self.rejections = tuple(one for one in self.rejections if one.incident != event.incident)


_SOURCE_FIELDS = ("source_type", "directness", "source", "derived_from")
