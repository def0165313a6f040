"""What the resolvers of one request share: what it rests on, the checkpoints it asked about, and its loaders."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache, partial
from typing import Any, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader
from strawberry.types import Info

from api.counts.answer import Answer, Backing
from api.counts.counts import Pin
from api.graphql.executor import Plans
from api.graphql.readers import Reader
from api.graphql.types import CountFilter, Nexus
from projections.counting.query import CountQuery, ask
from projections.models import changes, public_incidents
from projections.models.changes import RecordedChange
from projections.models.public_incidents import DisclosedIncident
from projections.models.standing import Standing
from projections.tables import Connection

UNFILTERED_KEPT = 500
"""Questions without a filter that are kept ready: every unit by every one or two dimensions, and some more."""

T = TypeVar("T")
Histories = DataLoader[UUID, list[RecordedChange]]


class Asking:
    """One request. Every answer in it that names no size is as of the same checkpoint.

    ``plans``: how the executor reads the document, where that is known from earlier requests. ``reader``: who asks,
    where a request of their own says so.
    """

    def __init__(self, backing: Backing, plans: Plans | None = None, reader: Reader | None = None) -> None:
        self.backing = backing
        self.reader = reader
        self.plans: Plans = {} if plans is None else plans
        self._pins: dict[int | None, asyncio.Future[Pin]] = {}
        self._histories: dict[int, Histories] = {}

    async def pin(self, as_of: int | None) -> Pin:
        """The checkpoint that an answer is as of. Raises ProjectionError."""
        as_of = as_of if isinstance(as_of, int) else None
        if as_of not in self._pins:
            self._pins[as_of] = asyncio.ensure_future(self.backing.counts.pin(as_of))
        return await self._pins[as_of]

    async def count(self, query: CountQuery, as_of: int | None) -> Answer:
        """A count as of it."""
        counts = self.backing.counts
        pinned, counted = await self._with_pin(
            as_of, partial(counts.pin_and_count, query), partial(counts.count, query)
        )
        return Answer(self.backing, query, counted, pinned.checkpoint, pinned.waiting)

    async def page(
        self, query: CountQuery, as_of: int | None, *, after: UUID | None, limit: int
    ) -> tuple[int, list[DisclosedIncident]]:
        """Incidents as of it, and its size."""

        async def read(connection: Connection, size: int | None) -> tuple[Standing, list[DisclosedIncident]]:
            return await public_incidents.answer(connection, query, size, after=after, limit=limit)

        async def found(pinned: Pin) -> list[DisclosedIncident]:
            async with self.backing.pool.acquire() as connection:
                size = pinned.checkpoint.size
                return await public_incidents.page(connection, query, size, after=after, limit=limit)

        counts = self.backing.counts
        pinned, incidents = await self._with_pin(as_of, lambda size: counts.pin_and_read(size, read), found)
        return pinned.checkpoint.size, incidents

    async def _with_pin(
        self,
        as_of: int | None,
        both: Callable[[int | None], Awaitable[tuple[Pin, T]]],
        alone: Callable[[Pin], Awaitable[T]],
    ) -> tuple[Pin, T]:
        """The first question of a request brings the checkpoint with it, in the same statement."""
        as_of = as_of if isinstance(as_of, int) else None
        if as_of in self._pins:
            pinned = await self._pins[as_of]
            return pinned, await alone(pinned)
        pinning: asyncio.Future[Pin] = asyncio.get_running_loop().create_future()
        self._pins[as_of] = pinning
        try:
            pinned, found = await both(as_of)
        except BaseException as error:
            pinning.set_exception(error)
            pinning.exception()  # it need not be waited for: it is raised here
            raise
        pinning.set_result(pinned)
        return pinned, found

    def histories(self, size: int) -> Histories:
        """Histories as of ``size``: those of all incidents of an answer are read by one statement."""
        if size not in self._histories:
            self._histories[size] = DataLoader(load_fn=partial(self._load_histories, size))
        return self._histories[size]

    async def _load_histories(self, size: int, incidents: Sequence[UUID]) -> list[list[RecordedChange]]:
        async with self.backing.pool.acquire() as connection:
            found = await changes.histories(connection, incidents, size)
        return [found[incident] for incident in incidents]


Context = Info[Asking, None]


def question(
    unit: str = "INCIDENTS", given: CountFilter | None = None, group_by: Sequence[str] = ()
) -> CountQuery:
    """The validated question that a filter asks. Raises InvalidQuery."""
    # UNSET is falsy, as None is: both mean that nothing was given.
    if not given:
        return _unfiltered(unit, tuple(group_by))
    return ask(
        unit,
        nexus=(given.nexus or Nexus.STRICT).name,
        classes=None if not isinstance(given.class_, list) else [item.value for item in given.class_],
        kinds=_listed(given.kind),
        states=_listed(given.state),
        municipalities=_listed(given.municipality),
        period=(given.period.from_, given.period.to) if given.period else None,
        group_by=group_by,
    )


@lru_cache(maxsize=UNFILTERED_KEPT)
def _unfiltered(unit: str, group_by: tuple[str, ...]) -> CountQuery:
    return ask(unit, group_by=group_by)


def _listed(values: Any) -> list[str] | None:
    return values if isinstance(values, list) else None
