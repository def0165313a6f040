"""Incidents one by one, and what releases changed: the types, and how they are made from what the leaves say."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple, cast
from uuid import UUID

import strawberry
from strawberry import Private

from api.graphql import cursors
from api.graphql.asking import Asking, Context, question
from api.graphql.scalars import Date, LogSize
from api.graphql.types import CellState, CountFilter, IncidentClass, Nexus, PageInfo, Unit
from projections.counting.changes import Effect as CountedEffect
from projections.counting.disclosure import FACETS
from projections.counting.query import CountQuery
from projections.models import public_figures
from projections.models.changes import RecordedChange
from projections.models.public_incidents import DisclosedIncident
from registry.domain.codes import UNKNOWN

FACETS_KEPT = 5_000
"""Values of one facet that are kept ready: more than there are municipalities."""

STRUCTURED = frozenset({"tally", "sex"})
"""Facets that are JSON already; the others are codes."""


@strawberry.enum(description="Certeza. How well an incident is established.")
class Certainty(enum.Enum):
    RUMOUR = strawberry.enum_value("RUMOUR", description="One source that heard of it. Never counts.")
    POSSIBLE = strawberry.enum_value(
        "POSSIBLE", description="One direct or institutional source. Counts in `high`."
    )
    PROBABLE = strawberry.enum_value(
        "PROBABLE", description="Two independent sources that agree. Counts in `best` and `high`."
    )
    CONFIRMED = strawberry.enum_value(
        "CONFIRMED", description="Probable, and documented or proven. Counts in `low`, `best` and `high`."
    )
    REFUTED = strawberry.enum_value("REFUTED", description="Shown to be false. Never counts.")


@strawberry.enum(
    description="Estado del incidente. Whether an incident stands. Only those that are ACTIVE count."
)
class Status(enum.Enum):
    ACTIVE = strawberry.enum_value("ACTIVE", description="It stands.")
    MERGED = strawberry.enum_value("MERGED", description="The same occurrence as another: see `mergedInto`.")
    RETRACTED = strawberry.enum_value("RETRACTED", description="Withdrawn by those who established it.")
    REFUTED = strawberry.enum_value("REFUTED", description="Shown to be false.")


@strawberry.type(description="Dato. One public fact of an incident, open or still sealed.")
class Facet:
    name: str = strawberry.field(description="tally, year, state, kind, municipality, month or sex.")
    state: CellState = strawberry.field(description="Whether its value is known to the public.")
    value: str | None = strawberry.field(
        description='The value as canonical JSON, such as "\\"2020\\""; null where it is sealed.'
    )


@strawberry.type(
    description=(
        "Efecto. What a change did to one national total: added, or taken away where negative. Totals that stayed "
        "as they were are not listed."
    )
)
class Effect:
    unit: Unit = strawberry.field(description="Which total.")
    nexus: Nexus = strawberry.field(description="By which link to the service.")
    low: int = strawberry.field(description="Confirmed.")
    best: int = strawberry.field(description="Confirmed or probable.")
    high: int = strawberry.field(description="Confirmed, probable or possible.")


@strawberry.type(
    description=(
        "Cambio. One field of one incident, as a release changed it. The effects of all changes between two "
        "checkpoints sum to the difference of the two counts."
    )
)
class Change:
    position: LogSize = strawberry.field(description="Where in the log the leaf lies that says so.")
    recorded: Date = strawberry.field(description="The day of the release, UTC.")
    incident: strawberry.ID = strawberry.field(description="Which incident.")
    field: str = strawberry.field(
        description=(
            "What changed: class, status, merged_into, certainty, disputed, a facet, or `waived`, the facets whose "
            "crowd is too small but for an exemption; `incident` where it was disclosed for the first time, `sealed` "
            "where only values changed that nobody sees."
        )
    )
    old: str | None = strawberry.field(
        description="Before: a code as it is, anything else as canonical JSON; null where nothing was shown."
    )
    new: str | None = strawberry.field(description="After, in the same form.")
    reason: str | None = strawberry.field(
        description="Code of the reason for a correction; null where the release only disclosed more."
    )
    effect: list[Effect] = strawberry.field(description="What it did to the national totals.")

    @classmethod
    def of(cls, recorded: RecordedChange) -> Change:
        change = recorded.change
        return cls(
            position=LogSize(recorded.place.position),
            recorded=Date(recorded.recorded),
            incident=strawberry.ID(str(recorded.incident)),
            field=change.field,
            old=change.old,
            new=change.new,
            reason=change.reason,
            effect=[_effect(effect) for effect in change.effects],
        )


@strawberry.type(description="Un cambio en una lista. A change in a list.")
class ChangeEdge:
    cursor: str = strawberry.field(description="Give it as `after` to continue behind this one.")
    node: Change = strawberry.field(description="The change.")


@strawberry.type(description="Cambios, el más antiguo primero. Changes, in the order of the log.")
class ChangeConnection:
    edges: list[ChangeEdge] = strawberry.field(description="This page.")
    page_info: PageInfo = strawberry.field(description="Where it ends.")

    @classmethod
    def of(cls, found: list[RecordedChange], limit: int) -> ChangeConnection:
        """``found`` holds one more than the page where there is a next one."""
        edges = [
            ChangeEdge(cursor=cursors.of_change(one.place), node=Change.of(one)) for one in found[:limit]
        ]
        return cls(edges=edges, page_info=PageInfo.of([edge.cursor for edge in edges], len(found) > limit))


@strawberry.type(
    description="Incidente. An occurrence that reviewers established, as the public log discloses it."
)
class Incident:
    size: Private[int]
    uuid: Private[UUID]
    id: strawberry.ID = strawberry.field(description="Its random id.")
    class_: IncidentClass = strawberry.field(name="class", description="Threat or attack.")
    status: Status = strawberry.field(description="Whether it stands.")
    merged_into: strawberry.ID | None = strawberry.field(
        description="The incident that it turned out to be the same as."
    )
    certainty: Certainty = strawberry.field(description="How well it is established.")
    disputed: bool = strawberry.field(description="Whether an institution disputes it.")
    facets: list[Facet] = strawberry.field(description="Its public facts, open or sealed, always all seven.")

    @strawberry.field(description="Everything that releases ever said of it, the oldest first.")
    async def history(self, info: Context) -> list[Change]:
        return [Change.of(one) for one in await info.context.histories(self.size).load(self.uuid)]

    @classmethod
    def of(cls, incident: DisclosedIncident, size: int) -> Incident:
        (shown,) = _incidents([incident], size)
        return shown


class _ShownIncident(NamedTuple):
    """What is read as an Incident: a tuple takes a third of the time that an object does."""

    size: int
    uuid: UUID
    id: str
    class_: IncidentClass
    status: Status
    merged_into: str | None
    certainty: Certainty
    disputed: bool
    facets: tuple[Facet, ...]


@strawberry.type(description="Un incidente en una lista. An incident in a list.")
class IncidentEdge:
    cursor: str = strawberry.field(description="Give it as `after` to continue behind this one.")
    node: Incident = strawberry.field(description="The incident.")


@strawberry.type(
    description="Incidentes, en el orden de sus claves aleatorias. Incidents, in the order of their random ids."
)
class IncidentConnection:
    asking: Private[Asking]
    query: Private[CountQuery]
    size: Private[int]
    edges: list[IncidentEdge] = strawberry.field(description="This page.")
    page_info: PageInfo = strawberry.field(description="Where it ends.")

    @strawberry.field(description="How many there are on all pages.")
    async def total_count(self) -> int | None:
        async with self.asking.backing.pool.acquire() as connection:
            return await public_figures.matching(connection, self.query, self.size)

    @classmethod
    async def ask(
        cls, asking: Asking, wanted: CountFilter | None, as_of: int | None, limit: int, after: str | None
    ) -> IncidentConnection:
        """One page, as of a published checkpoint. Raises ProjectionError."""
        query = question(given=wanted)
        behind = cursors.incident(after) if after else None
        # One more than asked for tells whether there is a next page.
        size, found = await asking.page(query, as_of, after=behind, limit=limit + 1)
        nodes = _incidents(found[:limit], size)
        edges = [IncidentEdge(cursor=cursors.of_incident(node.id), node=node) for node in nodes]
        page_info = PageInfo.of([edge.cursor for edge in edges], len(found) > limit)
        return cls(asking=asking, query=query, size=size, edges=edges, page_info=page_info)


_CLASSES = {code.name: code for code in IncidentClass}
_STATUSES = {code.name: code for code in Status}
_CERTAINTIES = {code.name: code for code in Certainty}


class _Facets(dict[str | None, Facet]):
    """The facets of one name by their values: of a thousand incidents, most say the same of state, year and kind."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def __missing__(self, value: str | None) -> Facet:
        if len(self) >= FACETS_KEPT:
            self.clear()
        state = CellState.UNDISCLOSED if value is None else CellState.KNOWN
        if value == UNKNOWN:
            state = CellState.UNKNOWN
        shown = value if value is None or self._name in STRUCTURED else f'"{value}"'
        facet = self[value] = Facet(name=self._name, state=state, value=shown)
        return facet


_FACETS = tuple(_Facets(name) for name in FACETS)


def _incidents(found: Sequence[DisclosedIncident], size: int) -> list[Incident]:
    """Column by column, without a step of Python for each value: pages are long."""
    if not found:
        return []
    ids, _, classes, _, merged, certainties, disputed, facets = zip(*found, strict=True)
    told = [
        map(known.__getitem__, values)
        for known, values in zip(_FACETS, zip(*facets, strict=True), strict=True)
    ]
    shown = map(
        _ShownIncident,
        repeat(size),
        ids,
        map(str, ids),
        map(_CLASSES.__getitem__, classes),
        map(_STATUSES.__getitem__, [one.standing for one in found]),
        [None if other is None else str(other) for other in merged],
        map(_CERTAINTIES.__getitem__, certainties),
        disputed,
        zip(*told, strict=True),
    )
    return cast(list[Incident], list(shown))


def _effect(effect: CountedEffect) -> Effect:
    low, best, high = effect.bounds
    return Effect(unit=Unit[effect.unit.name], nexus=Nexus[effect.nexus.name], low=low, best=best, high=high)
