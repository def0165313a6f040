"""A network that fails: passes bytes between clients and PostgreSQL, and cuts connections where a test wants it."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_DATA_ROW = ord("D")
_READY_FOR_QUERY = ord("Z")


class Proxy:
    """Listens on a socket of its own; ``address`` leads through it to the same database.

    ``loses_result`` is asked with each whole result of a statement (from its first row up to ReadyForQuery, which the
    server sends when it has committed): True = nobody ever receives it, the connection is cut on both sides.
    ``swallows_result`` is asked likewise; True = nobody receives it, and nobody is told: the connection stays open, and
    nothing passes any more.
    ``budgets`` are numbers of bytes: after so many, both ways together, the connection that moves the next one is cut,
    wherever in a message that is. When they are used up, everything passes.
    """

    def __init__(self, address: str) -> None:
        self._parts = urlsplit(address)
        self._parameters = dict(parse_qsl(self._parts.query))
        self._socket = f".s.PGSQL.{self._parameters.get('port', 5432)}"
        self._owned = AsyncExitStack()
        self._connections: set[asyncio.Task[None]] = set()
        self.loses_result: Callable[[bytes], bool] = lambda _: False
        self.swallows_result: Callable[[bytes], bool] = lambda _: False
        self.budgets: Iterator[int] = iter(())
        self._left: int | None = None
        self.cuts = 0
        self.address = ""

    async def __aenter__(self) -> Self:
        directory = self._owned.enter_context(tempfile.TemporaryDirectory(prefix="proxy-"))
        server = await asyncio.start_unix_server(self._accept, Path(directory) / self._socket)
        self._owned.callback(server.close)
        self.address = urlunsplit(
            self._parts._replace(query=urlencode({**self._parameters, "host": directory}))
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._owned.aclose()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        from_server, to_server = await asyncio.open_unix_connection(
            Path(self._parameters["host"]) / self._socket
        )
        ways = [
            asyncio.create_task(self._requests(from_client, to_server)),
            asyncio.create_task(self._replies(from_server, to_client)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            to_client.transport.abort()
            to_server.transport.abort()
            self._connections.discard(task)

    async def _requests(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                if not await self._pass(data, sink):
                    return

    async def _replies(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        result = bytearray()
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await source.readexactly(5)
                message = head + await source.readexactly(int.from_bytes(head[1:]) - 4)
                if result or head[0] == _DATA_ROW:
                    result += message
                    if head[0] != _READY_FOR_QUERY:
                        continue
                    message, result = bytes(result), bytearray()
                    if self.loses_result(message):
                        self.cuts += 1
                        return
                    if self.swallows_result(message):
                        await asyncio.Future()  # until the client gives up
                if not await self._pass(message, sink):
                    return

    async def _pass(self, data: bytes, sink: asyncio.StreamWriter) -> bool:
        """Whether the connection may go on."""
        if self._left is None:
            self._left = next(self.budgets, None)
        if self._left is None or len(data) <= self._left:
            self._left = None if self._left is None else self._left - len(data)
            sink.write(data)
            await sink.drain()
            return True
        sink.write(data[: self._left])
        await sink.drain()
        self._left = None
        self.cuts += 1
        return False
