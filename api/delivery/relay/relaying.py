"""The relay: what is published of the log, message by message, into one JetStream stream.

It remembers nothing: how far it has come is what the stream says, whose last message must be the log's leaf at that
position. Any failure ends the attempt, and the next one asks again. So it may be killed at any moment, NATS may lose
what it had acknowledged, and two relays may run at once: each message is taken only behind the one before it.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from typing import Final

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import APIError

from api.delivery.relay.connection import ANSWER_SECONDS, connected
from api.delivery.relay.errors import NatsUnavailable, cannot_continue
from api.delivery.relay.messages import Relayed, read_message, subject_of
from api.delivery.relay.publishing import Moved, Publishing
from api.delivery.relay.stream import open_stream
from api.streams.audience import PUBLIC
from api.streams.following import Following
from registry.errors import MalformedLog

log = logging.getLogger(__name__)

MOVED_SECONDS: Final = 0.25
"""Before the stream is asked again, when somebody else moved it."""

MOVED_AT_MOST: Final = 20
"""So often in a row without getting anywhere; then it counts as failing."""


class Relay:
    """Of one log to one stream.

    :param servers: addresses of one NATS cluster.
    :param following: reads the log. Not from a replica: a stream that is ahead of it would be refused.
    """

    def __init__(self, servers: Sequence[str], stream: str, replicas: int, following: Following) -> None:
        self._servers, self._stream, self._replicas = servers, stream, replicas
        self._following = following
        self._reached = -1
        self.connected = False
        """Whether NATS has told how far the stream is, over the connection that there is now."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay until ``stopping``.

        :raises NatsUnavailable: NATS failed; running it again goes on where the stream ends.
        :raises RelayRefused: the stream cannot be continued.
        """
        await _first(self._attempt(), stopping.wait())

    async def _attempt(self) -> None:
        async with connected(self._servers) as (client, lost):
            try:
                if await _first(self._relay(client), lost.wait()) == 1:
                    raise NatsUnavailable(
                        "Se perdió la conexión con NATS.", "The connection to NATS was lost."
                    )
            finally:
                self.connected = False

    async def _relay(self, client: Client) -> None:
        """As long as the connection lasts, one attempt after another."""
        moved = 0
        while moved < MOVED_AT_MOST:
            try:
                after = await self._begin(client.jetstream(timeout=ANSWER_SECONDS))
                moved = 0 if after > self._reached else moved
                self._reached, self.connected = after, True
                await self._continue(client, after)
                return  # streams were told to end
            except Moved:
                moved += 1
                await asyncio.sleep(MOVED_SECONDS)
            except APIError as error:
                raise NatsUnavailable(f"NATS se niega: {error}.", f"NATS refuses: {error}.") from error
            except (NatsError, TimeoutError) as error:
                raise NatsUnavailable(
                    f"NATS no responde ({type(error).__name__}).",
                    f"NATS does not answer ({type(error).__name__}).",
                ) from error
        raise NatsUnavailable(
            "NATS rechaza todo lo que sigue al último mensaje.",
            "NATS rejects whatever follows the last message.",
        )

    async def _begin(self, jetstream: JetStreamContext) -> int:
        """The position to go on from. :raises RelayRefused: what the stream ends with is not the log's."""
        # The stream first: what another relay adds meanwhile is in a checkpoint that is seen here afterwards.
        last = (await open_stream(jetstream, self._stream, self._replicas)).last
        size = await self._following.size(PUBLIC)
        if last > size:
            raise cannot_continue(
                f"El flujo tiene {last} eventos y la bitácora publicada {size}: es de otra bitácora, o esta se "
                "restauró de una copia vieja.",
                f"The stream has {last} events and the published log {size}: it is another log's, or this one was "
                "restored from an old copy.",
            )
        if last:
            message = await jetstream.get_msg(self._stream, last)
            expected = await self._expected(last - 1)
            check_message(expected, message.subject or "", message.data or b"")
        log.info("relaying to NATS from position %s", last)
        return last

    async def _expected(self, position: int) -> Relayed:
        (event,) = (await self._following.page(PUBLIC, position, 1)).events
        return read_message(subject_of(event.type), event.body)

    async def _continue(self, client: Client, after: int) -> None:
        publishing = Publishing(client, self._stream)
        async with publishing.listening():
            await _first(self._publish(publishing, after), publishing.watch())

    async def _publish(self, publishing: Publishing, after: int) -> None:
        async with aclosing(self._following.pages(PUBLIC, after)) as pages:
            async for page in pages:
                for event in page.events:
                    await publishing.publish(event)
        await publishing.flush()


def check_message(expected: Relayed, subject: str, payload: bytes) -> None:
    """:raises RelayRefused: a message is not the expected event of the log."""
    place = expected.position
    try:
        found = read_message(subject, payload)
    except MalformedLog as error:
        raise cannot_continue(
            f"En la posición {place} del flujo hay otra cosa que un evento de esta bitácora. {error.text.es}",
            f"At position {place} of the stream is something else than an event of this log. {error.text.en}",
        ) from error
    if found.source != expected.source:
        raise cannot_continue(
            f"El flujo tiene los eventos de otra bitácora: {found.source}, no {expected.source}.",
            f"The stream has the events of another log: {found.source}, not {expected.source}.",
        )
    if found != expected:
        raise cannot_continue(
            f"En la posición {place} el flujo tiene otra hoja que la bitácora.",
            f"At position {place} the stream has another leaf than the log.",
        )


async def _first(*running: Coroutine[object, object, object]) -> int:
    """Which of these ended first; the others are ended too. Raises what it raised."""
    tasks = [asyncio.ensure_future(each) for each in running]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = next(index for index, task in enumerate(tasks) if task.done())
        await tasks[ended]
        return ended
    finally:
        for task in tasks:
            # nats-py swallows a cancellation while it flushes: so until it has ended.
            while not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=0.1)
        await asyncio.gather(*tasks, return_exceptions=True)  # two may have failed by the same
