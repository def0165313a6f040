"""The front page: how many, as of when, what changed, and what is not known."""

import asyncio
from datetime import timedelta
from typing import Final, NamedTuple

from api.counts.answer import Answer
from api.counts.counts import Pin
from api.web import changing
from api.web.drawings import charts
from api.web.figures import figure, largest_first, lines, openness, unit_name
from api.web.visit import Visit
from projections.counting.query import Unit, ask
from projections.errors import DefinitionNotAdopted, NotPublishedYet
from projections.models import changes, checkpoints
from projections.models.changes import RecordedChange

RECENT: Final = timedelta(days=30)
"""What “recently” is on the front page."""

_NEWEST: Final = 4
"""Disclosures that are told one by one."""


_QUESTIONS: Final = (
    *(ask(group_by=[dimension]) for dimension in ("YEAR", "KIND", "STATE", "MUNICIPALITY", "MONTH")),
    ask(Unit.VICTIMISATIONS),
    ask(Unit.DEATHS),
)


class Difference(NamedTuple):
    """How far a total moved."""

    name: str
    low: int
    best: int
    high: int


async def front(visit: Visit) -> str:
    """Every figure is as of one checkpoint."""
    # At once: the first reader of a checkpoint waits as long as the longest of these takes, and not for their sum.
    counted, since, newest = await asyncio.gather(
        asyncio.gather(*[visit.count(query) for query in _QUESTIONS]), _some_time_ago(visit), _newest(visit)
    )
    by_year, by_kind, by_state, by_municipality, by_month, victims, deaths = counted
    whole = [by_year.whole(), victims, deaths]
    kinds, places = largest_first(by_kind.counted.rows), largest_first(by_state.counted.rows)
    words = visit.texts
    return visit.render(
        "front.html",
        figures=[figure(visit, answer) for answer in whole],
        openness=[
            openness(answer, words) for answer in (by_year, by_state, by_kind, by_municipality, by_month)
        ],
        years=lines(visit, by_year),
        year_charts=charts(visit, by_year),
        kinds=lines(visit, by_kind, kinds),
        kind_charts=charts(visit, by_kind),
        states=lines(visit, by_state, places),
        state_charts=charts(visit, by_state),
        links={
            name: visit.link("explore", answer.query)
            for name, answer in (("years", by_year), ("kinds", by_kind), ("states", by_state))
        },
        since=since and since.checkpoint,
        differences=await asyncio.gather(*[_difference(visit, answer, since) for answer in whole]),
        all_changes=visit.link("changes", None, since=str(since.checkpoint.size if since else 0)),
        newest=[[changing.line(visit, change) for change in leaf] for leaf in newest],
    )


async def _newest(visit: Visit) -> list[list[RecordedChange]]:
    async with visit.site.backing.pool.acquire() as connection:
        return await changes.newest(connection, visit.size, _NEWEST)


async def _some_time_ago(visit: Visit) -> Pin | None:
    """What readers saw then; None where nothing was counted yet."""
    backing = visit.site.backing
    try:
        async with backing.pool.acquire() as connection:
            seen = await checkpoints.at_time(connection, visit.pinned.checkpoint.published_at - RECENT)
        return await backing.counts.pin(seen.size)
    except (NotPublishedYet, DefinitionNotAdopted):
        return None


async def _difference(visit: Visit, now: Answer, since: Pin | None) -> Difference:
    then = (0, 0, 0) if since is None else (await visit.count(now.query, since)).counted.bounds
    low, best, high = (new - old for new, old in zip(now.counted.bounds, then, strict=True))
    return Difference(unit_name(now.query.unit, visit.texts), low, best, high)
