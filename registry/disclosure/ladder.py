"""The disclosure ladder: which facets of which incident are open after a release.

A pure decision over all incidents at once, because a facet may open only in a crowd: at least k incidents that
afterwards show the same values on all rungs up to it. The crowd is made of the very incidents that the release
opens, so the decision is a fixed point: suppose that everybody climbs as far as their waits allow, then take down
whoever lacks their crowd, and with them those who lacked it for that reason, until nobody is left to take down.
What remains is the largest set that satisfies every rule, and so does not depend on the order of the incidents.

- What is open stays open unless it is corrected: the earlier leaf remains readable for ever, closing hides nothing.
- Corrected is a facet whose value changed, or one below which a value changed, since it then stands in another
  crowd. It stays open only if it meets the conditions of its rung now (all but the quarter's first release, which
  hides when an incident was reported and has done so already); otherwise it closes, with every later rung.
- What was corrected behind its seal is first sealed anew and opens in a later release: an opening always matches the
  commitment of an earlier leaf.
- An incident that is merged, retracted, disputed, refuted or a rumour is nobody's crowd. It keeps what is open and
  opens nothing more, not even where enough others share its values: what it would show is withdrawn or contested.
- Where a correction moves an incident to another tier, rungs that it had passed over open only together with the
  highest one that is open, under all their conditions. If it shows a facet that its new tier never opens, such as
  the state of what turns out to be sexual violence, it climbs no further.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final
from uuid import UUID

import msgspec

from registry.disclosure.combinations import Combination, combine, comparable
from registry.disclosure.exemptions import paths, unchanged
from registry.disclosure.facets import Facets, Findings
from registry.disclosure.policy import FIRST_RUNG, Policy, Rung
from registry.domain.claims import Victim
from registry.domain.codes import IN_SCOPE, Certainty, IncidentClass
from registry.log.canonical import JSON

_CROWD_CERTAINTY: Final = frozenset({Certainty.POSSIBLE, Certainty.PROBABLE, Certainty.CONFIRMED})
_EVERY_INCIDENT: Final = frozenset(FIRST_RUNG)


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What the last leaf of an incident shows: its class, the values of its open facets by name, and which are waived.

    ``locked`` names sealed facets that cannot open in this release: their value has changed since that leaf, so that
    they are sealed anew first, or the key of their commitment was erased.
    """

    incident_class: IncidentClass
    values: Mapping[str, JSON]
    waived: frozenset[str] = frozenset()
    locked: frozenset[str] = frozenset()


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One incident that is, or was, POSSIBLE or better.

    ``reported``: the date on which the earliest linked report was recorded. ``promotion_end``: see ``promotions``.
    ``students``: how many were assigned there then, by the facet that would tell where (``municipality``) and when
    (``month``); a facet without a number has too few. ``opened`` is None before the first disclosure.
    """

    incident: UUID
    incident_class: IncidentClass
    status: str
    certainty: Certainty
    disputed: bool
    facets: Facets
    victims: tuple[Victim, ...]
    findings: Findings
    reported: date
    promotion_end: date | None
    students: Mapping[str, int]
    opened: Opened | None = None

    @property
    def makes_crowd(self) -> bool:
        """Whether it counts among the k, and may open more itself."""
        return stands(self.status, self.certainty, disputed=self.disputed)


def stands(status: str, certainty: Certainty | None, *, disputed: bool) -> bool:
    """Whether such an incident counts among the k."""
    return status == "ACTIVE" and not disputed and certainty in _CROWD_CERTAINTY


def decide(
    candidates: Iterable[Candidate], policy: Policy, *, on: date, previous_release: date | None
) -> dict[UUID, frozenset[str]]:
    """The facets that are open after the release of the (UTC) date ``on``, for each incident of the register.

    ``previous_release`` is the date of the release before, None for the first. Raises ValueError if an incident
    comes twice. Takes time in proportion to the number of candidates.
    """
    return Decision(candidates, policy, on=on, new_quarter=starts_quarter(on, previous_release)).settle({})


class Decision:
    """The decision about some incidents, beside others of which it is known that nothing changes.

    ``combinations`` are those on whose crowds it depends: ``settle`` must be told who of the others belongs to them.
    """

    def __init__(
        self, candidates: Iterable[Candidate], policy: Policy, *, on: date, new_quarter: bool
    ) -> None:
        self._climbers = [_Climber(candidate, policy, on, new_quarter) for candidate in candidates]
        self._crowds = _Crowds(self._climbers)

    @property
    def combinations(self) -> dict[Combination, int]:
        """With the largest k that is asked of each."""
        return self._crowds.needs()

    def settle(self, others: Mapping[Combination, Iterable[frozenset[str]]]) -> dict[UUID, frozenset[str]]:
        """The open facets by incident. ``others``: the distinct victims of each other incident of a crowd.

        Once only. Raises ValueError if an incident comes twice.
        """
        self._crowds.settle(others)
        result = {climber.candidate.incident: _EVERY_INCIDENT | climber.open for climber in self._climbers}
        if len(result) != len(self._climbers):
            raise ValueError("An incident was given twice: give each incident of the release once.")
        return result


def starts_quarter(on: date, previous_release: date | None) -> bool:
    """Whether a release is the first of its quarter."""
    return previous_release is None or _quarter(previous_release) != _quarter(on)


def reach(candidate: Candidate, policy: Policy, *, on: date, new_quarter: bool) -> frozenset[str]:
    """The facets above the first rung that would be open if every crowd were large enough."""
    return _Climber(candidate, policy, on, new_quarter).open


def distinct_victims(incident: UUID, victims: Iterable[Victim]) -> frozenset[str]:
    """Pseudonyms to count distinct victims by: those in scope, else any, else the incident stands for its victim."""
    known = [victim for victim in victims if victim.count.high > 0]
    in_scope = [victim for victim in known if victim.role == IN_SCOPE]
    persons = frozenset(victim.person for victim in in_scope or known if victim.person is not None)
    return persons or frozenset({str(incident)})


def _quarter(day: date) -> tuple[int, int]:
    return day.year, (day.month - 1) // 3


class _Climber:
    """One incident on its ladder. ``level`` counts its open rungs above the first; ``base`` never closes."""

    __slots__ = ("base", "candidate", "floor", "kept", "level", "paths", "persons", "rungs", "values")

    def __init__(self, candidate: Candidate, policy: Policy, on: date, new_quarter: bool) -> None:
        self.candidate = candidate
        self.rungs = policy.rungs_for(candidate.victims, candidate.findings)
        self.persons = distinct_victims(candidate.incident, candidate.victims)
        self.values = comparable(candidate.incident_class, candidate.facets)
        self.kept = kept(candidate)
        self.paths = paths(self.rungs)
        self.base = max(level for level, path in enumerate(self.paths) if path <= self.kept)
        self.floor = max(
            (level for level, rung in enumerate(self.rungs, 1) if self.kept.intersection(rung.facets)),
            default=0,
        )
        self.level = self._highest(on, new_quarter)

    @property
    def open(self) -> frozenset[str]:
        return self.kept | self.paths[self.level]

    def need(self, level: int) -> int:
        """k at a level."""
        return self.rungs[level - 1].crowd(self.candidate.findings.already_public)

    def fall_below(self, level: int) -> None:
        """Give up a level, and with it all above; below the floor nothing that was passed over opens."""
        self.level = level - 1 if level - 1 >= self.floor else self.base

    def _highest(self, on: date, new_quarter: bool) -> int:
        """How far the waits and the population allow."""
        frozen = not self.kept <= self.paths[-1]
        if frozen or not self.candidate.makes_crowd:
            return self.base
        level = self.base
        while level < len(self.rungs) and self._may_open(self.rungs[level], on, new_quarter):
            level += 1
        return level if level >= self.floor else self.base

    def _may_open(self, rung: Rung, on: date, new_quarter: bool) -> bool:
        candidate, opened = self.candidate, self.candidate.opened
        if opened is not None and not opened.locked.isdisjoint(rung.facets):
            return False
        was_open = opened is not None and opened.values.keys() >= set(rung.facets)
        if rung.wait.first_release_of_quarter and not (new_quarter or was_open):
            return False
        if not rung.wait.is_over(on, candidate.reported, candidate.promotion_end):
            return False
        needed = rung.population(candidate.findings.already_public)
        return needed == 0 or all(candidate.students.get(facet, 0) >= needed for facet in rung.facets)


def kept(candidate: Candidate) -> frozenset[str]:
    """The open facets above the first rung that no correction touches."""
    opened = candidate.opened
    if opened is None or opened.incident_class != candidate.incident_class:
        return frozenset()
    return unchanged(opened.values, candidate.facets.value)


class _Crowd:
    """The incidents that show one combination of values, and those whose rung depends on their number."""

    __slots__ = ("dependants", "incidents", "persons")

    def __init__(self) -> None:
        self.incidents = 0
        self.persons: dict[str, int] = {}
        self.dependants: dict[int, list[tuple[_Climber, int]]] = {}

    def add(self, persons: frozenset[str]) -> None:
        self.incidents += 1
        for person in persons:
            self.persons[person] = self.persons.get(person, 0) + 1

    def remove(self, persons: frozenset[str]) -> None:
        self.incidents -= 1
        for person in persons:
            self.persons[person] -= 1
            if not self.persons[person]:
                del self.persons[person]

    def disappointed(self) -> list[tuple[_Climber, int]]:
        """Those whose k is not reached, with the level that needs it. Each is named once."""
        size = min(self.incidents, len(self.persons))
        missing = [k for k in self.dependants if k > size]
        return [dependant for k in missing for dependant in self.dependants.pop(k)]


class _Crowds:
    """All crowds on which an opening of this release depends.

    An incident belongs to the crowd of each combination that its open facets contain, also when its own tier got
    there by other rungs. Each level of each incident is given up at most once, so the work is linear.
    """

    def __init__(self, climbers: list[_Climber]) -> None:
        self._crowds: dict[Combination, _Crowd] = {}
        self._within: dict[frozenset[str], tuple[frozenset[str], ...]] = {}
        self._climbers = climbers
        for climber in climbers:
            for level in range(climber.base + 1, climber.level + 1):
                combination = combine(climber.paths[level], climber.values)
                crowd = self._crowds.get(combination)
                if crowd is None:
                    crowd = self._crowds[combination] = _Crowd()
                crowd.dependants.setdefault(climber.need(level), []).append((climber, level))
        self._paths = tuple(dict.fromkeys(combination.path for combination in self._crowds))

    def needs(self) -> dict[Combination, int]:
        """The largest k that is asked of each crowd."""
        return {combination: max(crowd.dependants) for combination, crowd in self._crowds.items()}

    def settle(self, others: Mapping[Combination, Iterable[frozenset[str]]]) -> None:
        """Take down whoever lacks their crowd until nobody does."""
        for combination, members in others.items():
            for persons in members:
                self._crowds[combination].add(persons)
        for climber in self._climbers:
            if climber.candidate.makes_crowd:
                for path in self._shown(climber.open):
                    if joined := self._crowds.get(combine(path, climber.values)):
                        joined.add(climber.persons)
        unsettled = deque(self._crowds.values())
        while unsettled:
            for climber, level in unsettled.popleft().disappointed():
                if climber.level >= level:
                    unsettled.extend(self._take_down(climber, level))

    def _take_down(self, climber: _Climber, level: int) -> list[_Crowd]:
        before = self._shown(climber.open)
        climber.fall_below(level)
        after = self._shown(climber.open)
        left = [self._crowds.get(combine(path, climber.values)) for path in before if path not in after]
        smaller = [crowd for crowd in left if crowd is not None]
        for crowd in smaller:
            crowd.remove(climber.persons)
        return smaller

    def _shown(self, facets: frozenset[str]) -> tuple[frozenset[str], ...]:
        """The paths that these open facets contain."""
        if facets not in self._within:
            self._within[facets] = tuple(path for path in self._paths if path <= facets)
        return self._within[facets]
