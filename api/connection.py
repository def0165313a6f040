"""One connection of the server, which can be given up: closed at once, with what its client has not taken.

Closing politely waits until everything was taken. A client that does not read would then keep its connection, and the
server at shutdown, for as long as it likes. ASGI has no message for this, so there is an extension of ours.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

EXTENSION: Final = "constancia.give_up"
"""In ``scope["extensions"]`` of a request: a function without arguments. The application then is told that the client
has gone, as if it had."""

LINGER_SECONDS: Final = 3.0
"""How long a client may take for the end of an answer when its connection is closed after it: shorter than the server's
own limit at shutdown, which cancels and says that something is wrong."""


class Connection(H11Protocol):
    """uvicorn's, with that."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app = _can_be_given_up(self.app, transport.abort)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._linger()

    def shutdown(self) -> None:
        super().shutdown()
        self._linger()

    def _linger(self) -> None:
        self.loop.call_later(LINGER_SECONDS, self._end)

    def _end(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()


def give_up(scope: Scope) -> bool:
    """Close the connection of this request at once; False of a server that has no such connections."""
    close: Callable[[], None] | None = scope.get("extensions", {}).get(EXTENSION)
    if close is not None:
        close()
    return close is not None


def _can_be_given_up(app: ASGIApp, close: Callable[[], None]) -> ASGIApp:
    def call(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        scope["extensions"] = {EXTENSION: close}
        return app(scope, receive, send)

    return call
