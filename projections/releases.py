"""Releases: the one process that folds, then commands.

It brings the models that it decides on up to date, lets the ladder decide about all incidents at once, and appends
one ``incident.disclosed`` for each incident that changed, in the order of their random ids, and one
``release.published`` at the end. All of it is one command: no checkpoint ever shows half a release, a crash leaves
nothing behind, and of two releases at once the second decides anew on what the first has left.
"""

import asyncio
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import NamedTuple, cast
from uuid import UUID, uuid4

import asyncpg

from projections.models import answers, incidents, placements
from projections.models.placements import Crowd
from projections.runner import Runner
from registry.application.answers import Accepted
from registry.application.application import Application
from registry.application.objections import Objections
from registry.application.sealing import unseal
from registry.application.unit import OPERATOR, Unit, WriteOptions
from registry.disclosure import disclosed, ladder, policy
from registry.disclosure.exemptions import Exemptions
from registry.disclosure.facets import FACETS, Facets, Findings, facets_of
from registry.disclosure.promotions import end_concerned
from registry.disclosure.waivers import Waivers
from registry.domain.codes import UNKNOWN, Certainty, IncidentStatus
from registry.domain.incident import Incident
from registry.domain.register import REGISTER_ID, Register
from registry.log.canonical import JSON


class _Case(NamedTuple):
    """One incident under decision, with what its last leaf showed and sealed."""

    incident: Incident
    facets: Facets
    previous: disclosed.Previous | None


class Releases:
    """Publishes releases. Several processes may hold one; the register's stream lets one win at a time."""

    def __init__(self, app: Application, pool: asyncpg.Pool) -> None:
        self._app = app
        self._pool = pool
        self._objections = Objections(app, pool)
        self._models = Runner(
            pool,
            [incidents.IncidentsProjection(), placements.PlacementsProjection(), answers.AnswersProjection()],
        )

    async def run(self, every: float, stopping: asyncio.Event) -> None:
        """A release every so many seconds until ``stopping`` is set. Raises what ``release_once`` raises."""
        while not stopping.is_set():
            await self.release_once()
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), every)

    async def release_once(self) -> Accepted | None:
        """One release; None when nothing has changed since the last. Durable when this returns.

        Raises RuleViolated before a definition and a policy are adopted, ProjectionStopped when a model that it
        decides on has stopped, StoreUnavailable when decisions came faster than it could follow.
        """
        await self._objections.hold_all()
        accepted = await self._app.execute(OPERATOR, self._decide, WriteOptions())
        return accepted if accepted.events else None

    async def _decide(self, unit: Unit) -> Register:
        await self._models.catch_up()
        register = await unit.find(Register, REGISTER_ID) or Register(id=REGISTER_ID)
        _, document = register.rules()
        on = unit.act.at.date()
        cases = await self._cases()
        candidates = await self._candidates(cases)
        rules = policy.parse(document)
        open_facets = ladder.decide(candidates, rules, on=on, previous_release=register.released)
        waived = Waivers(candidates, open_facets, Exemptions(rules)).waived(
            {}, new_quarter=ladder.starts_quarter(on, register.released)
        )
        count = 0
        for case in cases:
            standing = _standing(
                case, open_facets[case.incident.id], waived.get(case.incident.id, frozenset())
            )
            if disclosed.changed(standing, case.previous):
                count += 1
                _disclose(unit, case, standing)
        answered = await answers.answers(self._pool, on)
        if count or register.released is None or answered != register.answers:
            register.publish_release(unit.act, release=uuid4(), disclosed=count, answers=answered)
            unit.add(register)
        return register

    async def _cases(self) -> list[_Case]:
        folded = await incidents.ever_possible(self._pool)
        shown = [incident for incident in folded if incident.disclosure is not None]
        seals = await self._seals(shown)
        return [
            _Case(
                incident,
                facets_of(incident.incident_class, incident.victims, _findings(incident)),
                _previous(incident, seals),
            )
            for incident in folded
        ]

    async def _seals(self, shown: Sequence[Incident]) -> "_Seals":
        """Everything that may be needed to open what earlier leaves sealed, in one read."""
        ids = {incident.disclosed_in for incident in shown if incident.disclosed_in is not None}
        ids |= {UUID(sealed_in) for incident in shown for sealed_in in _sealed_in(incident)}
        events = await unseal(self._app.store, self._app.vault, await self._app.store.events(sorted(ids)))
        return _Seals(
            facets={one.event.event_id: _private_facets(one.private) for one in events},
            keys={one.event.event_id: one.commitment_keys for one in events},
        )

    async def _candidates(self, cases: Sequence[_Case]) -> list[ladder.Candidate]:
        people = {v.person for case in cases for v in case.incident.victims if v.person is not None}
        promotions = await placements.promotions(self._pool, sorted(people))
        crowds = {crowd for case in cases for crowd in _crowds(case.facets).values()}
        students = await placements.students(self._pool, sorted(crowds))
        return [_candidate(case, promotions, students) for case in cases]


class _Seals(NamedTuple):
    """By event id of ``incident.disclosed``: the values of all facets, and the commitment keys of the sealed ones."""

    facets: Mapping[UUID, Mapping[str, JSON]]
    keys: Mapping[UUID, Mapping[str, bytes]]


def _sealed_in(incident: Incident) -> Iterable[str]:
    facets = cast("Mapping[str, Mapping[str, str]]", (incident.disclosure or {}).get("facets", {}))
    return [facet["sealed_in"] for facet in facets.values() if "sealed" in facet and "sealed_in" in facet]


def _private_facets(private: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """The facets that an ``incident.disclosed`` carries privately; empty once erased."""
    for values in private.values():
        return cast("Mapping[str, Mapping[str, JSON]]", values)["facets"]
    return {}


def _previous(incident: Incident, seals: _Seals) -> disclosed.Previous | None:
    if incident.disclosure is None or incident.disclosed_in is None:
        return None
    values = seals.facets.get(incident.disclosed_in, {})
    found: dict[str, disclosed.Seal] = {}
    for name, facet in cast("Mapping[str, Mapping[str, str]]", incident.disclosure["facets"]).items():
        if "sealed" in facet:
            sealed_in = UUID(facet["sealed_in"]) if "sealed_in" in facet else incident.disclosed_in
            key = seals.keys.get(sealed_in, {}).get(name)
            if key is not None and name in values:
                found[name] = disclosed.Seal(values[name], key)
    return disclosed.Previous(incident.disclosed_in, incident.disclosure, found)


def _findings(incident: Incident) -> Findings:
    return Findings(
        kind=incident.kind,
        when=incident.when,
        where=incident.where,
        already_public=incident.already_public,
        family_agrees=incident.family_agrees,
    )


def _certainty(incident: Incident) -> Certainty:
    if incident.certainty is None:
        raise ValueError(f"incident {incident.id} was POSSIBLE once and has no certainty")
    return incident.certainty


def _status(incident: Incident) -> str:
    """Whether it stands by itself, as leaves say it; how certain it is stands beside."""
    if incident.status in (IncidentStatus.MERGED, IncidentStatus.RETRACTED):
        return incident.status.value
    return "ACTIVE"


def _crowds(facets: Facets) -> dict[str, Crowd]:
    """Whose number a facet would tell: those who served there that year, and there that month."""
    if UNKNOWN in (facets.municipality, facets.year):
        return {}
    year = int(facets.year)
    crowds = {"municipality": Crowd(facets.municipality, date(year, 1, 1), date(year, 12, 31))}
    if facets.month != UNKNOWN:
        month = int(facets.month[5:])
        last = date(year, month, monthrange(year, month)[1])
        crowds["month"] = Crowd(facets.municipality, date(year, month, 1), last)
    return crowds


def _candidate(
    case: _Case, promotions: Mapping[str, frozenset[str]], students: Mapping[Crowd, int]
) -> ladder.Candidate:
    incident = case.incident
    served = {promotion for v in incident.victims for promotion in promotions.get(v.person or "", ())}
    return ladder.Candidate(
        incident=incident.id,
        incident_class=incident.incident_class,
        status=_status(incident),
        certainty=_certainty(incident),
        disputed=incident.disputed,
        facets=case.facets,
        victims=incident.victims,
        findings=_findings(incident),
        reported=_reported(incident),
        promotion_end=end_concerned(served, incident.when),
        students={facet: students[crowd] for facet, crowd in _crowds(case.facets).items()},
        opened=disclosed.opened(case.previous, case.facets) if case.previous else None,
    )


def _reported(incident: Incident) -> date:
    if incident.reported is None:
        raise ValueError(f"incident {incident.id} was opened without a report")
    return incident.reported.date()


def _standing(case: _Case, open_facets: frozenset[str], waived: frozenset[str]) -> disclosed.Standing:
    return disclosed.Standing(
        incident=case.incident.id,
        status=_status(case.incident),
        merged_into=case.incident.merged_into,
        certainty=_certainty(case.incident),
        disputed=case.incident.disputed,
        incident_class=case.incident.incident_class,
        facets=case.facets,
        open=open_facets,
        waived=waived,
    )


def _disclose(unit: Unit, case: _Case, standing: disclosed.Standing) -> None:
    event_id = uuid4()
    disclosure = disclosed.disclose(event_id, standing, case.previous, case.incident.correction)
    unit.add(case.incident).disclose(
        unit.act,
        event_id=event_id,
        disclosure=disclosure.public,
        facets={name: case.facets.value(name) for name in FACETS},
        commitment_keys={seal.field: seal.key for seal in disclosure.sealed},
    )
