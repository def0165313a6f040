"""The questions that anyone may ask: counts, what changed, incidents, and the checkpoints that all are cited as of."""

import re
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.types.unset import UNSET

from api.graphql import cursors
from api.graphql.asking import Context, question
from api.graphql.records import ChangeConnection, Incident, IncidentConnection
from api.graphql.restricted import Restricted, restricted
from api.graphql.scalars import LogSize
from api.graphql.types import (
    Checkpoint,
    CheckpointConnection,
    CheckpointEdge,
    Count,
    CountFilter,
    CountTable,
    Dimension,
    PageInfo,
    Unit,
)
from projections.errors import InvalidQuery
from projections.models import changes, checkpoints, public_incidents

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@strawberry.type(description="Preguntas. Everything that can be asked; only `restricted` needs a key.")
class Query:
    @strawberry.field(
        description=(
            "¿Cuántos? How many incidents, victims or deaths, as of a published checkpoint (the latest unless `asOf` "
            "names the size of another)."
        )
    )
    async def count(
        self,
        info: Context,
        unit: Unit = Unit.INCIDENTS,
        filter: CountFilter | None = UNSET,  # noqa: A002 - the name is the schema's
        as_of: LogSize | None = UNSET,
    ) -> Count:
        query = question(unit.name, filter)
        return Count.of(await info.context.count(query, as_of))

    @strawberry.field(
        description="¿Cuántos de cada uno? The same, broken down; the rows sum to the total.",
    )
    async def counts(
        self,
        info: Context,
        group_by: list[Dimension],
        unit: Unit = Unit.INCIDENTS,
        filter: CountFilter | None = UNSET,  # noqa: A002 - the name is the schema's
        as_of: LogSize | None = UNSET,
    ) -> CountTable:
        if not group_by:
            raise InvalidQuery(
                "groupBy",
                "Nombre al menos una dimensión en groupBy, o pregunte «count».",
                "Name at least one dimension in groupBy, or ask “count”.",
            )
        query = question(unit.name, filter, [dimension.value for dimension in group_by])
        return CountTable.of(await info.context.count(query, as_of))

    @strawberry.field(
        description=(
            "¿Qué cambió? What releases changed between two published checkpoints (0 is the empty log), record by "
            "record, with the reason and the effect of each change on every national total."
        )
    )
    async def changes(
        self,
        info: Context,
        from_: Annotated[LogSize, strawberry.argument(name="from")],
        to: LogSize,
        first: int | None = 50,
        after: str | None = UNSET,
    ) -> ChangeConnection:
        limit = cursors.limit(first)
        behind = cursors.change(after) if after else None
        if from_ > to:
            raise InvalidQuery(
                "from",
                "«from» es mayor que «to». Intercámbielos.",
                "“from” is larger than “to”. Swap them.",
            )
        for size in {from_, to} - {0}:
            await info.context.pin(size)
        async with info.context.backing.pool.acquire() as connection:
            found = await changes.between(connection, from_, to, after=behind, limit=limit + 1)
        return ChangeConnection.of(found, limit)

    @strawberry.field(
        description="Un incidente. One incident as of a published checkpoint; null if no release disclosed it by then."
    )
    async def incident(
        self,
        info: Context,
        id: strawberry.ID,  # noqa: A002 - the name is the schema's
        as_of: LogSize | None = UNSET,
    ) -> Incident | None:
        size = (await info.context.pin(as_of)).checkpoint.size
        if not _UUID.fullmatch(id):
            return None
        async with info.context.backing.pool.acquire() as connection:
            found = await public_incidents.one(connection, UUID(id), size)
        return None if found is None else Incident.of(found, size)

    @strawberry.field(
        description=(
            "Los incidentes. Those whose open facts prove that they belong to the filter, also those that no longer "
            "count because they were retracted, merged or refuted."
        )
    )
    async def incidents(
        self,
        info: Context,
        filter: CountFilter | None = UNSET,  # noqa: A002 - the name is the schema's
        first: int | None = 50,
        after: str | None = UNSET,
        as_of: LogSize | None = UNSET,
    ) -> IncidentConnection:
        return await IncidentConnection.ask(info.context, filter, as_of, cursors.limit(first), after)

    @strawberry.field(
        description=(
            "Un punto de control. The latest published checkpoint, the one of a size, or the one that readers saw "
            "at a time."
        )
    )
    async def checkpoint(
        self, info: Context, size: LogSize | None = UNSET, at: datetime | None = UNSET
    ) -> Checkpoint:
        if size is not UNSET and size is not None and at is not UNSET and at is not None:
            raise InvalidQuery("at", "Dé «size» o «at», no los dos.", "Give either “size” or “at”, not both.")
        async with info.context.backing.pool.acquire() as connection:
            if isinstance(size, int):
                return Checkpoint.of(await checkpoints.at_size(connection, size))
            if isinstance(at, datetime):
                return Checkpoint.of(await checkpoints.at_time(connection, _in_utc(at)))
            return Checkpoint.of(await checkpoints.latest(connection))

    @strawberry.field(
        description=(
            "Para análisis con clave. Counts over private facets: FORBIDDEN without the scope restricted:read; never "
            "certified."
        )
    )
    async def restricted(self, info: Context) -> Restricted:
        return await restricted(info)

    @strawberry.field(description="Todos los puntos de control. All published checkpoints, newest first.")
    async def checkpoints(
        self, info: Context, first: int | None = 50, after: str | None = UNSET
    ) -> CheckpointConnection:
        limit = cursors.limit(first)
        below = cursors.checkpoint(after) if after else None
        async with info.context.backing.pool.acquire() as connection:
            # One more than asked for tells whether there is a next page.
            found = await checkpoints.page(connection, below, limit + 1)
        edges = [
            CheckpointEdge(cursor=cursors.of_checkpoint(checkpoint.size), node=Checkpoint.of(checkpoint))
            for checkpoint in found[:limit]
        ]
        return CheckpointConnection(
            edges=edges, page_info=PageInfo.of([edge.cursor for edge in edges], len(found) > limit)
        )


def _in_utc(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise InvalidQuery(
            "at",
            "Escriba la hora con su zona: «2026-11-22T14:00:00Z».",
            "Write the time with its zone: “2026-11-22T14:00:00Z”.",
        )
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise InvalidQuery(
            "at",
            "Esa hora, en UTC, queda fuera del calendario. Pregunte por otra.",
            "That time, in UTC, is beyond the calendar. Ask for another one.",
        ) from None
