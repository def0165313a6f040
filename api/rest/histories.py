"""What is on record before an incident, and of a site."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from api.auth.guard import requires
from api.rest import answers
from api.rest.documentation import document_read
from api.services import services_of
from projections.lookup import Lookup
from projections.site_history import SiteHistory, site_history
from projections.warnings import Warnings, warnings
from registry.application.execution.unit import Actor

WARNINGS = "/v1/incidents/{id}/warnings"
SITE_HISTORY = "/v1/sites/{id}/history"


def build_router() -> APIRouter:
    """Answers put together from records of all institutions, for those who see them all."""
    router = APIRouter()

    @router.get(
        WARNINGS,
        **document_read("¿Hubo avisos? · Was there a warning?", "/v1/incidents", Warnings),
    )
    async def warned(
        request: Request,
        id: UUID,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("GET", WARNINGS))],
    ) -> Response:
        return answers.plain(await warnings(_lookup(request, actor), id))

    @router.get(
        SITE_HISTORY,
        **document_read("Historia de una sede · History of a site", "/v1/sites", SiteHistory),
    )
    async def history(
        request: Request,
        id: UUID,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("GET", SITE_HISTORY))],
    ) -> Response:
        return answers.plain(await site_history(_lookup(request, actor), id))

    return router


def _lookup(request: Request, actor: Actor) -> Lookup:
    services = services_of(request)
    return Lookup(services.application, services.pool, actor)
