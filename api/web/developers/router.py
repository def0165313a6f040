"""``/desarrollo`` and ``/en/developers``: the pages for those who write programs, and the examples that they show.

They rest on no checkpoint: whoever is about to send the first report reads them before there is one.
"""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.caching import ASK_AGAIN, entity_tag, is_known
from api.graphql.schema import exported
from api.routes import plain_route
from api.shared import Shared
from api.web import errors
from api.web.developers.guides import GUIDES, examples
from api.web.developers.writing import NAMES, SCHEMA_PATH, Desk, NoSuchPage, write
from api.web.headers import secure
from api.web.pages import LANGUAGES, PAGES
from registry.text import Language

_HTML: Final = "text/html; charset=utf-8"
_GRAPHQL: Final = "application/graphql; charset=utf-8"


def build_router(desk: Desk) -> APIRouter:
    """Every page in both languages, every example, and the schema of GraphQL."""
    router = APIRouter()
    pages = Pages(desk)
    for name in NAMES:
        for language in LANGUAGES:
            router.routes.append(pages.route(name, language))
    for guide in GUIDES:
        for example in examples(guide):
            router.routes.append(_file(example.path, example.program.media_type, example.text.encode))
    router.routes.append(_file(SCHEMA_PATH, _GRAPHQL, lambda: exported().encode()))
    return router


class Pages:
    """They change with the program alone, so each is written once, when somebody first asks for it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._written: Shared[bytes] = Shared()

    def route(self, name: str, language: Language) -> Route:
        """One page in one language."""

        async def respond(request: Request) -> Response:
            parts = {part: str(value) for part, value in request.path_params.items()}

            async def written() -> bytes:
                # The references are long: others go on meanwhile.
                return (await asyncio.to_thread(write, self._desk, name, language, parts)).encode()

            try:
                body = await self._written.ask((name, language, *parts.values()), written)
            except NoSuchPage:
                return errors.absent(request)
            return _respond(request, body, _HTML)

        return plain_route(PAGES[name].path(language), respond)


def _file(path: str, media_type: str, read: Callable[[], bytes]) -> Route:
    read = cache(read)

    async def respond(request: Request) -> Response:
        return _respond(request, read(), media_type)

    return plain_route(path, respond)


def _respond(request: Request, body: bytes, media_type: str) -> Response:
    headers = {
        **secure(),
        "content-type": media_type,
        "cache-control": ASK_AGAIN,
        "etag": entity_tag(body),
    }
    if is_known(request.headers.get("if-none-match"), headers["etag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers)
