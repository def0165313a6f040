"""``GET /v1/private-reads``: who has read what is not public. The administrator asks about all records, an institution
about its own; a person learns of the reads about them through a request of their own (docs/api.md).
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from api.auth.guard import requires
from api.auth.scopes import Scope
from api.rest import answers
from api.rest.documentation import PrivateReads, document_read
from api.services import services_of
from registry.application.execution.unit import Actor
from registry.application.people.erasure import PSEUDONYM

PATH = "/v1/private-reads"


def build_router() -> APIRouter:
    """The audit of private reads."""
    router = APIRouter()

    @router.get(
        PATH,
        **document_read("Quién leyó qué · Who read what", PATH, PrivateReads),
    )
    async def list_(
        request: Request,
        actor: Annotated[Actor, Depends(requires("GET", PATH))],
        record: UUID | None = None,
        person: Annotated[str | None, Query(pattern=f"^{PSEUDONYM}$")] = None,
        after: Annotated[int, Query(ge=0, le=answers.LAST_POSITION)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        whose = None if Scope.ADMIN in actor.scopes else actor.institution
        reads, following = await services_of(request).application.reads.page(
            owner=whose, record=record, person=person, after=after, limit=limit
        )
        return answers.plain(PrivateReads(items=reads, next=following))

    return router
