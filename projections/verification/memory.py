"""What the verifier remembers between runs (``--state``): the log's keys, its witnesses, the last checkpoint it proved.

A log shows itself forked, or rolled back, only to someone who remembers. The file is public data in plain JSON;
whoever can change it can make the verifier trust another key, so it belongs where only its owner writes.
"""

from pathlib import Path
from typing import Final

import msgspec

from projections.verification.errors import CannotStart, reason
from registry.log.durable import write_durably

VERSION: Final = 1


class Memory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys are vkeys (c2sp.org/signed-note); ``checkpoint`` is the signed note exactly as it was served. ``policy``
    holds witnesses and quorum (c2sp.org/tlog-policy), octets in base64; None while there never was one."""

    v: int
    log: tuple[str, ...]
    count: tuple[str, ...]
    checkpoint: str
    policy: bytes | None = None


def recall(path: Path) -> Memory | None:
    """What was remembered, or None at the first run. Raises CannotStart on a file that is no memory."""
    try:
        memory = msgspec.json.decode(path.read_bytes(), type=Memory)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise CannotStart(
            f"{path} no se puede leer como memoria de este programa. Recupérelo de una copia; si lo borra, se pierde "
            "la posibilidad de notar que la bitácora cambió desde entonces.",
            f"{path} cannot be read as this program's memory. Restore it from a copy; if you delete it, you can no "
            "longer notice that the log has changed since.",
        ) from error
    if memory.v != VERSION:
        raise CannotStart(
            f"{path} es de otra versión de este programa ({memory.v}). Use la versión que lo escribió o una posterior.",
            f"{path} is of another version of this program ({memory.v}). Use the version that wrote it or a later one.",
        )
    return memory


def remember(path: Path, memory: Memory) -> None:
    """Replaces the file whole, durably: a crash leaves the old memory or the new one, never a torn file."""
    content = msgspec.json.format(msgspec.json.encode(memory), indent=2) + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, content)
    except OSError as error:
        raise CannotStart(
            f"No se puede escribir {path}: {reason(error).es}. Lo verificado vale, pero no se recordará.",
            f"Cannot write {path}: {reason(error).en}. What was verified holds, but will not be remembered.",
        ) from error
