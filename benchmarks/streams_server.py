"""The stream of events for ``benchmarks.streams``, in a process of its own, given a database. Prints its port.

Beside it ``/bare``: a Starlette endpoint that sends to each client, as they are, the chunks that the stream sends.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing

import uvloop
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import StreamingResponse

from api.server import Server, reserve
from api.streams import event_stream
from api.streams.audience import PUBLIC
from api.streams.event_stream import Chunks
from api.streams.following import Following
from api.streams.streams import Streams
from registry.database import connect_pool


class Bare:
    """One reader of the log, and what it has read, ready to be sent."""

    def __init__(self) -> None:
        self._ready: list[bytes] = []
        self._more = asyncio.Event()

    async def read(self, following: Following) -> None:
        encoded = Chunks()
        # The same pages as those of the other side, so that neither is behind when clients change over.
        begin = await following.size(PUBLIC)
        async with aclosing(following.pages(PUBLIC, begin, limit=event_stream.PAGE_EVENTS)) as pages:
            async for page in pages:
                self._ready += [chunk.data for chunk in encoded.of(page)]
                self._more.set()
                self._more = asyncio.Event()

    async def answer(self, _: Request) -> StreamingResponse:
        return StreamingResponse(self._chunks(), media_type="text/event-stream")

    async def _chunks(self) -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        sent = len(self._ready)
        while True:
            while sent < len(self._ready):
                yield self._ready[sent]
                sent += 1
            await self._more.wait()


async def serve(address: str) -> None:
    """Until it is told to stop."""
    pool = await connect_pool(address, min_size=2, max_size=10)
    app, streams, bare = FastAPI(), Streams(pool), Bare()
    app.state.streams = streams
    app.state.following = Following(streams, "bench.example/log")
    app.include_router(event_stream.build_router())
    app.router.add_route("/bare", bare.answer)
    reading = asyncio.create_task(bare.read(app.state.following))
    stopping, listener = asyncio.Event(), reserve("127.0.0.1", 0)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    server = Server(app)
    serving = asyncio.create_task(server.run_until(stopping, listener))
    await server.listening.wait()
    print(listener.getsockname()[1], flush=True)
    await stopping.wait()
    await streams.close()
    await reading
    await serving
    await pool.close()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
