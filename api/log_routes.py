"""``/log``: the public log, as c2sp.org/tlog-tiles, tlog-proof and tlog-policy lay it out. Nothing here needs a key."""

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.problems import NOT_FOUND, Problem
from api.services import services_of
from registry.errors import MalformedLog
from registry.log import reader
from registry.log.canonical import MAX_INTEGER
from registry.text import Text

# Anyone's page may read the log and verify it.
_OPEN = {"Access-Control-Allow-Origin": "*"}


def build_router() -> APIRouter:
    """The log up to its last published checkpoint."""
    router = APIRouter(prefix="/log", tags=["log"])

    @router.head("/checkpoint", include_in_schema=False)
    @router.get("/checkpoint", summary="El último punto de control · The latest checkpoint")
    async def checkpoint(request: Request) -> Response:
        note = await reader.checkpoint_note(services_of(request).reading)
        if note is None:
            raise _not_published()
        return _answer(note, reader.CHECKPOINT_MEDIA_TYPE, reader.CHECKPOINT_CACHE_CONTROL)

    @router.head("/tile/{path:path}", include_in_schema=False)
    @router.get(
        "/tile/{path:path}", summary="Un mosaico o un paquete de hojas · A tile or a bundle of leaves"
    )
    async def tile(request: Request, path: str) -> Response:
        try:
            data = await reader.tile(services_of(request).reading, f"tile/{path}")
        except MalformedLog as error:
            raise Problem(NOT_FOUND, error.text) from None
        if data is None:
            raise _not_published()
        return _answer(data, reader.TILE_MEDIA_TYPE, reader.TILE_CACHE_CONTROL)

    @router.head("/keys", include_in_schema=False)
    @router.get("/keys", summary="Las claves públicas · The public keys")
    async def keys(request: Request) -> Response:
        log_keys = services_of(request).log_keys
        retired = {"retired": log_keys.retired} if log_keys.retired else {}
        shown = msgspec.json.encode({**log_keys.vkeys(), **retired})
        return _answer(shown, "application/json", reader.CHECKPOINT_CACHE_CONTROL)

    @router.head("/policy", include_in_schema=False)
    @router.get("/policy", summary="Los testigos y su quórum · The witnesses and their quorum")
    async def policy(request: Request) -> Response:
        text = services_of(request).policy.serialise()
        return _answer(text, "text/plain; charset=utf-8", reader.CHECKPOINT_CACHE_CONTROL)

    @router.head("/proof/{index}", include_in_schema=False)
    @router.get("/proof/{index}", summary="La prueba de inclusión de una hoja · A leaf's proof of inclusion")
    async def proof(request: Request, index: int) -> Response:
        found = (
            await reader.inclusion(services_of(request).reading, index) if 0 <= index <= MAX_INTEGER else None
        )
        if found is None:
            raise _not_published()
        return _answer(found.text(), "text/plain; charset=utf-8", reader.CHECKPOINT_CACHE_CONTROL)

    return router


def _answer(content: str | bytes, media_type: str, cache: str) -> Response:
    return Response(content, 200, {**_OPEN, "Cache-Control": cache, "Content-Type": media_type})


def _not_published() -> Problem:
    return Problem(
        NOT_FOUND,
        Text(
            "Aún no está en la bitácora publicada. El próximo punto de control puede incluirlo.",
            "It is not in the published log yet. The next checkpoint may cover it.",
        ),
        headers=_OPEN,
    )
