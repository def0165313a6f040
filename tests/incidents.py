"""Hypothesis strategies: incidents as they are adjudicated, with victims in every role. Synthetic throughout.

Few people, places and codes, so that the same ones meet often.
"""

from datetime import date
from typing import Final
from uuid import UUID

from hypothesis import strategies as st

from registry.domain.assignment import Assignment
from registry.domain.claims import Perpetrator, Range, Victim, When, Where
from registry.domain.codes import (
    AttributionBasis,
    Certainty,
    CorrectionReason,
    DatePrecision,
    DisputeGround,
    IncidentClass,
    Manner,
    Means,
    Nexus,
    Outcome,
    PerpetratorGroup,
    PlacePrecision,
    PlazaType,
    Sex,
    VictimRole,
)
from registry.domain.incident import Incident
from registry.domain.incident_record import Dispute
from registry.domain.service import Service

SITES: Final = [UUID(int=number, version=4) for number in (71, 72)]


def assignment(number: int, plaza_type: PlazaType = PlazaType.C) -> Assignment:
    """A student's year from February 2020 on."""
    return Assignment(
        id=UUID(int=number, version=4),
        student=f"person-{number}",
        institution=UUID(int=number % 2 + 81, version=4),
        service=Service(
            site=SITES[number % 2],
            promotion="2020-1",
            plaza_type=plaza_type,
            starts=date(2020, 2, 1),
            planned_end=date(2021, 1, 31),
        ),
    )


ASSIGNMENTS: Final = {one.id: one for one in (assignment(1), assignment(2, PlazaType.A))}
"""Those that are known; a victim may name another."""

_steps = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 1))
_counts = _steps.map(lambda add: Range(low=add[0], best=add[0] + add[1], high=sum(add)))


@st.composite
def _victims(draw: st.DrawFn) -> Victim:
    outcome = draw(st.sampled_from([Outcome.KILLED, Outcome.KILLED, Outcome.SEVERE, *Outcome]))
    person = draw(st.sampled_from([None, "person-1", "person-2", "person-3"]))
    return Victim(
        role=draw(
            st.sampled_from([VictimRole.PASANTE_MEDICINE] * 4 + [VictimRole.STAFF, VictimRole.UNKNOWN])
        ),
        sex=draw(st.sampled_from(Sex)),
        outcome=outcome,
        nexus=draw(st.sampled_from([Nexus.ON_DUTY_AT_SITE] * 3 + [Nexus.COMMUTE, *Nexus])),
        count=draw(_counts) if person is None else Range(low=draw(st.integers(0, 1)), best=1, high=1),
        manner=draw(st.none() | st.sampled_from(Manner)) if outcome is Outcome.KILLED else None,
        person=person,
        assignment=draw(st.sampled_from([None, None, *ASSIGNMENTS, UUID(int=3, version=4)])),
    )


@st.composite
def _whens(draw: st.DrawFn) -> When:
    earliest, latest = sorted(
        draw(st.tuples(*[st.sampled_from([date(2019, 12, 30), date(2020, 2, 29), date(2020, 3, 1)])] * 2))
    )
    return When(
        earliest=draw(st.sampled_from([earliest, latest, latest, None])),
        latest=latest,
        precision=draw(st.sampled_from(DatePrecision)),
    )


_wheres = st.sampled_from(
    [
        Where(cvegeo="16012", precision=PlacePrecision.MUNICIPALITY),
        Where(cvegeo="16053", site=SITES[0], precision=PlacePrecision.SITE),
        Where(cvegeo="16053", precision=PlacePrecision.STATE),
        Where(state="14", precision=PlacePrecision.STATE),
        Where(precision=PlacePrecision.COUNTRY),
    ]
)


@st.composite
def incidents(draw: st.DrawFn, number: int) -> Incident:
    """One incident, at any stage."""
    return Incident(
        id=UUID(int=number, version=4),
        incident_class=draw(st.sampled_from(IncidentClass)),
        when=draw(st.none() | _whens()),
        where=draw(st.none() | _wheres),
        kind=draw(st.sampled_from([None, "ROBBERY", "VERBAL", "UNKNOWN", "NOT_REPORTED"])),
        means=draw(st.none() | st.lists(st.sampled_from(Means), max_size=2, unique=True).map(tuple)),
        perpetrator=draw(
            st.none()
            | st.builds(
                Perpetrator, group=st.sampled_from(PerpetratorGroup), basis=st.sampled_from(AttributionBasis)
            )
        ),
        victims=tuple(draw(st.lists(_victims(), max_size=3))),
        certainty=draw(st.sampled_from([None, *Certainty, Certainty.CONFIRMED, Certainty.PROBABLE])),
        disputes=draw(st.sampled_from([(), (), (Dispute(ground=DisputeGround.WHEN, institution=SITES[0]),)])),
        retracted=draw(st.sampled_from([None] * 5 + [CorrectionReason.DUPLICATE])),
        merged_into=draw(st.sampled_from([None] * 5 + [UUID(int=99, version=4)])),
    )


registers: Final = st.integers(0, 6).flatmap(
    lambda size: st.tuples(*[incidents(number) for number in range(1, size + 1)]).map(list)
)
"""All incidents of a small register."""
