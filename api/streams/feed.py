"""``GET /v1/events``: events in pages, from any position, as CloudEvents.

``next`` is where to go on, always: also where nothing is left to read for now. With ``wait`` an answer that would be
empty waits for the next event; without a key it therefore comes when a checkpoint is published, and tells nothing of
what happens in between. A full page of public leaves never changes, so that caches may keep it.
"""

from importlib.metadata import version
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from api.auth.guard import requires
from api.caching import ASK_AGAIN, FOR_EVER, is_known
from api.rest.documentation import document_events
from api.streams.audience import audience_of
from api.streams.envelope import BATCH_MEDIA_TYPE
from api.streams.filters import ABOUT, wanted_events
from api.streams.following import Following, StreamPage
from api.streams.wanted import Wanted
from registry.application.execution.unit import Actor
from registry.log.canonical import MAX_INTEGER
from registry.store.subscription import PAGE_EVENTS

PATH: Final = "/v1/events"

DEFAULT_LIMIT: Final = 100

MAX_WAIT_SECONDS: Final = 30
"""Proxies give up what is silent for a minute."""

_PROGRAM: Final = version("constancia")
"""Another one may word the same events anew."""

_PUBLIC: Final = {
    # Anyone's page may read what is public.
    "Access-Control-Allow-Origin": "*",
    # Whoever shows a key is answered otherwise.
    "Vary": "Accept, Authorization",
}
_PRIVATE: Final = {"Cache-Control": "private, no-store"}


def build_router() -> APIRouter:
    """The feed. Without a key it is that of the public log."""
    router = APIRouter()

    @router.get(PATH, **document_events("Leer eventos por páginas · Read events in pages"))
    async def feed(
        request: Request,
        actor: Annotated[Actor, Depends(requires("GET", PATH))],
        wanted: Annotated[Wanted, Depends(wanted_events)],
        after: Annotated[int, Query(ge=0, le=MAX_INTEGER, description=ABOUT["after"])] = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE_EVENTS, description=ABOUT["limit"])] = DEFAULT_LIMIT,
        wait: Annotated[int, Query(ge=0, le=MAX_WAIT_SECONDS, description=ABOUT["wait"])] = 0,
    ) -> Response:
        audience = audience_of(actor)
        following: Following = request.app.state.following
        page = await following.awaited(audience, after, limit, wanted, wait)
        if not audience.public:
            return _answer(request, page, _PRIVATE)
        tag = f'"{_PROGRAM}.{page.next}{".batch" if _batch(request) else ""}"'
        # More events would come behind those of a full page; any other may get more at the next checkpoint.
        cache = FOR_EVER if len(page.events) == limit else ASK_AGAIN
        headers = {**_PUBLIC, "Cache-Control": cache, "ETag": tag}
        if is_known(request.headers.get("if-none-match"), tag):
            return Response(status_code=304, headers=headers)
        return _answer(request, page, headers)

    return router


def _answer(request: Request, page: StreamPage, headers: dict[str, str]) -> Response:
    events = b",".join([event.body for event in page.events])
    following = request.url.include_query_params(after=page.next)
    headers = {**headers, "Link": f'<{following.path}?{following.query}>; rel="next"'}
    if _batch(request):
        return Response(b"[%b]" % events, 200, headers, BATCH_MEDIA_TYPE)
    return Response(b'{"items":[%b],"next":%d}' % (events, page.next), 200, headers, "application/json")


def _batch(request: Request) -> bool:
    """Whether the batch format of CloudEvents is asked for, by name."""
    accepted = request.headers.get("accept", "").split(",")
    return any(one.partition(";")[0].strip() == BATCH_MEDIA_TYPE for one in accepted)
