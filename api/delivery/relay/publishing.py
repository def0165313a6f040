"""Publishing many messages before the first is acknowledged, with a bound on how many.

JetStream answers each message at its reply subject (ADR-22). nats-py's ``publish_async`` makes a future, a random token
and a parsed reply for each; here the reply subject ends with the sequence, and what matters is only whether one failed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError

from api.delivery.relay.connection import CLOSE_SECONDS
from api.delivery.relay.errors import NatsUnavailable, RelayRefused, cannot_continue
from api.delivery.relay.messages import headers_of, sequence_of, subject_of
from api.streams.following import StreamedEvent

OUTSTANDING: Final = 1_000
"""Messages without acknowledgement. NATS queues 10,000 for a stream before it refuses."""

ACKNOWLEDGE_SECONDS: Final = 5.0
"""Without any acknowledgement for so long, those that are missing will not come."""

_ELSEWHERE: Final = frozenset({10071, 10164, 10158})
"""Wrong last sequence (two ways to say it); a message of this id is under way."""


class Moved(Exception):
    """Somebody else has published to the stream, or a new leader knows less than the last one did."""


class _Error(msgspec.Struct):
    code: int = 0
    err_code: int = 0
    description: str = ""


class _Answer(msgspec.Struct):
    seq: int = 0
    error: _Error | None = None


_decode: Final = msgspec.json.Decoder(_Answer).decode


class Publishing:
    """To one stream over one connection, until the first failure: then nothing more is published."""

    def __init__(self, client: Client, stream: str) -> None:
        self._client, self._stream = client, stream
        self._replies = client.new_inbox()
        self._outstanding: set[int] = set()
        self._acknowledged = 0
        self._failure: Exception | None = None
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Within, answers are taken."""
        answers = await self._client.subscribe(f"{self._replies}.*", cb=self._answered)
        try:
            yield
        finally:
            # The connection may be what was lost, or what takes nothing any more.
            with suppress(NatsError, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await answers.unsubscribe()

    async def publish(self, event: StreamedEvent) -> None:
        """Send an event, as soon as few enough are under way. Raises what an earlier one failed by."""
        await self._until(OUTSTANDING - 1)
        sequence = sequence_of(event.position)
        self._outstanding.add(sequence)
        try:
            await self._client.publish(
                subject_of(event.type),
                event.body,
                reply=f"{self._replies}.{sequence}",
                headers=headers_of(event, self._stream),
            )
        except MaxPayloadError as error:
            raise NatsUnavailable(
                f"NATS no toma mensajes de {len(event.body)} bytes. Aumente «max_payload» en su configuración.",
                f"NATS takes no messages of {len(event.body)} bytes. Raise “max_payload” in its configuration.",
            ) from error
        except NatsError as error:
            raise NatsUnavailable(
                "Se perdió la conexión con NATS.", "The connection to NATS was lost."
            ) from error

    async def flush(self) -> None:
        """Returns when all is acknowledged."""
        await self._until(0)

    async def watch(self) -> None:
        """Never returns; raises what a message failed by, also while nobody publishes."""
        while True:
            waiting, before = bool(self._outstanding), self._acknowledged
            with suppress(TimeoutError):
                async with asyncio.timeout(ACKNOWLEDGE_SECONDS):
                    while self._failure is None:
                        self._changed.clear()
                        await self._changed.wait()
            if self._failure is not None:
                raise self._failure
            if waiting and self._outstanding and self._acknowledged == before:
                self._fail(
                    NatsUnavailable(
                        "NATS no confirma lo enviado.", "NATS does not acknowledge what was sent."
                    )
                )

    async def _until(self, most: int) -> None:
        while self._failure is None and len(self._outstanding) > most:
            self._changed.clear()
            await self._changed.wait()
        if self._failure is not None:
            raise self._failure

    async def _answered(self, message: Msg) -> None:
        sequence = int(message.subject.rpartition(".")[2])
        if not message.data:  # a status instead of an answer: no stream takes this subject just now
            self._fail(
                NatsUnavailable("Ningún flujo de NATS recibe el evento.", "No NATS stream takes the event.")
            )
            return
        answer = _decode(message.data)
        if answer.error is not None:
            self._fail(_failure(answer.error))
        elif answer.seq != sequence:
            self._fail(_other_sequence(sequence, answer.seq))
        else:
            self._outstanding.discard(sequence)
            self._acknowledged += 1
            self._changed.set()

    def _fail(self, failure: Exception) -> None:
        """The first failure is what the others follow from."""
        self._failure = self._failure or failure
        self._changed.set()


def _failure(error: _Error) -> Exception:
    if error.err_code in _ELSEWHERE:
        return Moved()
    said = f"{error.description}, {error.err_code}"
    return NatsUnavailable(f"NATS no toma el evento ({said}).", f"NATS does not take the event ({said}).")


def _other_sequence(expected: int, got: int) -> RelayRefused:
    return cannot_continue(
        f"NATS guarda la posición {expected - 1} con la secuencia {got}: hay mensajes ajenos en el flujo.",
        f"NATS keeps position {expected - 1} as sequence {got}: there are others' messages in the stream.",
    )
