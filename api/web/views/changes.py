"""What changed between two dates, record by record; and the newest of it as an Atom feed (RFC 4287)."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from api.web import changing, questions
from api.web.visit import Visit
from projections.errors import InvalidQuery, NotPublishedYet
from projections.models import changes as model
from projections.models import checkpoints
from projections.models.changes import Place
from projections.models.checkpoints import PublishedCheckpoint
from projections.tables import Connection

CHANGES: Final = 100
"""Changes on one page."""

ENTRIES: Final = 50
"""Disclosures in the feed."""

_SIZE: Final = re.compile(r"[0-9]{1,16}")
_PLACE: Final = re.compile(r"([0-9]{1,16})\.([0-9]{1,4})")


async def changes(visit: Visit) -> str:
    """``since`` and ``until``: days, or sizes of published checkpoints. Without ``since``, the newest come first.

    Raises InvalidQuery and NotACheckpoint.
    """
    after = _after(visit)
    first, last = (questions.one(visit.parameters, name) for name in ("since", "until"))
    async with visit.site.backing.pool.acquire() as connection:
        since = await _size(connection, first, timedelta())
        until = await _size(connection, last, timedelta(days=1))
        # Of what was published later, the page as of this size knows nothing, whatever day it was asked until.
        until = visit.size if until is None else min(until, visit.size)
        if since is not None and since > until:
            raise InvalidQuery(
                "since",
                "«since» es posterior a «until». Intercámbielos.",
                "“since” is after “until”. Swap them.",
            )
        if since is None:
            found = await model.backwards(connection, until, after=after, limit=CHANGES + 1)
        else:
            found = await model.between(connection, since, until, after=after, limit=CHANGES + 1)
        seen = await checkpoints.at_size(connection, since) if since else None
        end = await checkpoints.at_size(connection, until)
    shown = found[:CHANGES]
    here = {} if after is None else {"after": _written(after)}
    pinned = {"until": str(until)} if since is None else {"since": str(since), "until": str(until)}
    place = shown[-1].place if len(found) > CHANGES else None
    return visit.render(
        "changes.html",
        changes=[changing.line(visit, change) for change in shown],
        newest_first=since is None,
        seen=seen,
        end=end,
        first_day=_day(first, seen),
        last_day=_day(last, end),
        oldest=visit.link("changes", None, since="0", until=str(until)),
        newest=visit.link("changes", None, until=str(until)),
        first=visit.link("changes", None, **pinned) if after else None,
        next=visit.link("changes", None, **pinned, after=_written(place)) if place else None,
        citation=visit.site.backing.base_url + visit.link("changes", None, **pinned, **here),
    )


async def feed(visit: Visit) -> str:
    """One entry for each of the last leaves that disclosed something."""
    async with visit.site.backing.pool.acquire() as connection:
        newest = await model.newest(connection, visit.size, ENTRIES)
    return visit.render(
        "changes.atom", leaves=[[changing.line(visit, change) for change in leaf] for leaf in newest]
    )


def _after(visit: Visit) -> Place | None:
    given = questions.one(visit.parameters, "after")
    if given is None:
        return None
    read = _PLACE.fullmatch(given)
    if read is None:
        raise InvalidQuery(
            "after",
            "«after» es el lugar del último cambio de la página anterior: siga el enlace de esa página.",
            "“after” is the place of the last change of the page before: follow the link of that page.",
        )
    return Place(int(read[1]), int(read[2]))


def _written(place: Place) -> str:
    return f"{place.position}.{place.number}"


async def _size(connection: Connection, given: str | None, until: timedelta) -> int | None:
    """The size that readers saw when a day began or, ``until`` a day later, ended; before the first: the empty log.

    None where nothing is given.
    """
    if given is None:
        return None
    if _SIZE.fullmatch(given):
        return 0 if int(given) == 0 else (await checkpoints.at_size(connection, int(given))).size
    try:
        day = datetime.combine(date.fromisoformat(given), datetime.min.time(), UTC)
        seen = await checkpoints.at_time(connection, day + until)
    except (ValueError, OverflowError):
        raise InvalidQuery(
            "since",
            "Escriba cada fecha como AAAA-MM-DD, o el tamaño de un punto de control publicado.",
            "Write each date as YYYY-MM-DD, or the size of a published checkpoint.",
        ) from None
    except NotPublishedYet:
        if until:
            raise InvalidQuery(
                "until",
                f"Hasta el día {given} no se había publicado nada. Escriba un día posterior.",
                f"Until the day {given} nothing had been published. Write a later day.",
            ) from None
        return 0
    return seen.size


def _day(given: str | None, seen: PublishedCheckpoint | None) -> str:
    """What the form shows: the day that was asked about, else that of the checkpoint; nothing for the empty log."""
    if given is not None and not _SIZE.fullmatch(given):
        return given
    return "" if seen is None else seen.published_at.date().isoformat()
