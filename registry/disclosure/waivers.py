"""Which open facets a leaf must call waived, computed by the register for all incidents of a release.

Only an incident that is already public, or whose family agrees, can need it: for all others the ladder asks for the
crowd that the public asks for. What comes out is a function of what leaves show (``exemptions``); that an incident is
exempt decides only whether it had to be looked at.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import cast
from uuid import UUID

from registry.disclosure.combinations import Combination, combine, comparable
from registry.disclosure.exemptions import Exemptions, Opening, facts_of
from registry.disclosure.ladder import Candidate, kept
from registry.disclosure.policy import FIRST_RUNG

_NOTHING = frozenset[str]()


class Waivers:
    """Made of the candidates, and of what the ladder opened for each.

    ``combinations`` are those whose size it must be told, beyond the candidates.
    """

    def __init__(
        self, candidates: Sequence[Candidate], opened: Mapping[UUID, frozenset[str]], exemptions: Exemptions
    ) -> None:
        self._exemptions = exemptions
        self._opened = opened
        self._candidates = candidates
        self._openings: dict[UUID, Opening] = {}
        self._values: dict[UUID, Mapping[str, str]] = {}
        for one in candidates:
            if one.findings.already_public or one.findings.family_agrees:
                opening = _opening(one, opened[one.incident])
                if opening.open != opening.kept:
                    self._openings[one.incident] = opening
                    self._values[one.incident] = comparable(one.incident_class, one.facets)
        self.combinations = frozenset(
            combine(path, self._values[incident])
            for incident, opening in self._openings.items()
            for path in exemptions.paths
            if path <= opening.open
        )

    def waived(self, others: Mapping[Combination, int], *, new_quarter: bool) -> dict[UUID, frozenset[str]]:
        """By incident; the empty sets are left out. ``others``: how many further incidents each crowd has."""
        sizes = Counter(others)
        for one in self._candidates if self.combinations else ():
            if one.makes_crowd:
                values = comparable(one.incident_class, one.facets)
                for path in self._exemptions.paths:
                    if path <= self._opened[one.incident]:
                        sizes[combine(path, values)] += 1
        found = {one.incident: self._waived(one, sizes, new_quarter) for one in self._candidates}
        return {incident: facets for incident, facets in found.items() if facets}

    def _waived(self, one: Candidate, sizes: Mapping[Combination, int], new_quarter: bool) -> frozenset[str]:
        before = one.opened.waived & kept(one) if one.opened is not None and one.opened.waived else _NOTHING
        opening = self._openings.get(one.incident)
        if opening is None:
            return before
        values = self._values[one.incident]
        return before | self._exemptions.waived(
            opening, lambda path: sizes[combine(path, values)], new_quarter=new_quarter
        )


def _opening(candidate: Candidate, open_facets: frozenset[str]) -> Opening:
    broad = cast("Mapping[str, Mapping[str, Sequence[int]]]", candidate.facets.tally)["broad"]
    kind = candidate.facets.kind if "kind" in open_facets else None
    facts = facts_of(candidate.incident_class, kind, broad["victims"], broad["deaths"])
    before = _NOTHING if candidate.opened is None else frozenset(candidate.opened.values)
    return Opening(facts, before.difference(FIRST_RUNG), kept(candidate), open_facets.difference(FIRST_RUNG))
