"""The questions that anyone may ask: counts, and the checkpoints that they are cited as of."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

import strawberry
from strawberry.types import Info
from strawberry.types.unset import UNSET

from api.graphql.answer import Answer, Backing, answer
from api.graphql.scalars import LogSize
from api.graphql.types import (
    Checkpoint,
    CheckpointConnection,
    CheckpointEdge,
    Count,
    CountFilter,
    CountTable,
    Dimension,
    Nexus,
    PageInfo,
    Unit,
)
from projections.counting.query import ask
from projections.errors import InvalidQuery
from projections.models import checkpoints

MAX_PAGE = 200
"""Most items of one page of a list."""

Context = Info[Any, None]
_CURSOR = "checkpoint:"


@strawberry.type(description="Preguntas. Everything that can be asked; no key is needed.")
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
        return Count.of(await _ask(info, unit, filter, as_of, []))

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
        return CountTable.of(await _ask(info, unit, filter, as_of, group_by))

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
        async with _backing(info).pool.acquire() as connection:
            if isinstance(size, int):
                return Checkpoint.of(await checkpoints.at_size(connection, size))
            if isinstance(at, datetime):
                return Checkpoint.of(await checkpoints.at_time(connection, _in_utc(at)))
            return Checkpoint.of(await checkpoints.latest(connection))

    @strawberry.field(description="Todos los puntos de control. All published checkpoints, newest first.")
    async def checkpoints(
        self, info: Context, first: int | None = 50, after: str | None = UNSET
    ) -> CheckpointConnection:
        limit = 50 if first is None else first
        if not 1 <= limit <= MAX_PAGE:
            raise InvalidQuery("first", f"«first» va de 1 a {MAX_PAGE}.", f"“first” is from 1 to {MAX_PAGE}.")
        async with _backing(info).pool.acquire() as connection:
            # One more than asked for tells whether there is a next page.
            found = await checkpoints.page(connection, _size(after) if after else None, limit + 1)
        edges = [
            CheckpointEdge(cursor=_cursor(checkpoint.size), node=Checkpoint.of(checkpoint))
            for checkpoint in found[:limit]
        ]
        return CheckpointConnection(
            edges=edges,
            page_info=PageInfo(
                has_next_page=len(found) > limit, end_cursor=edges[-1].cursor if edges else None
            ),
        )


async def _ask(
    info: Context, unit: Unit, given: CountFilter | None, as_of: int | None, group_by: list[Dimension]
) -> Answer:
    # UNSET is falsy, as None is: both mean that nothing was given.
    wanted = given or CountFilter()
    query = ask(
        unit.name,
        nexus=(wanted.nexus or Nexus.STRICT).name,
        classes=None if not isinstance(wanted.class_, list) else [item.value for item in wanted.class_],
        kinds=_listed(wanted.kind),
        states=_listed(wanted.state),
        municipalities=_listed(wanted.municipality),
        period=(wanted.period.from_, wanted.period.to) if wanted.period else None,
        group_by=[dimension.value for dimension in group_by],
    )
    return await answer(_backing(info), query, as_of if isinstance(as_of, int) else None)


def _backing(info: Context) -> Backing:
    backing: Backing = info.context["backing"]
    return backing


def _listed(values: list[str] | None) -> list[str] | None:
    return values if isinstance(values, list) else None


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


def _cursor(size: int) -> str:
    return base64.urlsafe_b64encode(f"{_CURSOR}{size}".encode()).decode()


def _size(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor.encode()).decode()
    except (binascii.Error, ValueError):
        text = ""
    digits = text.removeprefix(_CURSOR)
    if not text.startswith(_CURSOR) or not (digits.isascii() and digits.isdecimal() and len(digits) < 17):
        raise InvalidQuery(
            "after",
            "«after» no es un cursor de esta lista: use «endCursor» de la página anterior.",
            "“after” is not a cursor of this list: use “endCursor” of the page before.",
        )
    return int(digits)
