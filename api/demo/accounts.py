"""What is said about one case, by whom, and what reviewers of other institutions find."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Final

from api.demo.case import Case, Harmed
from api.demo.places import MINISTRY, REVIEWERS, universities
from api.demo.plan import Ids, Write
from registry.application import incidents, reports
from registry.application.drafts import (
    CertaintyDraft,
    EvidenceDraft,
    FindingDraft,
    IncidentDraft,
    ReportDraft,
    RetractionDraft,
    VictimDraft,
    WhenDraft,
    WhereDraft,
)
from registry.application.execution.unit import Decision
from registry.domain.codes import (
    Certainty,
    CertaintyBasis,
    Directness,
    PlacePrecision,
    RelocationAction,
    RelocationUnit,
    ReportClass,
    SourceType,
)

PRESS: Final = ("Diario Imaginario", "El Noticiero Supuesto", "Radio Ejemplo")

_TWO_SOURCES: Final = (Certainty.PROBABLE, Certainty.CONFIRMED)


class Account:
    """The writes about one case. ``name`` is that of the incident."""

    def __init__(self, number: int, case: Case) -> None:
        self._number, self._case = number, case
        self.name = f"incident/{number:04d}"
        names = universities()
        self._university = case.named[0].university if case.named else names[number % len(names)]
        self._other = next(name for name in names[number % 2 :] if name != self._university)
        self._reviewer, self._second = REVIEWERS if number % 2 else REVIEWERS[::-1]

    def reporting(self) -> Iterator[str]:
        """Who reports, the ministry left aside."""
        yield self._university
        if self._has_two_sources and self._in_the_press:
            yield self._other

    def reports(self) -> Iterator[Write]:
        """What the sources say, each for itself."""
        case = self._case
        if case.certainty is Certainty.RUMOUR:
            yield self._report(1, self._university, SourceType.PRESS, PRESS[self._number % len(PRESS)])
            return
        yield self._report(1, self._university, SourceType.UNIVERSITY)
        if self._has_two_sources and self._in_the_press:
            yield self._report(2, self._other, SourceType.PRESS, PRESS[self._number % len(PRESS)])
        elif self._has_two_sources:
            yield self._report(2, MINISTRY, SourceType.MINISTRY_HEALTH)

    def repeated(self) -> Iterator[Write]:
        """A source that only repeats another, now and then: never an independent one."""
        if self._has_repetition:
            yield self._report(
                3, MINISTRY, SourceType.PRESS, "Agencia Eco", derived_from=self._report_name(1)
            )

    def opening(self) -> Write:
        """The first reviewer opens the incident with all that was found."""
        case = self._case
        linked = [self._report_name(1)]
        if self._has_two_sources:
            linked.append(self._report_name(2))
        if self._has_repetition:
            linked.append(self._report_name(3))
        findings = [FindingDraft(when=self._when()), FindingDraft(kind=case.kind)]
        if case.already_public:
            findings.append(self._public())
        if case.family_agrees:
            findings.append(FindingDraft(family_agrees=True))

        def draft(ids: Ids) -> IncidentDraft:
            return IncidentDraft(
                class_=case.incident_class,
                reports=[ids[report] for report in linked],
                findings=[*findings, FindingDraft(where=self._where(ids))],
                victims=[_found(harmed, ids) for harmed in case.victims],
                certainty=self._certainty() if case.certainty else None,
            )

        return Write(self.name, self._reviewer, lambda ids: incidents.open_incident(draft(ids)))

    def second_review(self) -> Iterator[Write]:
        """What needs a reviewer of another organisation to take effect."""
        if self._case.certainty is Certainty.CONFIRMED:
            level = self._certainty()
            yield Write(
                f"{self.name}/confirmed",
                self._second,
                lambda ids: incidents.set_certainty(ids[self.name], level),
            )
        if self._case.already_public:
            finding = self._public()
            yield Write(
                f"{self.name}/public",
                self._second,
                lambda ids: incidents.record_finding(ids[self.name], finding),
            )

    def turns(self) -> Iterator[Write]:
        """What is found out after the release."""
        case = self._case
        if case.lowered is not None:
            lowered = CertaintyDraft(level=case.lowered)
            yield self._turn("lowered", lambda ids: incidents.set_certainty(ids[self.name], lowered))
        if case.corrected is not None:
            finding = FindingDraft(kind=case.corrected)
            yield self._turn("corrected", lambda ids: incidents.record_finding(ids[self.name], finding))
        if case.retracted is not None:
            retraction = RetractionDraft(reason=case.retracted)
            yield self._turn("retracted", lambda ids: incidents.retract(ids[self.name], retraction))

    def relocation_of_many(self) -> Write:
        """Six by the ministry's word; others say nine."""
        return Write(
            f"statement/{self.name}",
            MINISTRY,
            lambda ids: reports.submit(
                ReportDraft(
                    class_=ReportClass.RELOCATION,
                    source_type=SourceType.MINISTRY_HEALTH,
                    action=RelocationAction.RELOCATED,
                    unit=RelocationUnit.STUDENTS,
                    low=6,
                    best=6,
                    high=9,
                    where=[WhereDraft(cvegeo=self._case.cvegeo, precision=PlacePrecision.MUNICIPALITY)],
                    trigger_incident=ids[self.name],
                )
            ),
        )

    @property
    def _has_two_sources(self) -> bool:
        return self._case.certainty in _TWO_SOURCES

    @property
    def _in_the_press(self) -> bool:
        return self._number % 3 == 0

    @property
    def _has_repetition(self) -> bool:
        return self._number % 10 == 0 and self._case.certainty not in (None, Certainty.RUMOUR)

    def _report_name(self, source: int) -> str:
        return f"report/{self._number:04d}-{source}"

    def _report(
        self,
        source: int,
        by: str,
        source_type: SourceType,
        source_name: str | None = None,
        derived_from: str | None = None,
    ) -> Write:
        case, name = self._case, self._report_name(source)

        def draft(ids: Ids) -> ReportDraft:
            return ReportDraft(
                class_=ReportClass(case.incident_class),
                source_type=source_type,
                directness=Directness.DIRECT if source_type is SourceType.UNIVERSITY else Directness.INDIRECT,
                source_name=source_name,
                derived_from=ids[derived_from] if derived_from else None,
                when=self._when(),
                where=self._where(ids),
                kind=case.kind,
                means=[case.means],
                perpetrator=case.perpetrator,
                victims=[_said(harmed, by) for harmed in case.victims],
                narrative=f"Relato inventado del caso {self._number}, fuente {source}: nada de esto ocurrió.",
                evidence=[_evidence(name)] if case.certainty is Certainty.CONFIRMED else [],
            )

        return Write(name, by, lambda ids: reports.submit(draft(ids)))

    def _turn(self, what: str, decide: Callable[[Ids], Decision]) -> Write:
        return Write(f"{self.name}/{what}", self._reviewer, decide)

    def _when(self) -> WhenDraft:
        case = self._case
        return WhenDraft(
            earliest=case.day - timedelta(days=case.spread),
            latest=case.day,
            precision=case.date_precision,
            wording="entre fin y principio de año" if case.spread else None,
        )

    def _where(self, ids: Ids) -> WhereDraft:
        """Some sources name the very clinic."""
        case = self._case
        match case.place_precision:
            case PlacePrecision.COUNTRY:
                return WhereDraft(precision=PlacePrecision.COUNTRY, wording="en algún lugar de la sierra")
            case PlacePrecision.STATE:
                return WhereDraft(state=case.cvegeo[:2], precision=PlacePrecision.STATE)
        if case.named and self._number % 4 == 0:
            clinic = case.named[0].clinic
            return WhereDraft(site=ids[clinic.name], precision=PlacePrecision.SITE)
        return WhereDraft(cvegeo=case.cvegeo, precision=PlacePrecision.MUNICIPALITY)

    def _certainty(self) -> CertaintyDraft:
        level = self._case.certainty or Certainty.POSSIBLE
        if level is Certainty.CONFIRMED:
            return CertaintyDraft(
                level=level, basis=(CertaintyBasis.LINKED_REPORTS, CertaintyBasis.OFFICIAL_DOCUMENT)
            )
        return CertaintyDraft(level=level)

    def _public(self) -> FindingDraft:
        return FindingDraft(
            already_public=True, sources=[f"https://diario-imaginario.example/notas/{self._number}"]
        )


def _said(harmed: Harmed, by: str) -> VictimDraft:
    """A victim in a report: only the student's own university knows who it is."""
    placement = harmed.placement
    known = placement is not None and placement.university == by
    return VictimDraft(
        role=harmed.role,
        sex=harmed.sex,
        outcome=harmed.outcome,
        nexus=harmed.nexus,
        manner=harmed.manner,
        count=harmed.count,
        student=placement.student if placement is not None and known else None,
    )


def _found(harmed: Harmed, ids: Ids) -> VictimDraft:
    """A victim as reviewers record it: by the assignment, where one is known."""
    return VictimDraft(
        role=harmed.role,
        sex=harmed.sex,
        outcome=harmed.outcome,
        nexus=harmed.nexus,
        manner=harmed.manner,
        count=harmed.count,
        assignment=ids[harmed.placement.name] if harmed.placement else None,
    )


def _evidence(name: str) -> EvidenceDraft:
    return EvidenceDraft(
        algorithm="SHA-256",
        digest=sha256(name.encode()).hexdigest(),
        size=52_100,
        media_type="application/pdf",
        acquired_at="2024-01-01T00:00:00Z",
    )
