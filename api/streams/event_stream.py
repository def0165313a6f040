"""``GET /v1/events/stream``: events as server-sent events, from any position and without end.

The ``id`` of an event is its position + 1, which is where to go on after it: a browser sends it back as
``Last-Event-ID``. Signs of life carry one too, so that who filters need not begin before what was passed over. The
stream ends after ``LIFETIME_SECONDS``, at shutdown, and when its client does not read; it can be resumed in each case.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import format_sse_event
from starlette.requests import Request
from starlette.responses import Response

from api.auth.guard import requires
from api.problems import Problem
from api.rest.documentation import document_event_stream
from api.streams.audience import Audience, audience_of
from api.streams.filters import ABOUT, wanted_events
from api.streams.following import Following, StreamedEvent, StreamPage
from api.streams.sse import EventStream
from api.streams.streams import StreamsFull
from api.streams.wanted import Wanted
from registry.application.execution.unit import Actor
from registry.log.canonical import MAX_INTEGER
from registry.store.transient import TRANSIENT

PATH: Final = "/v1/events/stream"

LIFETIME_SECONDS: Final = 900.0
"""So soon a process that was restarted has its share of the clients again."""

PAGE_EVENTS: Final = 100
"""Read at a time for one client. It keeps the page until it has taken it, and nobody else wants the page of a client
that is at a position of its own: so much memory each of them costs."""

CHUNK_BYTES: Final = 32 * 1024
"""Written at a time, at least one event: what must pass within ``SEND_SECONDS``, also where the line is slow."""

REMEMBERED_PAGES: Final = 8
"""As ready chunks, while they are sent to all who want them."""


# Anyone's page may follow what is public.
_OPEN: Final = {"Access-Control-Allow-Origin": "*"}


class Chunk(NamedTuple):
    """Whole events, and where to go on after them."""

    data: bytes
    next: int


class Chunks:
    """The pages of one process as they are sent: each is encoded once, however many it is sent to."""

    def __init__(self) -> None:
        # By identity, which holds as long as the page is kept.
        self._known: OrderedDict[int, tuple[StreamPage, list[Chunk]]] = OrderedDict()

    def of(self, page: StreamPage) -> list[Chunk]:
        """The page in pieces of about CHUNK_BYTES; none of a page without events."""
        known = self._known.get(id(page))
        if known is None:
            known = self._known[id(page)] = page, _cut(page)
            if len(self._known) > REMEMBERED_PAGES:
                self._known.popitem(last=False)
        return known[1]


class Follower:
    """One client, and how far it has come. ``position`` moves on when what lies before it has been sent.

    ``allowed`` is asked before events are sent: whether the client's key is still in force.
    """

    def __init__(
        self, audience: Audience, after: int, wanted: Wanted, allowed: Callable[[], Awaitable[bool]]
    ) -> None:
        self._audience, self._wanted, self._allowed = audience, wanted, allowed
        self.position = after

    async def chunks(self, following: Following, encoded: Chunks) -> AsyncGenerator[bytes, None]:
        """Without end. Where no more streams can be open, or the client is not allowed any more, it ends: the client
        comes back, and is told why."""
        try:
            pages = following.pages(self._audience, self.position, self._wanted, PAGE_EVENTS)
            async with aclosing(pages):
                async for page in pages:
                    if page.events and not await self._allowed():
                        return
                    for chunk in encoded.of(page):
                        yield chunk.data
                        self.position = chunk.next
                    self.position = page.next
        except StreamsFull:
            return

    def heartbeat(self) -> bytes:
        """An ``id`` without data is no event, and moves ``Last-Event-ID`` on."""
        return format_sse_event(id=str(self.position))


def _cut(page: StreamPage) -> list[Chunk]:
    chunks: list[Chunk] = []
    parts: list[bytes] = []
    size = 0
    for event in page.events:
        parts.append(_encode(event))
        size += len(parts[-1])
        if size >= CHUNK_BYTES:
            chunks.append(Chunk(b"".join(parts), event.position + 1))
            parts, size = [], 0
    if parts:
        chunks.append(Chunk(b"".join(parts), page.events[-1].position + 1))
    return chunks


def _encode(event: StreamedEvent) -> bytes:
    return format_sse_event(data_str=event.body.decode(), id=str(event.position + 1))


def build_router() -> APIRouter:
    """Events as they come."""
    router = APIRouter()
    encoded = Chunks()
    caller = requires("GET", PATH)

    @router.get(PATH, **document_event_stream("Seguir los eventos · Follow events as they come"))
    async def stream(
        request: Request,
        actor: Annotated[Actor, Depends(caller)],
        wanted: Annotated[Wanted, Depends(wanted_events)],
        after: Annotated[int, Query(ge=0, le=MAX_INTEGER, description=ABOUT["after"])] = 0,
        last_event_id: Annotated[int | None, Header(ge=0, le=MAX_INTEGER)] = None,
    ) -> Response:
        following: Following = request.app.state.following
        begin = after if last_event_id is None else last_event_id
        # While there is an answer to be given; somebody else may still be quicker.
        request.app.state.streams.check_room()
        audience = audience_of(actor)

        async def allowed() -> bool:
            if audience.public:
                return True
            try:
                await caller(request)
            except (Problem, *TRANSIENT):
                return False
            return True

        follower = Follower(audience, begin, wanted, allowed)
        return EventStream(
            follower.chunks(following, encoded),
            heartbeat=follower.heartbeat,
            lifetime=LIFETIME_SECONDS,
            headers=_OPEN if audience.public else {},
        )

    return router
