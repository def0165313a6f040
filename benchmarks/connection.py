"""How benchmarks ask over HTTP: with so little of a client that it costs both sides next to nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api.server import Server, reserve


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[int]:
    """Both sides on one server of this process; its port."""
    listener = reserve("127.0.0.1", 0)
    stopping = asyncio.Event()
    server = Server(app)
    serving = asyncio.create_task(server.run_until(stopping, listener))
    await server.listening.wait()
    yield listener.getsockname()[1]
    stopping.set()
    await serving


class Connection:
    """One connection, kept open, for one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and head of the answer; its body is read."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        if status != 304:
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await self._reader.readexactly(length)
            if body.startswith(b'{"errors"'):
                raise RuntimeError(body[:300].decode())
        return status, head

    def close(self) -> None:
        self._writer.close()


def get(target: str, more: bytes = b"") -> bytes:
    """A request; ``more`` are further lines of its head."""
    return f"GET {target} HTTP/1.1\r\nhost: bench\r\naccept: application/json\r\n".encode() + more + b"\r\n"
