"""The log's three keys and its name, fixed at the first start.

Three, so that no text signed for one purpose can pass for another's: the log key signs checkpoints only. They
lie in ``<data>/keys/*.key`` (mode 0600), the origin in ``<data>/origin``. Whoever loses the keys loses the
log's identity.

While a key is being rotated (:mod:`registry.log.rotation`), its successor ``*.next.key`` lies beside it and both
sign. Of retired keys the public half stays, in ``*.retired``, for documents from their time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from registry.errors import MalformedLog, StartRefused
from registry.log.certificate import count_key_name
from registry.log.durable import exclusively, make_directory, write_durably
from registry.log.last_signed import LastSigned
from registry.log.note import Signer, Verifier, check_key_name
from registry.log.receipt import receipt_key_name

ORIGIN_FILE = "origin"
KEYS_DIRECTORY = "keys"


class Purpose(StrEnum):
    """What a key of the log signs: checkpoints, receipts, certificates of counts."""

    LOG = "log"
    RECEIPT = "receipt"
    COUNT = "count"


_KEY_NAMES: dict[Purpose, Callable[[str], str]] = {
    Purpose.LOG: lambda origin: origin,  # c2sp.org/tlog-checkpoint: the key is named like the origin
    Purpose.RECEIPT: receipt_key_name,
    Purpose.COUNT: count_key_name,
}


@dataclass(frozen=True, slots=True)
class LogKeys:
    """The private keys of one log, each named for what it signs. ``successors`` sign beside those that they will
    replace; ``retired`` are public keys (vkeys) that sign no more."""

    log: Signer
    receipt: Signer
    count: Signer
    successors: Mapping[Purpose, Signer] = field(default_factory=dict)
    retired: Mapping[Purpose, tuple[str, ...]] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.log.name

    def signers(self, purpose: Purpose) -> tuple[Signer, ...]:
        """Who signs for this purpose: one key, or two while it is rotated, the older one first."""
        current = {Purpose.LOG: self.log, Purpose.RECEIPT: self.receipt, Purpose.COUNT: self.count}[purpose]
        return (current, *(key for each, key in self.successors.items() if each is purpose))

    def verifiers(self, purpose: Purpose) -> tuple[Verifier, ...]:
        """The public keys of ``signers``."""
        return tuple(signer.verifier for signer in self.signers(purpose))

    def vkeys(self) -> dict[str, list[str]]:
        """The public keys that sign now by purpose, as ``/log/keys`` shows them."""
        return {
            purpose.value: [verifier.vkey() for verifier in self.verifiers(purpose)] for purpose in Purpose
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
        for purpose, name in _KEY_NAMES.items():
            if first_start and not key_file(directory, purpose).exists():
                write_durably(
                    key_file(directory, purpose), Signer.generate(name(origin)).serialise().encode()
                )
        keys = _load(directory, origin)
    if first_start:
        # In this order, so that a crash in between is still a first start, and so that a missing last_signed
        # always means a lost one, never a log that has not begun.
        LastSigned(directory).create()
        write_durably(directory / ORIGIN_FILE, f"{origin}\n".encode())
    return keys


def key_file(directory: Path, purpose: Purpose) -> Path:
    """Where the key in force lies."""
    return directory / KEYS_DIRECTORY / f"{purpose}.key"


def successor_file(directory: Path, purpose: Purpose) -> Path:
    """Where the key lies that signs beside it, while there are two."""
    return directory / KEYS_DIRECTORY / f"{purpose}.next.key"


def retired_file(directory: Path, purpose: Purpose) -> Path:
    """Where the public keys stand that signed before, one vkey per line."""
    return directory / KEYS_DIRECTORY / f"{purpose}.retired"


def load(directory: Path) -> LogKeys:
    """The keys of a log that was started before. Hold ``exclusively(directory)`` to change them.

    StartRefused when it was not, or when a key is missing, damaged or another log's.
    """
    try:
        origin = (directory / ORIGIN_FILE).read_text(encoding="utf-8").removesuffix("\n")
    except FileNotFoundError:
        raise StartRefused(
            f"En {directory} no hay ninguna bitácora. Indique su directorio de datos con --data.",
            f"There is no log in {directory}. Name its data directory with --data.",
        ) from None
    return _load(directory, origin)


def _load(directory: Path, origin: str) -> LogKeys:
    keys = {
        purpose: _load_key(key_file(directory, purpose), name(origin)) for purpose, name in _KEY_NAMES.items()
    }
    successors = {
        purpose: _load_key(path, name(origin))
        for purpose, name in _KEY_NAMES.items()
        if (path := successor_file(directory, purpose)).exists()
    }
    return LogKeys(
        log=keys[Purpose.LOG],
        receipt=keys[Purpose.RECEIPT],
        count=keys[Purpose.COUNT],
        # One that took its place already, but was not removed, is no second key.
        successors={
            purpose: key for purpose, key in successors.items() if key.verifier != keys[purpose].verifier
        },
        retired={
            purpose: tuple(path.read_text(encoding="utf-8").split())
            for purpose in Purpose
            if (path := retired_file(directory, purpose)).exists()
        },
    )


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


def _load_key(path: Path, name: str) -> Signer:
    try:
        signer = Signer.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StartRefused(
            f"Falta la clave {path}. Restáurela de su copia: con una clave nueva nadie reconocería esta bitácora.",
            f"The key {path} is missing. Restore it from its copy: with a new key nobody would recognise this log.",
        ) from None
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
