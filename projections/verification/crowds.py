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

from collections import Counter
from collections.abc import Hashable, Iterable
from datetime import date
from typing import Final, NamedTuple

from projections.counting.disclosure import FACETS, Disclosure, NexusScope, Status
from projections.verification.errors import VerificationFailed
from projections.verification.openings import Shown
from registry.disclosure.combinations import COMPARED
from registry.disclosure.exemptions import Exemptions, Opening, facts_of, unchanged
from registry.disclosure.policy import FIRST_RUNG, parse
from registry.domain.codes import UNKNOWN, Certainty
from registry.errors import InvalidInput
from registry.log.canonical import JSON, encode

_UPPER: Final = tuple(facet for facet in COMPARED if facet not in FIRST_RUNG)
_STANDS: Final = frozenset({Certainty.POSSIBLE, Certainty.PROBABLE, Certainty.CONFIRMED})
_NOTHING: Final = frozenset[str]()


class Parts(NamedTuple):
    """How one facet of all incidents is shown. The three are all."""

    known: int
    unknown: int
    undisclosed: int


class Crowds:
    """Follows the releases in order. ``opened`` and ``waived`` count facets above the first rung, for the report."""

    def __init__(self) -> None:
        self._exemptions: Exemptions | None = None
        self._last: dict[str, Disclosure] = {}
        self._sizes: Counter[Hashable] = Counter()
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
        self._sizes = Counter()
        for disclosure in self._last.values():
            self._count(disclosure, 1)

    def release(self, on: date, disclosed: Iterable[Shown]) -> None:
        """The disclosures of one release, of a (UTC) date. Raises VerificationFailed, naming leaf, incident, facet."""
        changes = [(shown, self._last.get(shown.disclosure.incident)) for shown in disclosed]
        for shown, before in changes:
            if before is not None:
                self._count(before, -1)
            self._count(shown.disclosure, 1)
            self._last[shown.disclosure.incident] = shown.disclosure
        new_quarter = self._released is None or _quarter(self._released) != _quarter(on)
        for shown, before in changes:
            self._check(shown, before, new_quarter)
        self._released = on

    def parts(self, facet: str) -> Parts:
        """How a facet stands after the last release."""
        known = unknown = undisclosed = 0
        for disclosure in self._last.values():
            shown = disclosure.facets[facet]
            if shown.commitment is not None:
                undisclosed += 1
            elif shown.value == UNKNOWN:
                unknown += 1
            else:
                known += 1
        return Parts(known, unknown, undisclosed)

    def _check(self, shown: Shown, before: Disclosure | None, new_quarter: bool) -> None:
        now = shown.disclosure
        for facet in FIRST_RUNG:
            if now.facets[facet].sealed:
                raise shown.fail(
                    facet,
                    "está sellada; se abre siempre con la primera publicación, porque su grupo es todo el país.",
                    "is sealed; it always opens with the first release, because its crowd is the whole nation.",
                )
        opening = _opening(now, before)
        waived = _NOTHING if before is None else opening.kept.intersection(before.waived)
        new = opening.open - opening.kept
        if new:
            self.opened += len(new)
            waived |= self._newly_waived(shown, opening, new, new_quarter)
        if waived != set(now.waived):
            wrong = waived.symmetric_difference(now.waived)
            raise _not_said(shown, next(facet for facet in FACETS if facet in wrong), waived)

    def _newly_waived(
        self, shown: Shown, opening: Opening, new: frozenset[str], new_quarter: bool
    ) -> frozenset[str]:
        if self._exemptions is None:
            raise ValueError("a release without an adopted policy came through")
        now, first = shown.disclosure, next(facet for facet in _UPPER if facet in new)
        if not _stands(now):
            raise shown.fail(
                first,
                "se abre en un incidente que está en disputa, retractado, fusionado o no llega a POSSIBLE: no puede "
                "abrir nada más.",
                "opens in an incident that is disputed, retracted, merged or below POSSIBLE: it cannot open more.",
            )

        def size(path: frozenset[str]) -> int:
            return self._sizes[self._combination(now, path)]

        waived = self._exemptions.waived(opening, size, new_quarter=new_quarter)
        if waived and not self._exemptions.allowed(opening, size, new_quarter=new_quarter):
            facet = next(facet for facet in _UPPER if facet in waived)
            raise shown.fail(
                facet,
                "se abre sin el grupo que pide la política, antes de tiempo o saltando un peldaño; ninguna excepción "
                "de la política lo permite.",
                "opens without the crowd that the policy asks for, before its time or skipping a rung; no exemption of "
                "the policy allows it.",
            )
        self.waived += len(waived)
        return waived

    def _count(self, disclosure: Disclosure, step: int) -> None:
        if self._exemptions is None or not _stands(disclosure):
            return
        open_facets = _open(disclosure)
        if open_facets:
            for path in self._exemptions.paths:
                if path <= open_facets:
                    self._sizes[self._combination(disclosure, path)] += step

    def _combination(self, disclosure: Disclosure, path: frozenset[str]) -> Hashable:
        """Equal for incidents of one class and year that show the same values along a path."""
        facets = disclosure.facets
        values = (facets[facet].value for facet in _UPPER if facet in path)
        return (
            path,
            disclosure.incident_class,
            disclosure.year,
            *(value if isinstance(value, str) else encode(value) for value in values),
        )


def _opening(now: Disclosure, before: Disclosure | None) -> Opening:
    if now.tally is None:
        raise ValueError("the tally was not checked")
    broad = now.tally[NexusScope.BROAD]
    open_before = _NOTHING
    kept = _NOTHING
    if before is not None:
        open_before = _open(before)
        if before.incident_class == now.incident_class:
            values = {facet: shown.value for facet in COMPARED if not (shown := before.facets[facet]).sealed}
            kept = unchanged(values, lambda facet: now.facets[facet].value)
    return Opening(
        facts_of(now.incident_class, now.kind, broad.victims, broad.deaths), open_before, kept, _open(now)
    )


def _open(disclosure: Disclosure) -> frozenset[str]:
    facets = disclosure.facets
    return frozenset([facet for facet in _UPPER if facets[facet].commitment is None])


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
