"""Whatever is decided about incidents, the public count is the sum over those that stand, and nothing gets lost.

Any retractions, reinstatements, merges, splits and certainties, each followed by a release that opens the first rung.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from projections.counting.fold import Fold
from projections.counting.query import Unit, ask
from registry.disclosure import disclosed
from registry.disclosure.facets import Findings, facets_of
from registry.domain.certainty import LinkedReport
from registry.domain.claims import Range, Victim, When, Where
from registry.domain.codes import (
    Certainty,
    CertaintyBasis,
    CorrectionReason,
    DatePrecision,
    Directness,
    IncidentClass,
    Nexus,
    Outcome,
    PlacePrecision,
    ReportClass,
    Sex,
    SourceType,
    VictimRole,
)
from registry.domain.event import Act, By
from registry.domain.incident import Incident
from registry.errors import RuleViolated

REVIEWERS = [UUID(int=number, version=4) for number in (1, 2)]
WHY = CorrectionReason.MISIDENTIFICATION
COMPONENTS = {
    Certainty.POSSIBLE: (0, 0, 1),
    Certainty.PROBABLE: (0, 1, 1),
    Certainty.CONFIRMED: (1, 1, 1),
}


def report(number: int) -> LinkedReport:
    return LinkedReport(
        report=uuid4(),
        institution=UUID(int=100 + number, version=4),
        recorded=datetime(2026, 2, 1, tzinfo=UTC),
        report_class=ReportClass.ATTACK,
        source_type=SourceType.UNIVERSITY,
        directness=Directness.DIRECT,
        source=None,
        derived_from=None,
        when=When(earliest=date(2026, 1, 5), latest=date(2026, 1, 5), precision=DatePrecision.DAY),
        where=Where(state="16", cvegeo="16012", precision=PlacePrecision.MUNICIPALITY),
    )


def victim(number: int) -> Victim:
    outcome = Outcome.KILLED if number % 2 else Outcome.SEVERE
    return Victim(
        role=VictimRole.PASANTE_MEDICINE,
        sex=Sex.FEMALE,
        outcome=outcome,
        nexus=Nexus.COMMUTE,
        count=Range(low=1, best=1 + number % 2, high=2 + number % 3),
    )


class Register:
    """Incidents, and the public that reads a leaf of each that changed."""

    def __init__(self) -> None:
        self.incidents: list[Incident] = []
        self._last: dict[UUID, disclosed.Previous] = {}
        self._fold = Fold()

    def decide(self, draw: Callable[[int], int]) -> None:
        """Some decision, if the rules permit it."""
        act = Act(By(institution=REVIEWERS[draw(2)], key=None), datetime(2026, 3, 1, tzinfo=UTC))
        one, other = (self.incidents[draw(len(self.incidents))] for _ in range(2))
        moving = [one.reports[draw(len(one.reports))].report] if one.reports else []
        level = list(COMPONENTS)[draw(len(COMPONENTS))]
        decisions: list[Callable[[], object]] = [
            lambda: one.retract(act, WHY),
            lambda: one.reinstate(act, WHY),
            lambda: one.merge(act, other, CorrectionReason.DUPLICATE),
            lambda: self.incidents.append(
                one.split(act, incident_class=one.incident_class, reports=moving, victims=[1], reason=WHY)
            ),
            lambda: one.set_certainty(act, level=level, basis=(CertaintyBasis.OFFICIAL_DOCUMENT,)),
            lambda: one.unlink_report(act, moving[0], WHY) if moving else None,
        ]
        with suppress(RuleViolated):
            decisions[draw(len(decisions))]()

    def release(self) -> None:
        """A leaf of each incident that was ever adjudicated and has changed."""
        for incident in self.incidents:
            if incident.certainty is None or not incident.ever_possible:
                continue
            standing = disclosed.Standing(
                incident=incident.id,
                status=incident.status.value if incident.status in ("MERGED", "RETRACTED") else "ACTIVE",
                merged_into=incident.merged_into,
                certainty=incident.certainty,
                disputed=incident.disputed,
                incident_class=incident.incident_class,
                facets=facets_of(
                    incident.incident_class,
                    incident.victims,
                    Findings(when=incident.when, where=incident.where, kind=incident.kind),
                ),
                open=frozenset({"tally", "year"}),
            )
            previous = self._last.get(incident.id)
            if disclosed.changed(standing, previous):
                event_id = uuid4()
                leaf = disclosed.disclose(event_id, standing, previous, incident.correction)
                kept = {} if previous is None else dict(previous.seals)
                seals = kept | {seal.field: disclosed.Seal(seal.value, seal.key) for seal in leaf.sealed}
                self._last[incident.id] = disclosed.Previous(event_id, leaf.public, seals)
                self._fold.add_open(self._fold.size, "incident.disclosed", leaf.public)
                incident.correction = None

    def counted(self) -> dict[str, list[int]]:
        return {unit: list(self._fold.count(ask(unit)).bounds) for unit in Unit}

    def expected(self) -> dict[str, list[int]]:
        """From the incidents themselves."""
        total = {unit.value: [0, 0, 0] for unit in Unit}
        for incident in self.incidents:
            if not incident.stands or incident.certainty not in COMPONENTS:
                continue
            counts = [(one.count.low, one.count.best, one.count.high) for one in incident.victims]
            dead = [
                (one.count.low, one.count.best, one.count.high)
                for one in incident.victims
                if one.outcome is Outcome.KILLED
            ]
            for place, admitted in enumerate(COMPONENTS[incident.certainty]):
                victims = sum(count[place] for count in counts)
                total["VICTIMISATIONS"][place] += admitted * victims
                total["DEATHS"][place] += admitted * sum(count[place] for count in dead)
                total["INCIDENTS"][place] += admitted * min(victims, 1)
        return total


@given(st.data())
def test_the_count_is_the_sum_over_what_stands(data: st.DataObject) -> None:
    def draw(below: int) -> int:
        return data.draw(st.integers(0, below - 1))

    register = Register()
    act = Act(By(institution=REVIEWERS[0], key=None), datetime(2026, 3, 1, tzinfo=UTC))
    for number in range(3):
        incident = Incident.open(
            act, incident_class=IncidentClass.ATTACK, reports=[report(2 * number), report(2 * number + 1)]
        )
        for victims in range(2):
            incident.record_victim(act, victim(number + victims))
        incident.set_certainty(act, level=Certainty.PROBABLE, basis=(CertaintyBasis.LINKED_REPORTS,))
        register.incidents.append(incident)
    for _ in range(data.draw(st.integers(0, 15))):
        register.decide(draw)
        if draw(3):
            register.release()
            assert register.counted() == register.expected()
    register.release()
    before: Any = register.counted()
    assert before == register.expected()

    # Taken back by another, a retraction has never been.
    for incident in register.incidents:
        if incident.stands:
            incident.retract(act, WHY)
            register.release()
            incident.reinstate(act._replace(by=By(institution=REVIEWERS[1], key=None)), WHY)
            register.release()
            assert register.counted() == before
