"""The routes of the public site: every page in both languages, its certificate of figures, and the files it loads."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.caching import ASK_AGAIN, is_known
from api.problems import Problem
from api.routes import plain_route
from api.shared import Shared
from api.web import errors, questions, static
from api.web.headers import EMBEDDED, PAGE, PICTURE, VERIFIER, secure
from api.web.pages import CERTIFICATE, LANGUAGES, PAGES
from api.web.rendering import prepare
from api.web.tags import tag
from api.web.views import changes, data, explore, front, incidents, method, pictures, verify
from api.web.visit import Site, Visit
from projections.errors import ProjectionError
from registry.store.transient import TRANSIENT
from registry.text import Language

HTML: Final = "text/html; charset=utf-8"

_PAGES_KEPT: Final = 64
_BYTES_KEPT: Final = 128 * 1024
"""Of the pages asked for last, as of a size: 8 MB at most."""


class View(NamedTuple):
    """How a page is made, and what browsers may do with it."""

    write: Callable[[Visit], Awaitable[str]]
    media_type: str = HTML
    policy: Mapping[str, str] = PAGE


VIEWS: Final[Mapping[str, View]] = {
    "front": View(front.front),
    "explore": View(explore.explore),
    "incidents": View(incidents.incidents),
    "incident": View(incidents.incident),
    "changes": View(changes.changes),
    "feed": View(changes.feed, "application/atom+xml; charset=utf-8"),
    "method": View(method.method),
    "verify": View(verify.verify, policy=VERIFIER),
    "data": View(data.data),
    "picture": View(pictures.picture, "image/svg+xml; charset=utf-8", PICTURE),
    "embed": View(pictures.embed, policy=EMBEDDED),
}


def build_router(site: Site) -> APIRouter:
    """Templates and catalogues are read now: a mistake in one is found before the first reader comes."""
    prepare()
    router = APIRouter()
    pages = Pages(site)
    for name, view in VIEWS.items():
        for language in LANGUAGES:
            router.routes.append(pages.route(PAGES[name].path(language), name, language, view))
    certificate = View(verify.certificate, "text/plain; charset=utf-8")
    router.routes.append(pages.route(CERTIFICATE, "verify", "es", certificate))
    router.routes += static.routes()
    return router


class Pages:
    """Pages as of published checkpoints. As of a size a page stays the same, so those asked for last are kept."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._written: Shared[bytes] = Shared(lambda body: len(body) <= _BYTES_KEPT, _PAGES_KEPT)

    def route(self, path: str, name: str, language: Language, view: View) -> Route:
        """One page in one language."""

        async def respond(request: Request) -> Response:
            try:
                return await self._respond(request, name, language, view)
            except (ProjectionError, Problem, *TRANSIENT) as error:
                return errors.respond(request, error, language)

        return plain_route(path, respond)

    async def _respond(self, request: Request, name: str, language: Language, view: View) -> Response:
        asked = questions.read(request.query_params)
        pinned = await self._site.backing.counts.pin(asked.as_of)
        parts = {part: str(value) for part, value in request.path_params.items()}
        visit = Visit(self._site, name, language, request.query_params, parts, asked.query, pinned)
        named = tag(visit, request.url.path, request.query_params.multi_items())
        headers = {
            **secure(view.policy),
            "content-type": view.media_type,
            "cache-control": ASK_AGAIN,
            "etag": named,
        }
        if is_known(request.headers.get("if-none-match"), named):
            return Response(status_code=304, headers=headers)

        async def write() -> bytes:
            return (await view.write(visit)).encode()

        return Response(await self._written.ask(named, write), headers=headers)
