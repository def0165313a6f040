"""The disclosed incidents, in a list and one by one with all that releases ever said of them."""

import re
from typing import Final, NamedTuple
from uuid import UUID

from api import labels
from api.problems import NOT_FOUND, Problem
from api.web import changing, questions
from api.web.figures import conditions, value_label
from api.web.forms import choices
from api.web.visit import Visit
from projections.counting.disclosure import FACETS
from projections.errors import InvalidQuery
from projections.models import changes, public_figures, public_incidents
from projections.models.public_incidents import DisclosedIncident
from registry.domain.codes import UNKNOWN
from registry.text import Text

INCIDENTS: Final = 50
"""Incidents on one page of the list."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Fact(NamedTuple):
    """A facet in words. ``state``: known, unknown or undisclosed."""

    name: str
    state: str
    value: str


class Shown(NamedTuple):
    """An incident in words. ``facts`` by the names of the facets."""

    id: str
    link: str
    class_: str
    status: str
    stands: bool
    merged_into: str | None
    certainty: str
    disputed: bool
    facts: dict[str, Fact]


async def incidents(visit: Visit) -> str:
    """In the order of their random ids, which says nothing."""
    query, words = visit.asked.whole(), visit.texts
    after = _after(visit)
    async with visit.site.backing.pool.acquire() as connection:
        # One more than is shown tells whether there is a next page.
        found = await public_incidents.page(connection, query, visit.size, after=after, limit=INCIDENTS + 1)
        matching = await public_figures.matching(connection, query, visit.size)
    shown = found[:INCIDENTS]
    more = visit.link("incidents", query, after=str(shown[-1].id)) if len(found) > INCIDENTS else None
    return visit.render(
        "incidents.html",
        incidents=[_shown(visit, incident) for incident in shown],
        matching=matching,
        conditions=list(conditions(query, words)),
        form=choices(visit),
        next=more,
        first=visit.link("incidents", query) if after else None,
        counted=visit.link("explore", query),
        citation=visit.site.backing.base_url + visit.link("incidents", query),
    )


async def incident(visit: Visit) -> str:
    """Raises Problem where no release had disclosed it."""
    given = visit.parts["id"]
    if not _UUID.fullmatch(given):
        raise _absent()
    async with visit.site.backing.pool.acquire() as connection:
        found = await public_incidents.one(connection, UUID(given), visit.size)
        if found is None:
            raise _absent()
        history = (await changes.histories(connection, [found.id], visit.size))[found.id]
    return visit.render(
        "incident.html",
        incident=_shown(visit, found),
        position=found.position,
        history=[changing.line(visit, change) for change in history],
        citation=visit.site.backing.base_url + visit.incident(found.id),
    )


def _after(visit: Visit) -> UUID | None:
    given = questions.one(visit.parameters, "after")
    if given is None:
        return None
    if not _UUID.fullmatch(given):
        raise InvalidQuery(
            "after",
            "«after» es la clave del último incidente de la página anterior: siga el enlace de esa página.",
            "“after” is the id of the last incident of the page before: follow the link of that page.",
        )
    return UUID(given)


def _absent() -> Problem:
    return Problem(
        NOT_FOUND,
        Text(
            "Ninguna publicación ha dado a conocer un incidente con esa clave. Revise la dirección.",
            "No release has disclosed an incident with that id. Check the address.",
        ),
    )


def _shown(visit: Visit, found: DisclosedIncident) -> Shown:
    language = visit.language
    return Shown(
        id=str(found.id),
        link=visit.incident(found.id),
        class_=labels.CLASSES[found.class_].in_(language),
        status=labels.STATUSES[found.standing].in_(language),
        stands=found.standing == "ACTIVE",
        merged_into=None if found.merged_into is None else visit.incident(found.merged_into),
        certainty=labels.CERTAINTIES[found.certainty].in_(language),
        disputed=found.disputed,
        facts={name: _fact(visit, name, value) for name, value in zip(FACETS, found.facets, strict=True)},
    )


def _fact(visit: Visit, name: str, value: str | None) -> Fact:
    called = labels.FIELDS[name].in_(visit.language)
    if value is None:
        return Fact(called, "undisclosed", labels.UNDISCLOSED_CELL.in_(visit.language))
    if value == UNKNOWN:
        return Fact(called, "unknown", value_label(name.upper(), value).in_(visit.language))
    # A text that is JSON of its own, such as that the sex does not apply, is shown as the word it is.
    return Fact(called, "known", changing.value(name, value.strip('"'), visit.texts))
