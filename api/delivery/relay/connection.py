"""A connection to NATS for one attempt: when it is lost, so is the attempt.

nats-py would reconnect by itself (nats.connect, ``allow_reconnect``), send what it had kept meanwhile, and leave those
who wait for acknowledgements waiting: replies to the old connection never come. After any loss the stream must be asked
anew how far it has come, so nothing is kept, and every attempt has a connection of its own.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from nats.aio.client import Client
from nats.aio.transport import TcpTransport
from nats.errors import Error, NoServersError

from api.delivery.relay.errors import NatsUnavailable

CONNECT_SECONDS: Final = 5
ANSWER_SECONDS: Final = 5.0
"""For one question. A cluster that elects a new leader meanwhile loses it, and is asked again."""

CLOSE_SECONDS: Final = 1.0
"""For what a server still takes when a connection is closed. One that takes nothing would be waited for without end."""

PING_SECONDS: Final = 10
"""Two pings without an answer, and the connection is taken for dead."""


class Connection(NamedTuple):
    """``lost`` is set when it has ended, whoever ended it."""

    client: Client
    lost: asyncio.Event


@asynccontextmanager
async def connected(servers: Sequence[str]) -> AsyncIterator[Connection]:
    """A connection to one of the servers, in any order. :raises NatsUnavailable: none of them answers."""
    lost = asyncio.Event()

    async def closed() -> None:
        lost.set()

    async def failed(_: Exception) -> None:
        """What ends an attempt is raised where it waits; nats-py would also print it."""

    failure: Exception = NoServersError()
    for server in random.sample(servers, len(servers)):
        client = Client()
        try:
            await client.connect(
                server,
                name="constancia relay",
                allow_reconnect=False,
                connect_timeout=CONNECT_SECONDS,
                # It would go on with a server that refuses for two minutes.
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                ping_interval=PING_SECONDS,
                closed_cb=closed,
                error_cb=failed,
                skip_subject_validation=True,
            )
        except (OSError, Error, TimeoutError) as error:
            failure = error
            _abort(client)  # nats-py would keep the socket, one for each attempt
            continue
        except BaseException:
            _abort(client)
            raise
        try:
            yield Connection(client, lost)
            return
        finally:
            await _close(client)
    raise NatsUnavailable(
        f"NATS no responde ({type(failure).__name__}). Revise CONSTANCIA_NATS_URL y que el servidor funcione.",
        f"NATS does not answer ({type(failure).__name__}). Check CONSTANCIA_NATS_URL, and that the server runs.",
    ) from failure


async def _close(client: Client) -> None:
    closing = asyncio.create_task(client.close())
    try:
        await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
    finally:
        if not closing.done():
            _abort(client)
            await asyncio.wait({closing})


def _abort(client: Client) -> None:
    """Give up the socket at once, for which nats-py has nothing: by itself, or by the TLS that was begun over it."""
    transport = client._transport
    if isinstance(transport, TcpTransport) and transport._bare_io_writer is not None:
        transport._bare_io_writer.transport.abort()
