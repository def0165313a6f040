"""The one JetStream stream that holds what is relayed: how it is made, and whether it may be continued.

A message's sequence must be its position plus 1 for ever, so the stream keeps everything from its first message on.
Who makes it beforehand (with a placement of their own, say) may configure all else.
"""

from typing import Final, NamedTuple

from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import BadRequestError, NotFoundError

from api.delivery.relay.errors import RelayRefused, cannot_continue
from api.delivery.relay.messages import ALL_SUBJECTS

DUPLICATE_WINDOW_SECONDS: Final = 30.0
"""How long NATS remembers message ids. Expected sequences already exclude doubles; two relays at once are spared errors
by it. A million ids a minute would be some 100 MB of its memory."""

_SUBJECTS_OVERLAP: Final = 10065


class Filled(NamedTuple):
    """How far a stream has come: it has messages 1 to ``last``."""

    last: int


def configuration(name: str, replicas: int) -> StreamConfig:
    """Of the stream as the relay makes it: it never forgets, and single messages cannot be deleted."""
    return StreamConfig(
        name=name,
        description="Public events of a Constancia register; sequence = position + 1. Derived from its log.",
        subjects=[ALL_SUBJECTS],
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        storage=StorageType.FILE,
        num_replicas=replicas,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
        deny_delete=True,
        deny_purge=True,
    )


async def open_stream(jetstream: JetStreamContext, name: str, replicas: int) -> Filled:
    """How far the stream has come, which is made if there is none.

    :raises RelayRefused: it cannot be continued, or cannot be made beside another.
    """
    try:
        info = await jetstream.stream_info(name)
    except NotFoundError:
        info = await _create(jetstream, name, replicas)
    return filled(info)


def filled(info: StreamInfo) -> Filled:
    """How far a stream has come. :raises RelayRefused: it is not one that holds the log from its beginning."""
    config, state = info.config, info.state
    if config.mirror or config.sources or config.subject_transform or config.subjects != [ALL_SUBJECTS]:
        raise cannot_continue(
            f"El flujo «{config.name}» de NATS no recibe exactamente {ALL_SUBJECTS}: no es de una retransmisión.",
            f"The NATS stream “{config.name}” does not take exactly {ALL_SUBJECTS}: it is not a relay's.",
        )
    if forgets := _limits(config):
        raise RelayRefused(
            f"No se retransmite. El flujo «{config.name}» olvida mensajes ({forgets}). Quite ese límite (nats stream "
            "edit) o borre el flujo, que es solo una copia.",
            f"Nothing is relayed. The stream “{config.name}” forgets messages ({forgets}). Remove that limit (nats "
            "stream edit), or delete the stream, which is only a copy.",
        )
    if state.last_seq and state.first_seq != 1:
        raise cannot_continue(
            f"El flujo «{config.name}» empieza en la posición {state.first_seq - 1}: se recortó.",
            f"The stream “{config.name}” begins at position {state.first_seq - 1}: it was trimmed.",
        )
    if state.messages != state.last_seq:
        missing = state.last_seq - state.messages
        raise cannot_continue(
            f"Al flujo «{config.name}» le faltan {missing} mensajes; «constancia relay --check» dice dónde.",
            f"The stream “{config.name}” lacks {missing} messages; “constancia relay --check” says where.",
        )
    return Filled(state.last_seq)


async def _create(jetstream: JetStreamContext, name: str, replicas: int) -> StreamInfo:
    try:
        return await jetstream.add_stream(configuration(name, replicas))
    except BadRequestError as error:
        if error.err_code != _SUBJECTS_OVERLAP:
            raise
        raise RelayRefused(
            f"No se retransmite. Otro flujo de NATS ya recibe asuntos de {ALL_SUBJECTS}. Si es el de este registro, "
            "nómbrelo con CONSTANCIA_NATS_STREAM; otro registro necesita otra cuenta de NATS.",
            f"Nothing is relayed. Another NATS stream takes subjects of {ALL_SUBJECTS} already. If it is this "
            "register's, name it with CONSTANCIA_NATS_STREAM; another register needs another account of NATS.",
        ) from error


def _limits(config: StreamConfig) -> str:
    """By which of its settings it will lose messages; empty if by none."""
    limits = {
        "retention": config.retention != RetentionPolicy.LIMITS,
        "max_age": bool(config.max_age),
        "max_msgs_per_subject": config.max_msgs_per_subject > 0,
        "max_msgs": (config.max_msgs or 0) > 0 and config.discard == DiscardPolicy.OLD,
        "max_bytes": (config.max_bytes or 0) > 0 and config.discard == DiscardPolicy.OLD,
    }
    return ", ".join(name for name, forgets in limits.items() if forgets)
