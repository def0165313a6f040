"""``/v1/keys``: the administrator issues keys and sees whom they belong to, never their text again."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from api.auth.guard import requires
from api.auth.keys import KeyDraft, scopes_of
from api.rest import answers
from api.rest.bodies import check_media_type, decode, read_body
from api.rest.documentation import document_keys, document_read
from api.rest.headers import idempotency_key
from api.rest.writing import fingerprint
from api.services import services_of
from registry.application import reading
from registry.application.execution.unit import Actor
from registry.domain.institution import Institution
from registry.errors import InvalidInput, NotFound


def build_router() -> APIRouter:
    """``POST`` and ``GET /v1/keys``, ``GET /v1/keys/{id}``."""
    router = APIRouter()

    @router.post("/v1/keys", **document_keys())
    async def issue(
        request: Request, actor: Annotated[Actor, Depends(requires("POST", "/v1/keys"))]
    ) -> Response:
        services = services_of(request)
        check_media_type(request)
        repeat = idempotency_key(request)
        body = await read_body(request, services.settings.body_limit)
        draft = decode(body, KeyDraft)
        if draft.institution is not None:
            try:
                await reading.view(services.application, actor, Institution.NOUN, draft.institution)
            except NotFound:
                raise _unknown_institution() from None
        issued = await services.api_keys.issue(
            draft.institution,
            scopes_of(draft.role, draft.scopes),
            draft.expires_on,
            requested_by=actor.key,
            idempotency_key=repeat,
            body=fingerprint(request, body),
        )
        return answers.issued(str(issued.id), issued.key, replayed=issued.replayed)

    @router.get("/v1/keys", **document_read("Listar claves, sin su texto · List keys, without their text"))
    async def list_(
        request: Request,
        _: Annotated[Actor, Depends(requires("GET", "/v1/keys"))],
        after: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        keys, following = await services_of(request).api_keys.list_(after=after, limit=limit)
        return answers.plain({"items": keys, "next": following})

    @router.get(
        "/v1/keys/{id}", **document_read("Leer una clave, sin su texto · Read a key, without its text")
    )
    async def find(
        request: Request,
        id: UUID,  # noqa: A002 - the path says id
        _: Annotated[Actor, Depends(requires("GET", "/v1/keys/{id}"))],
    ) -> Response:
        return answers.plain(await services_of(request).api_keys.find(id))

    return router


def _unknown_institution() -> InvalidInput:
    return InvalidInput(
        "institution",
        "Ninguna institución registrada tiene este id. Regístrela primero con POST /v1/institutions.",
        "No registered institution has this id. Register it first with POST /v1/institutions.",
    )
