"""What a release decides: which incidents may change, what opens of them, and what their next leaf would show.

Only incidents that can change are read and decided again: those that events since the last release are about, those
whose municipality has other students since, and those that stand below a crowd which these may join, and so on. All
others make crowds, and are counted. What comes out is what the ladder decides about all of them together, because an
incident that shares no crowd with anything new has nothing new to stand in. With the first release of a quarter, or
another policy, everything may change and is decided.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple, cast
from uuid import UUID

import asyncpg

from projections.models import incidents, placements
from projections.models.incidents import Decided, facets, findings, status
from projections.models.placements import Crowd
from registry.application.execution.application import Application
from registry.application.execution.sealing import unseal
from registry.disclosure import disclosed, ladder
from registry.disclosure.combinations import Combination, combine, comparable
from registry.disclosure.exemptions import Exemptions
from registry.disclosure.facets import Facets
from registry.disclosure.policy import Policy
from registry.disclosure.promotions import end_concerned
from registry.disclosure.waivers import Waivers
from registry.domain.codes import UNKNOWN, Certainty
from registry.domain.incident import Incident
from registry.log.canonical import JSON

MODELS: Final = ("incidents", "placements")
"""The read models that a decision rests on."""

_NOTHING: Final = frozenset[str]()


class Case(NamedTuple):
    """One incident under decision, with what its last leaf showed and sealed."""

    incident: Incident
    facets: Facets
    previous: disclosed.Previous | None

    def standing(self, open_facets: frozenset[str], waived: frozenset[str]) -> disclosed.Standing:
        """How the release shows it."""
        return disclosed.Standing(
            incident=self.incident.id,
            status=status(self.incident),
            merged_into=self.incident.merged_into,
            certainty=_certainty(self.incident),
            disputed=self.incident.disputed,
            incident_class=self.incident.incident_class,
            facets=self.facets,
            open=open_facets,
            waived=waived,
        )


class Decider:
    """Decides for one release of the (UTC) date ``on``, on the read models as they are."""

    def __init__(
        self, app: Application, pool: asyncpg.Pool, policy: Policy, *, on: date, previous_release: date | None
    ) -> None:
        self._app, self._pool, self._policy, self._on = app, pool, policy, on
        self._new_quarter = ladder.starts_quarter(on, previous_release)
        self._exemptions = Exemptions(policy)

    async def decide(self, since: Decided | None, policy: str) -> list[tuple[Case, disclosed.Standing]]:
        """Every incident that may owe a leaf, by id, and how the release shows it.

        ``since``: how far the last release looked. ``policy``: the SHA-256 of the one that holds.
        """
        if (
            since is None
            or since.policy != policy
            or self._new_quarter
            or not self._policy.waits_end_with_quarters
        ):
            cases = await self._cases(await incidents.ever_possible(self._pool))
            return await self._settle(cases, await self._candidates(cases), everything=True)
        cases = await self._affected(since.position)
        cases.sort(key=lambda case: case.incident.id)
        return await self._settle(cases, await self._candidates(cases), everything=False)

    async def _affected(self, position: int) -> list[Case]:
        places = await placements.changed_places(self._pool, position)
        new = await incidents.changed(self._pool, position, places)
        found: list[Case] = []
        known: set[UUID] = set()
        asked: set[Combination] = set()
        while new:
            cases = await self._cases(await incidents.these(self._pool, new))
            found += cases
            known |= new
            joining = self._joining(await self._candidates(cases)) - asked
            asked |= joining
            new = await incidents.below(self._pool, joining) - known
        return found

    def _joining(self, candidates: Iterable[ladder.Candidate]) -> set[Combination]:
        """The crowds that these incidents may be part of after the release."""
        joining: set[Combination] = set()
        for candidate in candidates:
            if candidate.makes_crowd:
                reach = ladder.reach(candidate, self._policy, on=self._on, new_quarter=self._new_quarter)
                values = comparable(candidate.incident_class, candidate.facets)
                joining.update(combine(path, values) for path in self._exemptions.paths if path <= reach)
        return joining

    async def _settle(
        self, cases: Sequence[Case], candidates: Sequence[ladder.Candidate], *, everything: bool
    ) -> list[tuple[Case, disclosed.Standing]]:
        decision = ladder.Decision(candidates, self._policy, on=self._on, new_quarter=self._new_quarter)
        ids = [candidate.incident for candidate in candidates]
        others = {} if everything else await incidents.crowds(self._pool, decision.combinations, ids)
        opened = decision.settle(others)
        waivers = Waivers(candidates, opened, self._exemptions)
        asked = dict.fromkeys(waivers.combinations, self._policy.largest_crowd)
        sizes = {} if everything else await incidents.crowds(self._pool, asked, ids)
        waived = waivers.waived(
            {combination: len(members) for combination, members in sizes.items()},
            new_quarter=self._new_quarter,
        )
        return [
            (case, case.standing(opened[case.incident.id], waived.get(case.incident.id, _NOTHING)))
            for case in cases
        ]

    async def _cases(self, folded: Sequence[Incident]) -> list[Case]:
        shown = [incident for incident in folded if incident.disclosure is not None]
        seals = await self._seals(shown)
        return [
            Case(
                incident,
                facets(incident),
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

    async def _candidates(self, cases: Sequence[Case]) -> list[ladder.Candidate]:
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


def _certainty(incident: Incident) -> Certainty:
    if incident.certainty is None:
        raise ValueError(f"incident {incident.id} was POSSIBLE once and has no certainty")
    return incident.certainty


def _crowds(shown: Facets) -> dict[str, Crowd]:
    """Whose number a facet would tell: those who served there that year, and there that month."""
    if UNKNOWN in (shown.municipality, shown.year):
        return {}
    year = int(shown.year)
    crowds = {"municipality": Crowd(shown.municipality, date(year, 1, 1), date(year, 12, 31))}
    if shown.month != UNKNOWN:
        month = int(shown.month[5:])
        last = date(year, month, monthrange(year, month)[1])
        crowds["month"] = Crowd(shown.municipality, date(year, month, 1), last)
    return crowds


def _candidate(
    case: Case, promotions: Mapping[str, frozenset[str]], students: Mapping[Crowd, int]
) -> ladder.Candidate:
    incident = case.incident
    served = {promotion for v in incident.victims for promotion in promotions.get(v.person or "", ())}
    return ladder.Candidate(
        incident=incident.id,
        incident_class=incident.incident_class,
        status=status(incident),
        certainty=_certainty(incident),
        disputed=incident.disputed,
        facets=case.facets,
        victims=incident.victims,
        findings=findings(incident),
        reported=_reported(incident),
        promotion_end=end_concerned(served, incident.when),
        students={facet: students[crowd] for facet, crowd in _crowds(case.facets).items()},
        opened=disclosed.opened(case.previous, case.facets) if case.previous else None,
    )


def _reported(incident: Incident) -> date:
    if incident.reported is None:
        raise ValueError(f"incident {incident.id} was opened without a report")
    return incident.reported.date()
