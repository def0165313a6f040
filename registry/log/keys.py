"""The log's three keys and its name, fixed at the first start.

Three, so that no text signed for one purpose can pass for another's: the log key signs checkpoints only. They
lie in ``<data>/keys/*.key`` (mode 0600), the origin in ``<data>/origin``. Whoever loses the keys loses the
log's identity.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from registry.errors import MalformedLog, StartRefused
from registry.log.certificate import count_key_name
from registry.log.durable import exclusively, make_directory, write_durably
from registry.log.last_signed import LastSigned
from registry.log.note import Signer, check_key_name
from registry.log.receipt import receipt_key_name

ORIGIN_FILE = "origin"
KEYS_DIRECTORY = "keys"

_KEY_NAMES: dict[str, Callable[[str], str]] = {
    "log": lambda origin: origin,  # c2sp.org/tlog-checkpoint: the key is named like the origin
    "receipt": receipt_key_name,
    "count": count_key_name,
}


@dataclass(frozen=True, slots=True)
class LogKeys:
    """The private keys of one log, each named for what it signs."""

    log: Signer
    receipt: Signer
    count: Signer

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.log.name

    def vkeys(self) -> dict[str, list[str]]:
        """The public keys by purpose, as ``/log/keys`` shows them. Lists: a key may be rotated some day."""
        return {
            "log": [self.log.verifier.vkey()],
            "receipt": [self.receipt.verifier.vkey()],
            "count": [self.count.verifier.vkey()],
        }


def load_or_create(directory: Path, origin: str) -> LogKeys:
    """The keys in the data ``directory``, made at the first start, for the log ``origin``.

    StartRefused when the directory belongs to another origin, or when a key is missing, damaged or another
    log's. Safe when several processes start at once: one makes the keys, the others read them.
    """
    try:
        check_key_name(origin)
    except MalformedLog as error:
        raise StartRefused(error.text.es, error.text.en) from None
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with exclusively(directory):
        first_start = _check_origin(directory / ORIGIN_FILE, origin)
        if first_start:
            make_directory(directory / KEYS_DIRECTORY)
        keys = LogKeys(
            **{
                purpose: _load_or_create_key(directory, purpose, name(origin), may_create=first_start)
                for purpose, name in _KEY_NAMES.items()
            }
        )
    if first_start:
        # In this order, so that a crash in between is still a first start, and so that a missing last_signed
        # always means a lost one, never a log that has not begun.
        LastSigned(directory).create()
        write_durably(directory / ORIGIN_FILE, f"{origin}\n".encode())
    return keys


def _check_origin(path: Path, origin: str) -> bool:
    """Whether this is the first start; StartRefused when the directory belongs to another origin."""
    try:
        fixed = path.read_text(encoding="utf-8").removesuffix("\n")
    except FileNotFoundError:
        return True
    if fixed != origin:
        raise StartRefused(
            f"Esta bitácora se llama {fixed} desde su primer inicio y CONSTANCIA_ORIGIN dice {origin}. El "
            f"nombre está en cada firma y no puede cambiar: ponga CONSTANCIA_ORIGIN={fixed}. Para empezar "
            "otra bitácora use otro directorio de datos y otra base de datos.",
            f"This log is named {fixed} since its first start and CONSTANCIA_ORIGIN says {origin}. The name "
            f"is in every signature and cannot change: set CONSTANCIA_ORIGIN={fixed}. To begin another log "
            "use another data directory and another database.",
        )
    return False


def _load_or_create_key(directory: Path, purpose: str, name: str, *, may_create: bool) -> Signer:
    path = directory / KEYS_DIRECTORY / f"{purpose}.key"
    try:
        signer = Signer.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not may_create:
            raise StartRefused(
                f"Falta la clave {path}. Restáurela de su copia: con una clave nueva nadie reconocería esta "
                "bitácora.",
                f"The key {path} is missing. Restore it from its copy: with a new key nobody would recognise "
                "this log.",
            ) from None
        signer = Signer.generate(name)
        write_durably(path, signer.serialise().encode())
    except (MalformedLog, UnicodeDecodeError):
        raise StartRefused(
            f"La clave {path} está dañada. Restáurela de su copia.",
            f"The key {path} is damaged. Restore it from its copy.",
        ) from None
    if signer.name != name:
        raise StartRefused(
            f"La clave {path} es de {signer.name}, no de {name}. Restaure la clave de esta bitácora.",
            f"The key {path} belongs to {signer.name}, not to {name}. Restore this log's key.",
        )
    return signer
