"""Whether a relayed stream is the log: all of it read back, hashed, and held against the published checkpoint."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Final

import asyncpg
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError

from api.delivery.relay.connection import ANSWER_SECONDS
from api.delivery.relay.messages import Relayed, read_message, sequence_of
from projections.verification.errors import DataUnavailable, VerificationFailed
from registry.errors import MalformedLog
from registry.log import storage
from registry.log.checkpoint import Checkpoint, open_checkpoint
from registry.log.keys import LogKeys, Purpose
from registry.log.merkle import CompactRange

BATCH: Final = 256
"""Messages asked for at a time."""

_IDLE_SECONDS: Final = 60.0
"""After this, NATS forgets where a check stood that was interrupted."""


async def check_stream(
    jetstream: JetStreamContext,
    stream: str,
    pool: asyncpg.Pool,
    keys: LogKeys,
    progress: Callable[[int, int], None],
) -> Checkpoint:
    """The published checkpoint, which is that of the stream too.

    :raises VerificationFailed: the stream is not the log; the text names the first position where.
    :raises DataUnavailable: there is no checkpoint or no such stream, or the stream has not come so far yet.
    """
    try:
        # The stream first: a relay may add to it meanwhile, but nothing that is in no checkpoint.
        state = (await jetstream.stream_info(stream)).state
        last = state.last_seq
        checkpoint = await _published(pool, keys)
        if last > checkpoint.size:
            raise VerificationFailed(
                f"El flujo tiene {last} mensajes y el último checkpoint cubre {checkpoint.size}: lo demás no es de la "
                "bitácora publicada.",
                f"The stream has {last} messages and the last checkpoint covers {checkpoint.size}: the others are not "
                "of the published log.",
            )
        if last and state.first_seq != 1:
            raise _missing(0)
        root = await _root(jetstream, stream, last, pool, f"//{checkpoint.origin}", progress)
    except NotFoundError:
        raise DataUnavailable(
            f"NATS no tiene el flujo «{stream}». Inicie «constancia relay», o revise CONSTANCIA_NATS_STREAM.",
            f"NATS has no stream “{stream}”. Start “constancia relay”, or check CONSTANCIA_NATS_STREAM.",
        ) from None
    except (NatsError, TimeoutError) as error:
        raise DataUnavailable(
            f"NATS no responde ({type(error).__name__}). Intente de nuevo cuando el servidor funcione.",
            f"NATS does not answer ({type(error).__name__}). Try again when the server runs.",
        ) from error
    if last < checkpoint.size:
        raise DataUnavailable(
            f"Las primeras {last} posiciones son las de la bitácora; faltan {checkpoint.size - last} por retransmitir. "
            "Repita cuando «constancia relay» haya terminado.",
            f"The first {last} positions are the log's; {checkpoint.size - last} are still to be relayed. Repeat when "
            "“constancia relay” has caught up.",
        )
    if root != checkpoint.root:
        raise VerificationFailed(
            "El flujo es igual a la base de datos, pero no al checkpoint firmado. Ejecute «constancia verify» contra "
            "el registro: la base de datos cambió.",
            "The stream is equal to the database, but not to the signed checkpoint. Run “constancia verify” against "
            "the register: the database was changed.",
        )
    return checkpoint


async def _published(pool: asyncpg.Pool, keys: LogKeys) -> Checkpoint:
    published = await storage.latest_checkpoint(pool)
    if published is None:
        raise DataUnavailable(
            "Todavía no se ha publicado ningún checkpoint. Repita cuando lo haya.",
            "No checkpoint has been published yet. Repeat when there is one.",
        )
    try:
        return open_checkpoint(published.note, keys.origin, keys.verifiers(Purpose.LOG))[0]
    except MalformedLog as error:
        raise VerificationFailed(error.text.es, error.text.en) from error


async def _root(
    jetstream: JetStreamContext,
    stream: str,
    last: int,
    pool: asyncpg.Pool,
    source: str,
    progress: Callable[[int, int], None],
) -> bytes:
    """The root over the leaves in the stream, each of which is the log's at its position."""
    tree = CompactRange()
    async with aclosing(_batches(jetstream, stream, last)) as batches:
        async for batch in batches:
            leaves = await storage.read_events(pool, tree.size, len(batch))
            if len(leaves) < len(batch):
                raise _not_stored(tree.size + len(leaves))
            for message, leaf in zip(batch, leaves, strict=True):
                position = tree.size
                if message.metadata.sequence.stream != sequence_of(position):
                    raise _missing(position)
                tree.append(_genuine(message, (source, position, leaf.hash)))
            progress(tree.size, last)
    if tree.size < last:
        raise _missing(tree.size)
    return tree.root()


async def _batches(jetstream: JetStreamContext, stream: str, last: int) -> AsyncGenerator[list[Msg], None]:
    """The messages up to ``last`` that there are, in order."""
    if not last:
        return
    place = ConsumerConfig(
        ack_policy=AckPolicy.NONE, inactive_threshold=_IDLE_SECONDS, mem_storage=True, num_replicas=1
    )
    reading = await jetstream.pull_subscribe(">", stream=stream, config=place)
    try:
        while True:
            batch = await reading.fetch(BATCH, timeout=ANSWER_SECONDS)
            taken = [message for message in batch if message.metadata.sequence.stream <= last]
            if taken:
                yield taken
            end = batch[-1].metadata
            if end.sequence.stream >= last or end.num_pending == 0:
                return
    finally:
        with suppress(NatsError):  # the connection may be what was lost
            await reading.unsubscribe()


def _genuine(message: Msg, expected: tuple[str, int, bytes]) -> bytes:
    """The hash of the message's leaf. :raises VerificationFailed: it is not the expected one."""
    try:
        found: Relayed = read_message(message.subject, message.data)
    except MalformedLog as error:
        raise VerificationFailed(
            f"Posición {expected[1]}: {error.text.es}", f"Position {expected[1]}: {error.text.en}"
        ) from error
    if (found.source, found.position, found.leaf_hash) != expected:
        raise VerificationFailed(
            f"Posición {expected[1]}: el flujo tiene otra cosa que la bitácora.",
            f"Position {expected[1]}: the stream has something else than the log.",
        )
    return found.leaf_hash


def _missing(position: int) -> VerificationFailed:
    return VerificationFailed(
        f"Posición {position}: falta en el flujo. Bórrelo (nats stream rm): la retransmisión lo hace de nuevo.",
        f"Position {position}: missing in the stream. Delete it (nats stream rm): the relay makes it anew.",
    )


def _not_stored(position: int) -> VerificationFailed:
    return VerificationFailed(
        f"Posición {position}: falta en la base de datos. Ejecute «constancia verify» contra el registro.",
        f"Position {position}: missing in the database. Run “constancia verify” against the register.",
    )
