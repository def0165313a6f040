"""uvicorn inside our own event loop: it serves, and everything else (signals, sockets, logs) is decided outside."""

import asyncio
import contextlib
import errno
import resource
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
from starlette.applications import Starlette

from api.connection import Connection
from registry.errors import StartRefused
from registry.garbage import forget_what_is_loaded

# Long enough for a write under way (a group commit and a disk), short enough for whoever pressed Ctrl-C.
GRACE_SECONDS: Final = 5

# An idle connection is kept for a client that comes back: longer than the 60 s of common proxies would help them.
KEEP_ALIVE_SECONDS: Final = 75


def reserve(host: str, port: int) -> socket.socket:
    """A socket that listens on the address, so that nobody else can take it; who connects waits until it is served.

    Bound alone it could be taken: Linux lets another bind it too, as long as neither listens.

    :raises StartRefused: it is taken, or is none of this machine.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen()
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartRefused(
                f"El puerto {port} de {host} ya está en uso. Detenga el otro programa o elija otro con --port.",
                f"Port {port} of {host} is already in use. Stop the other program or choose another with --port.",
            ) from None
        raise StartRefused(
            f"No se puede escuchar en {host}:{port} ({error.strerror}). Elija otra dirección con --host y --port.",
            f"Cannot listen on {host}:{port} ({error.strerror}). Choose another address with --host and --port.",
        ) from None
    return listener


OPEN_FILES: Final = 4_096
"""Twice as many as streams can be open (``api.streams.streams.MAX_STREAMS``): each is a socket, and systems allow a
process 1,024 unless it asks for more."""


MAX_MESSAGE: Final = 64 * 1024
"""Bytes of a message over a WebSocket, as of a question over HTTP."""


class Server(uvicorn.Server):
    """Leaves the process's signals to whoever runs it. ``listening`` is set once it accepts connections."""

    def __init__(self, app: Starlette) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                lifespan="off",
                log_config=None,
                access_log=False,  # the app writes its own, without ids and queries
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                ws_max_size=MAX_MESSAGE,
                ws_per_message_deflate=False,  # its state would be most of what an open socket costs
            )
        )
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        _allow_files()
        await super().startup(sockets)
        forget_what_is_loaded()
        self.listening.set()

    async def run_until(self, stopping: asyncio.Event, listener: socket.socket) -> None:
        """Serve until ``stopping`` is set, then finish what is under way."""
        serving = asyncio.create_task(self.serve(sockets=[listener]))
        stopped = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
            self.should_exit = True
            await serving
        finally:
            stopped.cancel()
            serving.cancel()


def _allow_files() -> None:
    """Raise this process's own limit, as far as the system lets it; more is left as it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
