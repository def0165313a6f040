"""How certain an incident may be called, computed from the reports linked to it.

RUMOUR: any source. POSSIBLE: one direct or institutional source. PROBABLE: two independent sources that agree on
class (that of the incident), date interval and municipality. CONFIRMED: PROBABLE, a document or sealed evidence, and
two reviewers of two organisations. Two reports of one organisation are one source. A source derived from another is
not independent of anybody: it says what its original says, so a chain counts as one source when its original is
linked, and otherwise as none that could agree with others.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from itertools import combinations
from uuid import UUID

import msgspec

from registry.domain.claims import When, Where
from registry.domain.codes import (
    INSTITUTIONAL_SOURCES,
    Certainty,
    CertaintyBasis,
    Directness,
    IncidentClass,
    ReportClass,
    SourceType,
)


class LinkedReport(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a report that certainty rests on, as they were when it was linked."""

    report: UUID
    institution: UUID
    recorded: datetime
    report_class: ReportClass
    source_type: SourceType
    directness: Directness
    source: str | None
    derived_from: UUID | None
    when: When | None
    where: Where | None
    evidence: bool = False
    """Whether it is bound to sealed evidence."""

    @property
    def organisation(self) -> str:
        """Who says it: the pseudonym of the source, else the institution that submitted it."""
        return self.source or str(self.institution)


DOCUMENTS = frozenset(
    {
        CertaintyBasis.OFFICIAL_DOCUMENT,
        CertaintyBasis.FORENSIC_DOCUMENT,
        CertaintyBasis.JUDICIAL_DOCUMENT,
    }
)

DIRECT_OR_INSTITUTIONAL = "DIRECT_OR_INSTITUTIONAL_SOURCE"
INDEPENDENT_SOURCES = "TWO_INDEPENDENT_SOURCES_AGREE"
DOCUMENT = "DOCUMENT_OR_SEALED_EVIDENCE"

REQUIRED: dict[Certainty, tuple[str, ...]] = {
    Certainty.RUMOUR: (),
    Certainty.POSSIBLE: (DIRECT_OR_INSTITUTIONAL,),
    Certainty.PROBABLE: (INDEPENDENT_SOURCES,),
    Certainty.CONFIRMED: (INDEPENDENT_SOURCES, DOCUMENT),
    Certainty.REFUTED: (),
}
"""What each level needs. That CONFIRMED needs two reviewers concerns when it takes effect, not what it rests on."""


def criteria_met(
    reports: Sequence[LinkedReport], basis: Collection[CertaintyBasis], incident_class: IncidentClass
) -> tuple[str, ...]:
    """The criteria that the linked reports and the cited basis fulfil for an incident of this class."""
    met = []
    if any(r.directness is Directness.DIRECT or r.source_type in INSTITUTIONAL_SOURCES for r in reports):
        met.append(DIRECT_OR_INSTITUTIONAL)
    independent = [r for r in reports if r.derived_from is None and r.report_class == incident_class.value]
    if any(_independent(a, b) and _agree(a, b) for a, b in combinations(independent, 2)):
        met.append(INDEPENDENT_SOURCES)
    sealed = CertaintyBasis.SEALED_EVIDENCE in basis and any(report.evidence for report in reports)
    if sealed or DOCUMENTS & set(basis):
        met.append(DOCUMENT)
    return tuple(met)


def supported(
    reports: Sequence[LinkedReport], basis: Collection[CertaintyBasis], incident_class: IncidentClass
) -> Certainty:
    """The highest level that the linked reports and the cited basis hold; RUMOUR needs nothing."""
    met = criteria_met(reports, basis, incident_class)
    held = (level for level in reversed(_LEVELS) if not missing(level, met))
    return next(held, Certainty.RUMOUR)


_LEVELS = (Certainty.RUMOUR, Certainty.POSSIBLE, Certainty.PROBABLE, Certainty.CONFIRMED)


def missing(level: Certainty, met: Iterable[str]) -> tuple[str, ...]:
    """The criteria that ``level`` still lacks."""
    have = set(met)
    return tuple(criterion for criterion in REQUIRED[level] if criterion not in have)


def _independent(a: LinkedReport, b: LinkedReport) -> bool:
    """Both are originals: two organisations said it."""
    return a.organisation != b.organisation


def _agree(a: LinkedReport, b: LinkedReport) -> bool:
    """Intervals that meet, the same municipality: both must be said to agree.

    The interval is what the precision leaves open: a day agrees with the month that it lies in.
    """
    if a.when is None or b.when is None:
        return False
    if a.where is None or b.where is None or a.where.cvegeo is None or a.where.cvegeo != b.where.cvegeo:
        return False
    return _start(a.when) <= b.when.latest and _start(b.when) <= a.when.latest


def _start(when: When) -> date:
    return when.earliest or date.min
