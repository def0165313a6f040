"""Server-sent events (HTML Living Standard, section 9.2) over ASGI: a response that lasts until either side ends it.

Not a StreamingResponse: a client that has gone away, or does not read, must end what produces the events.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.streams.streams import HEARTBEAT_SECONDS, SlowClient, in_time

RETRY_MILLISECONDS: Final = 2_000
"""After how long a client whose stream ended comes back."""

_HEADERS: Final = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    # nginx would hold events back until its buffer is full.
    "x-accel-buffering": "no",
}
_HEARTBEAT: Final = b":\n\n"


class ServerSentEvent(NamedTuple):
    """``data`` is one line."""

    data: bytes
    event: str | None = None
    id: str | None = None

    def encode(self) -> bytes:
        lines = [b"id: " + self.id.encode()] if self.id is not None else []
        if self.event is not None:
            lines.append(b"event: " + self.event.encode())
        return b"\n".join([*lines, b"data: " + self.data, b"", b""])


class EventStream(Response):
    """Sends the events as they come, with signs of life in between."""

    def __init__(self, events: AsyncGenerator[ServerSentEvent, None]) -> None:
        super().__init__(headers=_HEADERS)
        # Its length is not known.
        self.raw_headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(send))
        gone = asyncio.create_task(_gone(Request(scope, receive)))
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.wait({sending, gone})
        if not sending.cancelled():
            with suppress(SlowClient):
                sending.result()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await self._body(send, b"retry: %d\n\n" % RETRY_MILLISECONDS)
        waiting: asyncio.Future[ServerSentEvent] | None = None
        async with aclosing(self._events) as events:
            try:
                while True:
                    waiting = waiting or asyncio.ensure_future(anext(events))
                    done, _ = await asyncio.wait({waiting}, timeout=HEARTBEAT_SECONDS)
                    if not done:
                        await self._body(send, _HEARTBEAT)
                        continue
                    event, waiting = waiting.result(), None
                    await self._body(send, event.encode())
            except StopAsyncIteration:
                pass
            finally:
                if waiting is not None:
                    waiting.cancel()
                    await asyncio.wait({waiting})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _body(self, send: Send, body: bytes) -> None:
        await in_time(send({"type": "http.response.body", "body": body, "more_body": True}))


async def _gone(request: Request) -> None:
    """Returns when the client has disconnected."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
