"""Why nothing is relayed, as one tree.

::

    RegistryError
    ├── RelayRefused        the stream is not what this log would have made: an operator must act
    └── NatsUnavailable     NATS does not answer, or not yet: tried again
"""

from typing import Final

from registry.errors import RegistryError, StoreUnavailable
from registry.text import Text

REBUILD: Final = Text(
    "El flujo es solo una copia: bórrelo (nats stream rm) y la retransmisión lo hace de nuevo desde la bitácora, o dé "
    "otro nombre con CONSTANCIA_NATS_STREAM.",
    "The stream is only a copy: delete it (nats stream rm) and the relay makes it anew from the log, or give another "
    "name with CONSTANCIA_NATS_STREAM.",
)
"""What to do about a stream that cannot be continued."""


class RelayRefused(RegistryError):
    """Continuing this stream would make it something else than the log."""


class NatsUnavailable(StoreUnavailable):
    """Whether NATS has taken something is not known; the stream will be asked how far it has come."""


def cannot_continue(es: str, en: str) -> RelayRefused:
    """The refusal of a stream, with what to do about it."""
    return RelayRefused(f"No se retransmite. {es} {REBUILD.es}", f"Nothing is relayed. {en} {REBUILD.en}")
