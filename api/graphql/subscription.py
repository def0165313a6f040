"""What anyone may follow: the leaves of the log as they are published, and a count as it changes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import strawberry
from strawberry.types.unset import UNSET

from api.graphql.asking import Asking, Context, question
from api.graphql.scalars import Date, LogSize
from api.graphql.types import Count, CountFilter, Unit
from registry.log.leaf import ENTRY, OpenLeaf, parse_leaf


@strawberry.type(
    description=(
        "Hecho. One leaf of the public log. Most are entries: a commitment that shows nothing, not even what it is."
    )
)
class Event:
    position: LogSize = strawberry.field(description="Its place in the log, from 0.")
    id: strawberry.ID = strawberry.field(description="Its random id.")
    type: str = strawberry.field(
        description="What it says: incident.disclosed, release.published, …, or entry."
    )
    recorded: Date | None = strawberry.field(description="Its day, UTC; null of an entry, which shows none.")
    leaf: str = strawberry.field(description="The exact leaf, as its hash covers it.")


@strawberry.type(
    description=(
        "Avisos. What can be followed, over WebSocket (graphql-transport-ws) or server-sent events (graphql-sse)."
    )
)
class Subscription:
    @strawberry.subscription(
        description=(
            "Hojas de la bitácora. Leaves of the log, up to the last published checkpoint and then as they are "
            "published. `after` is the first position wanted: 0 is everything, without it only what is new."
        )
    )
    async def events(
        self, info: Context, after: LogSize | None = UNSET, types: list[str] | None = UNSET
    ) -> AsyncGenerator[Event, None]:
        streams = info.context.backing.streams
        wanted = frozenset(types) if isinstance(types, list) else None
        async with streams.published() as log:
            start = after if isinstance(after, int) else await streams.published_size()
            async with aclosing(log.pages(start)) as pages:
                async for page in pages:
                    for recorded in page:
                        # By what the leaf shows and never by the stored type, which would tell what an entry is.
                        shown = _shown(recorded.leaf)
                        if wanted is None or shown.type in wanted:
                            yield _event(recorded.position, recorded.leaf, shown)

    @strawberry.subscription(
        description="Una cuenta. The count as of the latest checkpoint, and again as of every larger one."
    )
    async def count(
        self,
        info: Context,
        unit: Unit = Unit.INCIDENTS,
        filter: CountFilter | None = UNSET,  # noqa: A002 - the name is the schema's
    ) -> AsyncGenerator[Count, None]:
        backing = info.context.backing
        query = question(unit.name, filter)
        async with backing.streams.published() as log:
            size = await backing.streams.published_size()
            while size or await log.grown_beyond(0):
                size = max(size, log.size)
                # Of its own: the next one is as of another checkpoint.
                yield Count.of(await Asking(backing).count(query, size))
                if not await log.grown_beyond(size):
                    return


class _Shown(NamedTuple):
    id: str
    type: str
    recorded: date | None


@lru_cache(maxsize=2_000)
def _shown(leaf: bytes) -> _Shown:
    """All who follow are given the same leaves at the same time: each is read once."""
    parsed = parse_leaf(leaf)
    if isinstance(parsed, OpenLeaf):
        return _Shown(str(parsed.event_id), parsed.type, parsed.recorded)
    return _Shown(str(parsed.event_id), ENTRY, None)


def _event(position: int, leaf: bytes, shown: _Shown) -> Event:
    return Event(
        position=LogSize(position),
        id=strawberry.ID(shown.id),
        type=shown.type,
        recorded=None if shown.recorded is None else Date(shown.recorded),
        leaf=leaf.decode(),
    )
