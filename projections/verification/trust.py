"""Whose signatures count: keys given by the person, remembered from an earlier run, or merely shown by the server.

A key that the server itself shows proves nothing about who runs it: with such a key the log can only be found
consistent with itself. Key names follow from the log's origin: ``<origin>`` signs checkpoints and
``<origin>/count/v1`` certificates of counts, so one list of vkeys (c2sp.org/signed-note v1) holds both.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

import msgspec

from projections.verification.errors import CannotStart, DataUnavailable, VerificationFailed
from projections.verification.memory import Memory
from projections.verification.sources import TEXT_LIMIT, Source
from registry.errors import MalformedLog
from registry.log.certificate import count_key_name
from registry.log.checkpoint import Checkpoint, open_checkpoint
from registry.log.note import Verifier
from registry.log.receipt import receipt_key_name
from registry.text import Text


class Trust(Enum):
    """Where the log's key comes from."""

    GIVEN = Text("la clave dada con --vkey", "the key given with --vkey")
    POLICY = Text("la clave de la política dada con --policy", "the key of the policy given with --policy")
    REMEMBERED = Text("la clave recordada en --state", "the key remembered in --state")
    FIRST_USE = Text("la clave que el registro muestra hoy", "the key that the register shows today")
    NONE = Text(
        "una clave que solo el propio servidor afirma", "a key that only the server itself vouches for"
    )


@dataclass(frozen=True)
class Keyring:
    """The keys of one log. ``count_trusted`` says whether the count keys are as trusted as the log's."""

    origin: str
    trust: Trust
    log: tuple[Verifier, ...]
    count: tuple[Verifier, ...]
    count_trusted: bool

    @property
    def authenticated(self) -> bool:
        """Whether a signature by these keys says who signed."""
        return self.trust is not Trust.NONE


class Published(msgspec.Struct, frozen=True):
    """``/log/keys``: vkeys by purpose."""

    log: tuple[str, ...]
    count: tuple[str, ...] = ()


def gather(
    source: Source,
    vkeys: Sequence[str],
    memory: Memory | None,
    first_use: bool,
    logs: Sequence[Verifier] = (),
) -> Keyring:
    """The keys to verify by; ``logs`` are those of a policy, of which any is accepted.

    Raises CannotStart for a vkey that cannot be used, DataUnavailable without any key.
    """
    log, count = _sort(vkeys)
    given = Trust.GIVEN if log else Trust.POLICY if logs else None
    log += [key for key in _named(source, logs) if key not in log]
    if memory is not None:
        known = [_given(vkey) for vkey in memory.log]
        log += [key for key in known if key not in log]
        count += [key for key in (_given(vkey) for vkey in memory.count) if key not in count]
    trust = given or (Trust.REMEMBERED if memory is not None else None)
    trusted = bool(count)
    if trust is None or not count:
        published = _published(source, required=trust is None)
        trust = trust or (Trust.FIRST_USE if first_use else Trust.NONE)
        log = log or [_shown(vkey) for vkey in published.log]
        if not count:
            count, trusted = [_shown(vkey) for vkey in published.count], first_use
    origin = _origin(log)
    return Keyring(
        origin=origin,
        trust=trust,
        log=tuple(log),
        count=tuple(key for key in count if key.name == count_key_name(origin)),
        count_trusted=trusted,
    )


def open_signed(note: str, keyring: Keyring) -> Checkpoint:
    """The checkpoint in a note that the log's key signed. Raises VerificationFailed."""
    try:
        return open_checkpoint(note, keyring.origin, keyring.log)[0]
    except MalformedLog as error:
        raise VerificationFailed(
            f"El checkpoint no lleva una firma válida de {keyring.origin} con {keyring.trust.value.es}. "
            f"{error.text.es}",
            f"The checkpoint carries no valid signature by {keyring.origin} with {keyring.trust.value.en}. "
            f"{error.text.en}",
        ) from error


def _sort(vkeys: Sequence[str]) -> tuple[list[Verifier], list[Verifier]]:
    """Keys of the log and keys of its counts, told apart by name. Keys of receipts are accepted and not needed."""
    keys = [_given(vkey) for vkey in vkeys]
    count = [key for key in keys if key.name.endswith(count_key_name(""))]
    log = [key for key in keys if key not in count and not key.name.endswith(receipt_key_name(""))]
    return log, count


def _named(source: Source, logs: Sequence[Verifier]) -> list[Verifier]:
    """Those of a policy's keys that the checkpoint can be signed by: the name is the server's word, no key is."""
    if len({key.name for key in logs}) <= 1:
        return list(logs)
    origin = source.read("checkpoint", TEXT_LIMIT).partition(b"\n")[0].decode(errors="replace")
    named = [key for key in logs if key.name == origin]
    if not named:
        raise VerificationFailed(
            "El checkpoint no es de ninguna de las bitácoras de la política. Revise la dirección.",
            "The checkpoint is of none of the policy's logs. Check the address.",
        )
    return named


def _origin(log: Collection[Verifier]) -> str:
    names = {key.name for key in log}
    if len(names) != 1:
        listed = ", ".join(sorted(names)) or "-"
        raise CannotStart(
            f"Las claves son de bitácoras distintas ({listed}). Dé las de una sola, y su propio archivo --state.",
            f"The keys belong to different logs ({listed}). Give those of one, and its own --state file.",
        )
    return names.pop()


def _given(vkey: str) -> Verifier:
    try:
        return Verifier.parse(vkey.strip())
    except MalformedLog as error:
        raise CannotStart(
            f"La clave pública no se puede usar. {error.text.es}",
            f"The public key cannot be used. {error.text.en}",
        ) from error


def _shown(vkey: str) -> Verifier:
    try:
        return Verifier.parse(vkey)
    except MalformedLog as error:
        raise VerificationFailed(
            f"El servidor muestra en /log/keys una clave inválida. {error.text.es}",
            f"The server shows an invalid key in /log/keys. {error.text.en}",
        ) from error


def _published(source: Source, required: bool) -> Published:
    try:
        published = msgspec.json.decode(source.read("keys", TEXT_LIMIT), type=Published)
    except DataUnavailable:
        if required:
            raise
        return Published(())
    except msgspec.DecodeError as error:
        if not required:  # the log's own key is given; without keys for counts, certificates stay unchecked
            return Published(())
        raise DataUnavailable(
            "/log/keys no es la lista de claves de un registro. Revise la dirección o dé la clave con --vkey.",
            "/log/keys is not a register's list of keys. Check the address or give the key with --vkey.",
        ) from error
    if required and not published.log:
        raise DataUnavailable(
            "/log/keys no muestra ninguna clave de la bitácora. Dé la clave con --vkey.",
            "/log/keys shows no key of the log. Give the key with --vkey.",
        )
    return published
