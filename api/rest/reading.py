"""``GET`` under ``/v1``: one record, a page of records, a receipt; each restricted to what the key may see."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AfterValidator, AwareDatetime
from starlette.requests import Request
from starlette.responses import Response

from api.auth.guard import requires
from api.rest import answers
from api.rest.collections import COLLECTIONS
from api.rest.documentation import document_read, document_receipt
from api.services import services_of
from projections.models import records
from registry.application import reading
from registry.application.drafts import NO_CONTROLS
from registry.application.execution.unit import Actor
from registry.application.places.sites import by_clues
from registry.domain.assignment import Assignment
from registry.domain.incident import Incident
from registry.domain.institution import Institution
from registry.domain.mapper import NIL_REPORT
from registry.domain.report import Report
from registry.domain.site import Site

CLUES: Final = r"^[A-Z]{5}[0-9]{6}$"


@dataclass(frozen=True, slots=True)
class Read:
    """``GET`` of ``one`` record and of a page of ``all`` of them, in words. ``public``: every key may list all."""

    noun: str
    one: str
    all: str
    public: bool = False

    @property
    def collection(self) -> str:
        return COLLECTIONS[self.noun]


READS: Final = (
    Read(
        Institution.NOUN,
        "Leer una institución · Read an institution",
        "Listar instituciones · List institutions",
        public=True,
    ),
    Read(Site.NOUN, "Leer una sede · Read a site", "Listar sedes · List sites", public=True),
    Read(
        Assignment.NOUN,
        "Leer una asignación · Read an assignment",
        "Listar asignaciones · List assignments",
    ),
    Read(Report.NOUN, "Leer un reporte · Read a report", "Listar reportes · List reports"),
    Read(
        NIL_REPORT,
        "Leer la respuesta por un trimestre · Read the answer for a quarter",
        "Listar trimestres sin incidentes · List quarters without incidents",
    ),
    Read(Incident.NOUN, "Leer un incidente · Read an incident", "Listar incidentes · List incidents"),
)


def build_router(reads: Iterable[Read] = READS) -> APIRouter:
    """The endpoints that show records."""
    router = APIRouter()
    for read in reads:
        _add_one(router, read)
        _add_list(router, read)

    @router.get("/v1/receipts/{position}", **document_receipt())
    async def receipt(
        request: Request,
        position: Annotated[int, Path(ge=0, le=answers.LAST_POSITION)],
        actor: Annotated[Actor, Depends(requires("GET", "/v1/receipts/{position}"))],
    ) -> Response:
        return answers.text(await reading.receipt(services_of(request).application, actor, position))

    return router


def _add_one(router: APIRouter, read: Read) -> None:
    path = f"{read.collection}/{{id}}"
    caller = Depends(requires("GET", path))

    @router.get(path, **document_read(read.one, read.collection, answers.Item))
    async def one(request: Request, id: UUID, actor: Actor = caller) -> Response:  # noqa: A002 - the path says id
        return answers.one(await reading.view(services_of(request).application, actor, read.noun, id))


def _add_list(router: APIRouter, read: Read) -> None:
    caller = Depends(requires("GET", read.collection))
    coded = Depends(_site_of if read.noun == Site.NOUN else _nothing_named)

    @router.get(read.collection, **document_read(read.all, read.collection, answers.Page))
    async def page(
        request: Request,
        source_record_id: Annotated[
            str | None, Query(min_length=1, max_length=255, pattern=NO_CONTROLS)
        ] = None,
        updated_after: Annotated[AwareDatetime, AfterValidator(_in_utc)] | None = None,
        after: Annotated[int, Query(ge=0, le=answers.LAST_POSITION)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        ids: list[UUID] | None = coded,
        actor: Actor = caller,
    ) -> Response:
        services = services_of(request)
        if source_record_id is not None:
            named = await services.application.store.source_records_named(source_record_id)
            ids = [stream for _, stream in named]
        if ids is not None:
            return answers.page(await reading.views(services.application, actor, read.noun, ids), None)
        if not read.public and not actor.sees_all and actor.institution is None:
            return answers.page([], None)
        whose = None if read.public or actor.sees_all else actor.institution
        listed = await records.listed(
            services.pool, read.noun, institution=whose, updated_after=updated_after, after=after, limit=limit
        )
        return answers.page(
            await reading.views(services.application, actor, read.noun, listed.ids), listed.next
        )


async def _nothing_named() -> None:
    """Records of other kinds have no official code."""


async def _site_of(
    request: Request, clues: Annotated[str | None, Query(pattern=CLUES)] = None
) -> list[UUID] | None:
    """The site of a CLUES, the present or a former one; None if none is asked for."""
    if clues is None:
        return None
    return list((await by_clues(services_of(request).application.store, [clues])).values())


def _in_utc(moment: datetime) -> datetime:
    """A time at the edge of the calendar may have no counterpart in UTC, where the database compares."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("beyond the calendar") from None
