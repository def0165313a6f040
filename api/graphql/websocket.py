"""GraphQL over WebSocket: the protocol graphql-transport-ws, as its specification of 2023 has it.

Close codes are its own: 4400 for a message that is none, 4401 before the connection was acknowledged, 4408 when that
takes too long, 4409 for an id in use, 4429 for a second beginning. At shutdown sockets are closed with 1012, and a
client that does not take its messages with 1013: both may come back.
"""

import asyncio
from contextlib import aclosing, suppress
from typing import Any, Final

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.counts.answer import Backing
from api.graphql.execution import Operation, Ready, Result, follow, ready, run
from api.streams.streams import SlowClient, in_time

PROTOCOL: Final = "graphql-transport-ws"

INIT_SECONDS: Final = 10.0
"""How long a client may take to begin."""

MAX_OPERATIONS: Final = 20
"""Under way on one connection at a time."""


class _Closed(Exception):
    """The connection ends with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


async def serve(socket: WebSocket, backing: Backing) -> None:
    """One connection, from its beginning to its end."""
    if PROTOCOL not in socket.scope.get("subprotocols", ()):
        await socket.close(4406, "Subprotocol not acceptable")
        return
    await socket.accept(PROTOCOL)
    await _Connection(socket, backing).run()


class _Connection:
    def __init__(self, socket: WebSocket, backing: Backing) -> None:
        self._socket, self._backing = socket, backing
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._ended = asyncio.Event()  # one of them has
        self._acknowledged = False
        # One message at a time: results of several operations come from several tasks.
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        receiving = asyncio.ensure_future(self._receive())
        ending = asyncio.ensure_future(self._backing.streams.ending.wait())
        try:
            while True:
                # Operations begin while this waits, so that it cannot wait for each of them.
                ended = asyncio.ensure_future(self._ended.wait())
                try:
                    await asyncio.wait({receiving, ending, ended}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    ended.cancel()
                self._ended.clear()
                self._collect()
                if receiving.done():
                    receiving.result()
                    return
                if ending.done():
                    raise _Closed(1012, "Service restart")
        except WebSocketDisconnect:
            pass
        except _Closed as closed:
            await self._close(closed.code, closed.reason)
        except SlowClient:
            await self._close(1013, "Try again later")
        finally:
            await _cancel(receiving, ending, *self._operations.values())

    def _collect(self) -> None:
        """Forget operations that have ended; raises what ended one but its own end."""
        for id_, task in list(self._operations.items()):
            if task.done():
                del self._operations[id_]
                if not task.cancelled():
                    task.result()

    async def _receive(self) -> None:
        try:
            async with asyncio.timeout(INIT_SECONDS):
                while not self._acknowledged:
                    await self._take(await self._message())
        except TimeoutError:
            raise _Closed(4408, "Connection initialisation timeout") from None
        while True:
            await self._take(await self._message())

    async def _message(self) -> dict[str, Any]:
        try:
            text = await self._socket.receive_text()
        except KeyError:
            raise _Closed(4400, "Messages are text") from None
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            raise _Closed(4400, "Messages are JSON objects")
        return message

    async def _take(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "connection_init":
                if self._acknowledged:
                    raise _Closed(4429, "Too many initialisation requests")
                self._acknowledged = True
                await self._send({"type": "connection_ack"})
            case "ping":
                await self._send({"type": "pong"})
            case "pong":
                pass
            case "subscribe":
                self._subscribe(message)
            case "complete" if isinstance(message.get("id"), str):
                task = self._operations.get(message["id"])
                if task is not None:
                    task.cancel()
            case _:
                raise _Closed(4400, "Invalid message")

    def _subscribe(self, message: dict[str, Any]) -> None:
        if not self._acknowledged:
            raise _Closed(4401, "Unauthorized")
        id_, asked = message.get("id"), _operation(message.get("payload"))
        if not isinstance(id_, str) or not id_ or asked is None:
            raise _Closed(4400, "Invalid message")
        running = self._operations.get(id_)
        if running is not None and not running.done():
            raise _Closed(4409, "Subscriber already exists")
        if len(self._operations) >= MAX_OPERATIONS:
            raise _Closed(4400, f"At most {MAX_OPERATIONS} operations at a time")
        task = self._operations[id_] = asyncio.create_task(self._execute(id_, asked))
        task.add_done_callback(lambda _: self._ended.set())

    async def _execute(self, id_: str, asked: Operation) -> None:
        operation = ready(asked)
        if isinstance(operation, Result):
            await self._send({"type": "error", "id": id_, "payload": operation.body["errors"]})
            return
        if operation.streams:
            await self._follow(id_, operation)
        else:
            await self._next(id_, await run(operation, self._backing))
        if not self._backing.streams.ending.is_set():
            await self._send({"type": "complete", "id": id_})

    async def _follow(self, id_: str, operation: Ready) -> None:
        async with aclosing(follow(operation, self._backing)) as results:
            async for result in results:
                await self._next(id_, result)

    async def _next(self, id_: str, result: Result) -> None:
        await self._send({"type": "next", "id": id_, "payload": result.body})

    async def _send(self, message: dict[str, Any]) -> None:
        async with self._sending:
            await in_time(self._socket.send_text(orjson.dumps(message).decode()))

    async def _close(self, code: int, reason: str) -> None:
        # It may be closed already, by the client or by the server that stops.
        with suppress(RuntimeError, WebSocketDisconnect, SlowClient):
            await in_time(self._socket.close(code, reason))


def _operation(payload: Any) -> Operation | None:
    if not isinstance(payload, dict) or not isinstance(payload.get("query"), str):
        return None
    variables, name = payload.get("variables"), payload.get("operationName")
    if not isinstance(variables, dict | None) or not isinstance(name, str | None):
        return None
    return Operation(payload["query"], variables or {}, name)


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # seen: what ended the connection has been told
