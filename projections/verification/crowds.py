"""Whether every release opened no more than the adopted policy allows, from what its leaves show.

At each ``release.published``, for every incident that it disclosed:

1. Tally and year are open. Everybody is in that crowd.
2. An incident that is merged, retracted, disputed, refuted or a rumour opens nothing more.
3. What is newly open, and what stays open after a correction below it, follows the rungs of a tier that the public
   facts leave possible, none skipped: at least k incidents, POSSIBLE or better and neither merged nor retracted nor
   disputed, are open to each rung with the same class, year and values. Where the rung waits for the first release
   of a quarter, this release is one.
4. Facets that stand in a smaller crowd than that are exactly those that the leaf names as ``waived``, and their
   exemption is one that the policy has (``registry.disclosure.exemptions``).

So of every combination that was ever opened, either its k incidents were open, or the register has said in public
whose exemption it claims. Victims, waits and populations, and the reason of an exemption, it attests.

The work is that of the leaves of a release: crowds are kept as numbers, and only those that a leaf touches move.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from datetime import date
from functools import cache
from typing import Final, NamedTuple

from projections.counting.disclosure import FACETS, Disclosure, NexusScope, Status
from projections.verification.errors import VerificationFailed
from projections.verification.openings import Shown
from registry.disclosure.combinations import COMPARED, comparable_value, ordered
from registry.disclosure.exemptions import Exemptions, Opening, facts_of, unchanged
from registry.disclosure.policy import FIRST_RUNG, parse
from registry.domain.codes import UNKNOWN, Certainty
from registry.errors import InvalidInput
from registry.log.canonical import JSON

_UPPER: Final = tuple(facet for facet in COMPARED if facet not in FIRST_RUNG)
_STANDS: Final = frozenset({Certainty.POSSIBLE, Certainty.PROBABLE, Certainty.CONFIRMED})
_NOTHING: Final = frozenset[str]()
_NO_CROWDS: Final[Mapping[frozenset[str], Hashable]] = {}


class Parts(NamedTuple):
    """How one facet of all incidents is shown. The three are all."""

    known: int
    unknown: int
    undisclosed: int


class _Standing(NamedTuple):
    """An incident after a release: its last leaf, what is open above the first rung, and the crowds that it is in."""

    disclosure: Disclosure
    open: frozenset[str]
    crowds: Mapping[frozenset[str], Hashable]
    """By the facets that they share; none for an incident that counts in none."""


class Crowds:
    """Follows the releases in order. ``opened`` and ``waived`` count facets above the first rung, for the report."""

    def __init__(self) -> None:
        self._exemptions: Exemptions | None = None
        self._last: dict[str, _Standing] = {}
        self._sizes: defaultdict[Hashable, int] = defaultdict(int)
        self._within: dict[frozenset[str], tuple[frozenset[str], ...]] = {}
        self._released: date | None = None
        self.opened = 0
        self.waived = 0

    def adopt(self, index: int, document: JSON) -> None:
        """The policy of ``policy.adopted``: it holds for what opens from now on."""
        try:
            self._exemptions = Exemptions(parse(document))
        except InvalidInput as error:
            raise VerificationFailed(
                f"Hoja {index} (policy.adopted): {error.text.es}",
                f"Leaf {index} (policy.adopted): {error.text.en}",
            ) from error
        self._within.clear()
        self._sizes.clear()
        for incident, standing in self._last.items():
            self._last[incident] = self._enter(standing.disclosure)

    def release(self, on: date, disclosed: Iterable[Shown]) -> None:
        """The disclosures of one release, of a (UTC) date. Raises VerificationFailed, naming leaf, incident, facet."""
        changes: list[tuple[Shown, _Standing, _Standing | None]] = []
        for shown in disclosed:
            incident = shown.disclosure.incident
            before = self._last.get(incident)
            if before is not None:
                for crowd in before.crowds.values():
                    self._sizes[crowd] -= 1
            now = self._last[incident] = self._enter(shown.disclosure)
            changes.append((shown, now, before))
        new_quarter = self._released is None or _quarter(self._released) != _quarter(on)
        for shown, now, before in changes:
            self._check(shown, now, before, new_quarter)
        self._released = on

    def parts(self, facet: str) -> Parts:
        """How a facet stands after the last release."""
        known = unknown = undisclosed = 0
        for standing in self._last.values():
            shown = standing.disclosure.facets[facet]
            if shown.commitment is not None:
                undisclosed += 1
            elif shown.value == UNKNOWN:
                unknown += 1
            else:
                known += 1
        return Parts(known, unknown, undisclosed)

    def _enter(self, disclosure: Disclosure) -> _Standing:
        """Counts an incident where it stands now."""
        open_facets = _open(disclosure)
        crowds: Mapping[frozenset[str], Hashable] = _NO_CROWDS
        if open_facets and _stands(disclosure):
            crowds = {path: _combination(disclosure, path) for path in self._paths(open_facets)}
            for crowd in crowds.values():
                self._sizes[crowd] += 1
        return _Standing(disclosure, open_facets, crowds)

    def _paths(self, open_facets: frozenset[str]) -> tuple[frozenset[str], ...]:
        """What the policy asks crowds for, of these facets."""
        found = self._within.get(open_facets)
        if found is None:
            every = () if self._exemptions is None else self._exemptions.paths
            found = self._within[open_facets] = tuple(path for path in every if path <= open_facets)
        return found

    def _check(self, shown: Shown, now: _Standing, before: _Standing | None, new_quarter: bool) -> None:
        disclosure = now.disclosure
        if disclosure.tally is None or disclosure.year is None:
            raise shown.fail(
                "tally" if disclosure.tally is None else "year",
                "está sellada; se abre siempre con la primera publicación, porque su grupo es todo el país.",
                "is sealed; it always opens with the first release, because its crowd is the whole nation.",
            )
        waived = _NOTHING
        if now.open:
            kept = _kept(now, before)
            if before is not None and before.disclosure.waived:
                waived = kept.intersection(before.disclosure.waived)
            new = now.open - kept
            if new:
                self.opened += len(new)
                broad = disclosure.tally[NexusScope.BROAD]
                facts = facts_of(disclosure.incident_class, disclosure.kind, broad.victims, broad.deaths)
                opening = Opening(facts, _NOTHING if before is None else before.open, kept, now.open)
                waived |= self._newly_waived(shown, now, opening, new_quarter)
        if waived or disclosure.waived:
            wrong = waived.symmetric_difference(disclosure.waived)
            if wrong:
                raise _not_said(shown, next(facet for facet in FACETS if facet in wrong), waived)

    def _newly_waived(
        self, shown: Shown, now: _Standing, opening: Opening, new_quarter: bool
    ) -> frozenset[str]:
        if self._exemptions is None:
            raise ValueError("a release without an adopted policy came through")
        if not _stands(now.disclosure):
            raise shown.fail(
                next(facet for facet in _UPPER if facet in opening.open - opening.kept),
                "se abre en un incidente que está en disputa, retractado, fusionado o no llega a POSSIBLE: no puede "
                "abrir nada más.",
                "opens in an incident that is disputed, retracted, merged or below POSSIBLE: it cannot open more.",
            )

        def size(path: frozenset[str]) -> int:
            return self._sizes[now.crowds[path]]

        waived = self._exemptions.waived(opening, size, new_quarter=new_quarter)
        if waived and not self._exemptions.allowed(opening, size, new_quarter=new_quarter):
            raise shown.fail(
                next(facet for facet in _UPPER if facet in waived),
                "se abre sin el grupo que pide la política, antes de tiempo o saltando un peldaño; ninguna excepción "
                "de la política lo permite.",
                "opens without the crowd that the policy asks for, before its time or skipping a rung; no exemption of "
                "the policy allows it.",
            )
        self.waived += len(waived)
        return waived


def _kept(now: _Standing, before: _Standing | None) -> frozenset[str]:
    """What was open and no correction touches."""
    if before is None or not before.open or before.disclosure.incident_class != now.disclosure.incident_class:
        return _NOTHING
    then, current = before.disclosure.facets, now.disclosure.facets
    values = {facet: then[facet].value for facet in COMPARED if then[facet].commitment is None}
    return unchanged(values, lambda facet: current[facet].value)


def _combination(disclosure: Disclosure, path: frozenset[str]) -> Hashable:
    """Equal for incidents of one class and year that show the same values along a path."""
    facets = disclosure.facets
    values = [facets[facet].value for facet in ordered(path)]
    return (
        path,
        disclosure.incident_class,
        disclosure.year,
        *[value if isinstance(value, str) else comparable_value(value) for value in values],
    )


def _open(disclosure: Disclosure) -> frozenset[str]:
    facets = disclosure.facets
    return _together(tuple([facet for facet in _UPPER if facets[facet].commitment is None]))


@cache
def _together(facets: tuple[str, ...]) -> frozenset[str]:
    """One set for all incidents that are open as far: a large register has few."""
    return frozenset(facets)


def _stands(disclosure: Disclosure) -> bool:
    """Whether it counts among the k, and may open more itself."""
    return disclosure.status is Status.ACTIVE and not disclosure.disputed and disclosure.certainty in _STANDS


def _quarter(day: date) -> tuple[int, int]:
    return day.year, (day.month - 1) // 3


def _not_said(shown: Shown, facet: str, waived: frozenset[str]) -> VerificationFailed:
    if facet in waived:
        return shown.fail(
            facet,
            "está abierta sin el grupo de incidentes que pide la política, o antes de tiempo, y la hoja no dice "
            "(waived) que se exceptúe.",
            "is open without the crowd of incidents that the policy asks for, or before its time, and the leaf does "
            "not say (waived) that it is exempt.",
        )
    return shown.fail(
        facet,
        "se dice exceptuada (waived), pero no le hace falta: diría más de lo que el grupo de incidentes ya dice.",
        "is said to be exempt (waived) and need not be: that tells more than the crowd of incidents does.",
    )
