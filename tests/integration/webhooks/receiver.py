"""The other side of a webhook: a server that accepts, or does what endpoints must not do."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

ACCEPTED = b"HTTP/1.1 204 No Content\r\n\r\n"


class Received(NamedTuple):
    """A request that has come in whole."""

    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Answer = Callable[[Received, asyncio.StreamWriter], Awaitable[bool]]
"""Writes an answer; False: close the connection. What begins with a 2xx counts as accepted."""


def says(answer: bytes, *, stay: bool = True) -> Answer:
    """The same bytes to everybody."""

    async def write(_: Received, writer: asyncio.StreamWriter) -> bool:
        writer.write(answer)
        await writer.drain()
        return stay

    return write


def status(code: int, *headers: str) -> Answer:
    lines = [f"HTTP/1.1 {code} x", "content-length: 0", *headers, "", ""]
    return says("\r\n".join(lines).encode())


async def silence(_: Received, writer: asyncio.StreamWriter) -> bool:
    """Nothing, until the client goes away."""
    while not writer.is_closing():  # noqa: ASYNC110 - the transport tells nobody
        await asyncio.sleep(0.02)
    return False


def endlessly(start: bytes, more: bytes) -> Answer:
    """Begins an answer that has no end."""

    async def write(_: Received, writer: asyncio.StreamWriter) -> bool:
        writer.write(start)
        while not writer.is_closing():
            writer.write(more)
            await writer.drain()
        return False

    return write


class Receiver:
    """``requests`` are all that came, ``accepted`` the ids that were answered 204, each once, in their order."""

    def __init__(self, host: str) -> None:
        self.host, self.port = host, 0
        self.answer: Answer = says(ACCEPTED)
        self.requests: list[Received] = []
        self.accepted: list[str] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (received := await _receive(reader)) is not None:
                self.requests.append(received)
                answer = self.answer
                if not await answer(received, writer):
                    break
                if answer is _ACCEPT and received.id not in self.accepted:
                    self.accepted.append(received.id)
        except (
            ConnectionError,
            asyncio.CancelledError,
        ):  # by the end of the loop; asyncio takes that for an error
            pass
        finally:
            writer.close()

    def accept(self) -> None:
        """From now on."""
        self.answer = _ACCEPT


_ACCEPT = says(ACCEPTED)


@asynccontextmanager
async def receiving(
    host: str = "127.0.0.2", certificate: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A server at a free port, which accepts."""
    receiver = Receiver(host)
    receiver.accept()
    server = await asyncio.start_server(receiver.serve, host, 0, ssl=certificate)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


async def _receive(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    start, *lines = head.decode("ascii").split("\r\n")[:-2]
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return Received(start.split(" ")[1], headers, await reader.readexactly(int(headers["content-length"])))
