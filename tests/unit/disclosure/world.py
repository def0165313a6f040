"""A small register for tests of the ladder: incidents that can be changed between releases, and their leaves."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

import msgspec

from registry.disclosure.disclosed import Disclosure, Previous, Seal, Standing, changed, disclose, opened
from registry.disclosure.exemptions import Exemptions
from registry.disclosure.facets import FACETS, Facets, Findings, facets_of
from registry.disclosure.ladder import Candidate, decide, starts_quarter
from registry.disclosure.policy import Policy, parse, shipped
from registry.disclosure.waivers import Waivers
from registry.domain.claims import ONE, Range, Victim, When, Where
from registry.domain.codes import (
    Certainty,
    CorrectionReason,
    DatePrecision,
    IncidentClass,
    Nexus,
    Outcome,
    PlacePrecision,
    Sex,
    VictimRole,
)

POLICY = parse(shipped())
CLASS, YEAR = "class", "year"
FIRST = {"tally", "year"}

REPORTED = datetime.date(2026, 5, 4)
SOON = datetime.date(2026, 5, 5)
"""A release of the next day."""
LATE = datetime.date(2027, 10, 1)
"""A quarter's first release, when every wait is over."""


def victim(
    outcome: Outcome = Outcome.MINOR,
    *,
    role: VictimRole = VictimRole.PASANTE_MEDICINE,
    sex: Sex = Sex.FEMALE,
    nexus: Nexus = Nexus.ON_DUTY_AT_SITE,
    count: Range = ONE,
    person: str | None = None,
) -> Victim:
    return Victim(role=role, sex=sex, outcome=outcome, nexus=nexus, count=count, person=person)


def findings(
    kind: str | None = "ARMED_ATTACK",
    *,
    day: datetime.date | None = datetime.date(2026, 4, 10),
    cvegeo: str | None = "16012",
    already_public: bool = False,
    family_agrees: bool = False,
) -> Findings:
    return Findings(
        kind=kind,
        when=None if day is None else When(earliest=day, latest=day, precision=DatePrecision.DAY),
        where=None if cvegeo is None else Where(cvegeo=cvegeo, precision=PlacePrecision.MUNICIPALITY),
        already_public=already_public,
        family_agrees=family_agrees,
    )


class Case(msgspec.Struct, kw_only=True):
    """What the restricted side knows of one incident now. ``reason``: of a correction not yet released."""

    incident: UUID = msgspec.field(default_factory=uuid4)
    incident_class: IncidentClass = IncidentClass.ATTACK
    status: str = "ACTIVE"
    certainty: Certainty = Certainty.POSSIBLE
    disputed: bool = False
    victims: tuple[Victim, ...] = (victim(),)
    findings: Findings = msgspec.field(default_factory=findings)
    reported: datetime.date = REPORTED
    promotion_end: datetime.date | None = datetime.date(2027, 1, 31)
    students: Mapping[str, int] = msgspec.field(default_factory=lambda: {"municipality": 40, "month": 40})
    reason: CorrectionReason | None = None

    @property
    def facets(self) -> Facets:
        return facets_of(self.incident_class, self.victims, self.findings)


def cases(number: int, **fields: Any) -> list[Case]:
    return [Case(**fields) for _ in range(number)]


class World:
    """Publishes releases and remembers what each made public, as a registry does."""

    def __init__(self, *groups: Iterable[Case], policy: Policy = POLICY) -> None:
        self.cases = [case for group in groups for case in group]
        self.policy = policy
        self.previous: dict[UUID, Previous] = {}
        self.history: dict[UUID, list[tuple[UUID, Disclosure]]] = {}
        self.last_release: datetime.date | None = None

    def candidate(self, case: Case) -> Candidate:
        before = self.previous.get(case.incident)
        return Candidate(
            incident=case.incident,
            incident_class=case.incident_class,
            status=case.status,
            certainty=case.certainty,
            disputed=case.disputed,
            facets=case.facets,
            victims=case.victims,
            findings=case.findings,
            reported=case.reported,
            promotion_end=case.promotion_end,
            students=case.students,
            opened=None if before is None else opened(before, case.facets),
        )

    def candidates(self) -> list[Candidate]:
        return [self.candidate(case) for case in self.cases]

    def release(self, on: datetime.date) -> dict[UUID, frozenset[str]]:
        """One release; returns the facets open after it."""
        candidates = self.candidates()
        result = decide(candidates, self.policy, on=on, previous_release=self.last_release)
        waived = Waivers(candidates, result, Exemptions(self.policy)).waived(
            {}, new_quarter=starts_quarter(on, self.last_release)
        )
        for case in sorted(self.cases, key=lambda case: case.incident):
            self._disclose(case, result[case.incident], waived.get(case.incident, frozenset()))
        self.last_release = on
        return result

    def _disclose(self, case: Case, open_facets: frozenset[str], waived: frozenset[str]) -> None:
        now = Standing(
            incident=case.incident,
            status=case.status,
            merged_into=uuid4() if case.status == "MERGED" else None,
            certainty=case.certainty,
            disputed=case.disputed,
            incident_class=case.incident_class,
            facets=case.facets,
            open=open_facets,
            waived=waived,
        )
        before = self.previous.get(case.incident)
        if not changed(now, before):
            return
        event_id = uuid4()
        leaf = disclose(event_id, now, before, case.reason)
        seals = {} if before is None else dict(before.seals)
        seals.update({seal.field: Seal(seal.value, seal.key) for seal in leaf.sealed})
        facets: Any = leaf.public["facets"]
        still_sealed = {name: seals[name] for name in FACETS if "sealed" in facets[name]}
        self.previous[case.incident] = Previous(event_id, leaf.public, still_sealed)
        self.history.setdefault(case.incident, []).append((event_id, leaf))
        case.reason = None


def open_after(on: datetime.date, *groups: Iterable[Case], before: datetime.date | None = None) -> set[str]:
    """What a release opens of the first incident beyond the first rung, when all are new to it."""
    world = World(*groups)
    world.last_release = before
    return set(world.release(on)[world.cases[0].incident]) - FIRST
