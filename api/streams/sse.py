"""Server-sent events (HTML Living Standard, section 9.2) over ASGI: a response that lasts until either side ends it.

Whoever streams gives ready chunks, each one or more whole events as FastAPI's ``format_sse_event`` writes them, so that
what many are sent is encoded once. FastAPI's own response for them (``EventSourceResponse``, 0.165) is not used: it
encodes every event for every client, hands it from task to task three times, waits for a client for ever, and has no
end but that of what produces the events.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from math import inf
from typing import Final

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.connection import give_up
from api.streams.streams import HEARTBEAT_SECONDS, SlowClient, in_time

MEDIA_TYPE: Final = "text/event-stream"

RETRY_MILLISECONDS: Final = 2_000
"""After how long a client whose stream ended comes back."""

_HEADERS: Final = {
    "content-type": f"{MEDIA_TYPE}; charset=utf-8",
    "cache-control": "no-store",
    # nginx would hold events back until its buffer is full.
    "x-accel-buffering": "no",
}


def _comment() -> bytes:
    return KEEPALIVE_COMMENT


class EventStream(Response):
    """Sends the chunks as they come, with signs of life in between.

    A client that has gone ends what produces the chunks. One that does not take a chunk in time is dropped: its
    connection is closed, and it may come back where it stopped.

    :param heartbeat: what is sent after ``HEARTBEAT_SECONDS`` of silence.
    :param lifetime: after so many seconds the stream ends, between two chunks and with a last heartbeat.
    """

    def __init__(
        self,
        chunks: AsyncGenerator[bytes, None],
        *,
        heartbeat: Callable[[], bytes] = _comment,
        lifetime: float = inf,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(headers={**_HEADERS, **(headers or {})})
        # Its length is not known.
        self.raw_headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        self._chunks, self._heartbeat, self._lifetime = chunks, heartbeat, lifetime
        # Chunks come from one task, signs of life from another.
        self._turn = asyncio.Lock()
        self._sent = 0.0  # when, by the loop's clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        sending = asyncio.create_task(self._send(send))
        gone = asyncio.create_task(_gone(receive))
        try:
            # Before the first chunk, and no later even where the answer before it was not taken yet.
            async with self._turn:
                await self._body(send, format_sse_event(retry=RETRY_MILLISECONDS))
            await self._attend(sending, gone, send)
            if sending.done() and not sending.cancelled():
                sending.result()
        except SlowClient:
            if give_up(scope):
                await gone  # so that the server knows: it takes what merely stops for a mistake
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.wait({sending, gone})

    async def _attend(self, sending: asyncio.Task[None], gone: asyncio.Task[None], send: Send) -> None:
        """Returns when all has been sent, the client has gone, or the lifetime is over. Raises SlowClient."""
        clock = asyncio.get_running_loop().time
        self._sent = clock()
        end = self._sent + self._lifetime
        while True:
            due = min(self._sent + HEARTBEAT_SECONDS, end)
            done, _ = await asyncio.wait(
                {sending, gone}, timeout=max(due - clock(), 0), return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                return
            if clock() < min(self._sent + HEARTBEAT_SECONDS, end):
                continue
            async with self._turn:
                if sending.done():
                    return
                if clock() >= end:
                    sending.cancel()
                    await asyncio.wait({sending})
                    await self._finish(send)
                    return
                await self._body(send, self._heartbeat())

    async def _send(self, send: Send) -> None:
        async with aclosing(self._chunks) as chunks:
            async for chunk in chunks:
                async with self._turn:
                    await self._body(send, chunk)
        async with self._turn:
            await self._finish(send)

    async def _finish(self, send: Send) -> None:
        await self._body(send, self._heartbeat())
        await self._body(send, b"", last=True)

    async def _body(self, send: Send, body: bytes, *, last: bool = False) -> None:
        await in_time(send({"type": "http.response.body", "body": body, "more_body": not last}))
        self._sent = asyncio.get_running_loop().time()


async def _gone(receive: Receive) -> None:
    """Returns when the client has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass
