"""What happens to a report, as events: said, said anew, withdrawn, triaged, matched, documented."""

from uuid import UUID

from registry.domain.claims import Claim, Perpetrator, Range, Victim, When, Where
from registry.domain.codes import (
    CorrectionReason,
    Directness,
    Means,
    RelocationAction,
    RelocationUnit,
    SourceType,
    TriageDecision,
)
from registry.domain.event import Event


class Source(Event, frozen=True, kw_only=True):
    """Who said it. ``institution`` submitted it; ``source`` is the keyed pseudonym of who said it, if another."""

    institution: UUID
    source_type: SourceType
    directness: Directness
    source: str | None
    derived_from: UUID | None


class IncidentReported(Source, frozen=True, kw_only=True):
    """A source's account of one occurrence. Narrative, wording and evidence are private.

    ``digests`` and ``urls`` are keyed pseudonyms of those of its evidence: the same evidence is found again.
    """

    when: When | None
    where: Where | None
    kind: str
    means: tuple[Means, ...]
    perpetrator: Perpetrator | None
    victims: tuple[Victim, ...]
    digests: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


class ThreatReported(IncidentReported, frozen=True, kw_only=True):
    """What one source says of a threat. Its words, and who anybody is, are private."""

    TOPIC = "threat.reported"


class AttackReported(IncidentReported, frozen=True, kw_only=True):
    """What one source says of an attack. Its words, and who anybody is, are private."""

    TOPIC = "attack.reported"


class RelocationReported(Source, frozen=True, kw_only=True):
    """What someone says about many students or places; never counted as an incident."""

    TOPIC = "relocation.reported"

    action: RelocationAction
    unit: RelocationUnit | None
    count: Range | None
    when: When | None
    where: tuple[Where, ...]
    trigger_incident: UUID | None


class NilReported(Event, frozen=True, kw_only=True):
    """An institution's answer for a quarter in which it knows of nothing."""

    TOPIC = "nil.reported"

    institution: UUID
    quarter: str


class OccurrenceClaims(Claim, frozen=True, kw_only=True, tag_field="about", tag="OCCURRENCE"):
    """What a threat or an attack is said to have been, whole, under the names of ``IncidentReported``."""

    when: When | None
    where: Where | None
    kind: str
    means: tuple[Means, ...]
    perpetrator: Perpetrator | None
    victims: tuple[Victim, ...]
    digests: tuple[str, ...]
    urls: tuple[str, ...]


class RelocationClaims(Claim, frozen=True, kw_only=True, tag_field="about", tag="RELOCATIONS"):
    """What is said about relocations of many, whole, under the names of ``RelocationReported``."""

    action: RelocationAction
    unit: RelocationUnit | None
    count: Range | None
    when: When | None
    where: tuple[Where, ...]
    trigger_incident: UUID | None


class ReportAmended(Event, frozen=True, kw_only=True):
    """The institution says it anew, whole; of the source everything but the institution may change."""

    TOPIC = "report.amended"

    reason: CorrectionReason
    source_type: SourceType
    directness: Directness
    source: str | None
    derived_from: UUID | None
    claims: OccurrenceClaims | RelocationClaims

    def touched(self) -> tuple[str, ...]:
        claimed = (
            name for name in self.claims.__struct_fields__ if getattr(self.claims, name) not in (None, ())
        )
        return (*(name for name in super().touched() if name != "claims"), *claimed)


class ReportWithdrawn(Event, frozen=True, kw_only=True):
    """The institution no longer says it. No incident rests on it from now on."""

    TOPIC = "report.withdrawn"

    reason: CorrectionReason


class ReportTriaged(Event, frozen=True, kw_only=True):
    """LINK: to ``incident``. Another decision about a linked report names the incident that it leaves."""

    TOPIC = "report.triaged"

    decision: TriageDecision
    incident: UUID | None


class MatchRejected(Event, frozen=True, kw_only=True):
    """Not the same occurrence as ``incident``."""

    TOPIC = "report.match_rejected"

    incident: UUID


class EvidenceAttached(Event, frozen=True, kw_only=True):
    """A file that the register keeps sealed. Its digest, and where, when and how it was acquired, are private.

    ``size`` in bytes. ``digests`` and ``urls`` are keyed pseudonyms as in ``IncidentReported``.
    """

    TOPIC = "report.evidence_attached"

    evidence: UUID
    size: int
    media_type: str
    digests: tuple[str, ...]
    urls: tuple[str, ...]


ReportedEvent = ThreatReported | AttackReported | RelocationReported
