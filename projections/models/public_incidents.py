"""The disclosed incidents, one by one, as of a published size: what leaves say of them and nothing else.

They lie in the tables that ``public_count`` keeps. A list holds the incidents whose open facets prove that they belong
to a question, also those that count nothing because they were retracted, merged, refuted or are only a rumour; left
out are those without a victim of the question's nexus.
"""

from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from projections.counting.query import CountQuery
from projections.models import standing
from projections.models.standing import Standing
from projections.tables import Connection
from registry.sql import load_queries

_SQL = load_queries("projections.models", "public_incidents.sql")
_PAGE: Final = (
    _SQL["page"].replace("$standing", standing.SQL["standing"]).replace("$told", standing.SQL["told"])
)
_BEFORE_ALL: Final = UUID(int=0)


class DisclosedIncident(NamedTuple):
    """The last disclosure of an incident.

    ``facets``: in the order of ``FACETS``, None where sealed; tally and sex as canonical JSON, the others as codes.
    """

    id: UUID
    position: int
    class_: str
    status: str
    merged_into: UUID | None
    certainty: str
    disputed: bool
    facets: tuple[str | None, ...]

    @property
    def standing(self) -> str:
        """The status, or REFUTED where nothing else takes away an incident that was shown to be false."""
        return "REFUTED" if self.certainty == "REFUTED" and self.status == "ACTIVE" else self.status


async def page(
    connection: Connection, query: CountQuery, size: int, *, after: UUID | None, limit: int
) -> list[DisclosedIncident]:
    """The next ``limit`` incidents behind ``after`` that belong to the question, in the order of their random ids."""
    return [_incident(row) for row in (await _lines(connection, query, size, after, limit))[1:]]


async def answer(
    connection: Connection, query: CountQuery, size: int | None, *, after: UUID | None, limit: int
) -> tuple[Standing, list[DisclosedIncident]]:
    """``page``, as of the latest checkpoint if ``size`` is None, and in the same statement what it is given with.

    Raises as ``standing``.
    """
    told, *rows = await _lines(connection, query, size, after, limit)
    return standing.read(told["class"]), [_incident(row) for row in rows]


async def one(connection: Connection, incident: UUID, size: int) -> DisclosedIncident | None:
    """The incident as of ``size``; None when no release had disclosed it by then."""
    row = await connection.fetchrow(_SQL["one"], size, incident)
    return None if row is None else _incident(row)


async def _lines(
    connection: Connection, query: CountQuery, size: int | None, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    return await connection.fetch(
        _PAGE,
        size,
        *standing.VERSIONS,
        after or _BEFORE_ALL,
        limit,
        query.nexus.value,
        query.classes,
        query.kinds,
        query.states,
        query.municipalities,
        query.period.first if query.period else None,
        query.period.last if query.period else None,
    )


def _incident(row: asyncpg.Record) -> DisclosedIncident:
    return DisclosedIncident._make((*row[:7], row[7:]))
