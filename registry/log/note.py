"""Signed notes: text that carries its signatures. Pure. c2sp.org/signed-note@v1.0.0, Ed25519 (0x01) only.

::

    <text, ending in a newline, which may itself contain empty lines>
    <an empty line>
    — <key name> <base64(4-byte key id || signature)>
"""

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

import nacl.bindings
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from registry.errors import MalformedLog
from registry.log.lines import read_base64, write_base64

ED25519 = 0x01
MAX_SIGNATURES = 16
"""Verifiers must accept 16 and may refuse more, so nobody can rely on a note that carries 17."""

_ID_SIZE = 4
_KEY_SIZE = 32
_SIGNATURE_PREFIX = "— "
_PRIVATE_PREFIX = "PRIVATE+KEY+"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line. ``data`` is the signature without the key id."""

    name: str
    key_id: bytes
    data: bytes

    def line(self) -> str:
        """The line as it stands in a note, with its newline."""
        return f"{_SIGNATURE_PREFIX}{self.name} {write_base64(self.key_id + self.data)}\n"


class Key(Protocol):
    """A public key that a note may be signed by, of whatever type: name and id stand in its signature lines."""

    @property
    def name(self) -> str: ...

    @property
    def key_id(self) -> bytes: ...

    def verify(self, text: str, signature: Signature) -> bool:
        """Whether this key made ``signature`` over ``text``."""
        ...


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name: what a vkey says."""

    name: str
    public_key: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Check the name and derive the key id."""
        object.__setattr__(self, "key_id", key_id(self.name, ED25519, self.public_key))

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        """Read a vkey; MalformedLog when it is none or of another type than Ed25519."""
        return cls(*read_vkey(vkey, ED25519))

    def vkey(self) -> str:
        """The key as text, to be handed out."""
        return write_vkey(self.name, ED25519, self.public_key)

    def verify(self, text: str, signature: Signature) -> bool:
        """Whether this key made ``signature`` over ``text``."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature.data, text.encode())
        except (InvalidSignature, ValueError):  # ValueError: 32 bytes that are no point of the curve
            return False
        return True


class Signer:
    """A private key with its name. Its ``repr`` never shows the key.

    libsodium signs, in two thirds of the time that OpenSSL takes: every write is answered with a signed receipt.
    Ed25519 is deterministic, so the signatures are the same.
    """

    __slots__ = ("_private", "_seed", "verifier")

    def __init__(self, name: str, seed: bytes) -> None:
        """``seed`` is the 32-byte private key of RFC 8032."""
        self._seed = seed
        # The seed with the public key behind it, as libsodium wants it.
        public, self._private = nacl.bindings.crypto_sign_seed_keypair(seed)
        self.verifier = Verifier(name, public)

    @classmethod
    def generate(cls, name: str) -> "Signer":
        """A new key from the system's randomness."""
        return cls(name, secrets.token_bytes(_KEY_SIZE))

    @classmethod
    def parse(cls, text: str) -> "Signer":
        """Read what ``serialise`` wrote; MalformedLog when it is damaged."""
        if not text.startswith(_PRIVATE_PREFIX):
            raise MalformedLog(
                "El archivo no contiene una clave privada de la bitácora. Restaure el archivo original.",
                "The file does not hold a private key of the log. Restore the original file.",
            )
        name, identifier, encoded = _split_key(text.removeprefix(_PRIVATE_PREFIX).removesuffix("\n"))
        signer = cls(name, _ed25519(encoded, ED25519))
        if signer.verifier.key_id.hex() != identifier:
            raise MalformedLog(
                "La clave privada no corresponde a su identificador. Restaure el archivo original.",
                "The private key does not belong to its id. Restore the original file.",
            )
        return signer

    def serialise(self) -> str:
        """The private key as text, as Go's sumdb/note writes it. For a file of mode 0600 only."""
        encoded = write_base64(bytes([ED25519]) + self._seed)
        return f"{_PRIVATE_PREFIX}{self.name}+{self.verifier.key_id.hex()}+{encoded}\n"

    @property
    def name(self) -> str:
        """The key's name, which stands in its signature lines."""
        return self.verifier.name

    def sign(self, text: str) -> Signature:
        """This key's signature over the UTF-8 bytes of ``text``."""
        # The signature, then what was signed.
        signed = nacl.bindings.crypto_sign(text.encode(), self._private)
        return Signature(self.verifier.name, self.verifier.key_id, signed[: nacl.bindings.crypto_sign_BYTES])

    def __repr__(self) -> str:
        return f"Signer({self.verifier.vkey()!r})"


@dataclass(frozen=True, slots=True)
class Note:
    """A note whose signatures were checked: ``verified`` are by known keys, ``ignored`` by others."""

    text: str
    verified: tuple[Signature, ...]
    ignored: tuple[Signature, ...]


def sign(text: str, *signers: Signer) -> str:
    """``text`` as a note signed by each signer. ValueError when no note can hold it."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise ValueError("the text of a note ends in a newline and holds no other control character")
    if not 1 <= len(signers) <= MAX_SIGNATURES:
        raise ValueError(f"a note carries 1 to {MAX_SIGNATURES} signatures")
    return text + "\n" + "".join(signer.sign(text).line() for signer in signers)


def split_note(note: str) -> tuple[str, tuple[Signature, ...]]:
    """The text and the signatures of ``note``, nothing verified yet: trust neither."""
    # 1. No control characters but newline (valid UTF-8 is given by str, but for lone surrogates).
    if _CONTROL.search(note) or not _is_utf8(note):
        raise _malformed("contiene caracteres de control", "it holds control characters")
    # 2. Text and signatures part at the LAST empty line; the text keeps its final newline.
    end = note.rfind("\n\n")
    if end < 0:
        raise _malformed(
            "falta la línea vacía antes de las firmas", "the empty line before the signatures is missing"
        )
    text, block = note[: end + 1], note[end + 2 :]
    # 3. One signature or more, each on a line that ends in a newline.
    if not block.endswith("\n"):
        raise _malformed("no termina en una línea de firma", "it does not end in a signature line")
    lines = block[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise _malformed(
            f"tiene más de {MAX_SIGNATURES} firmas", f"it has more than {MAX_SIGNATURES} signatures"
        )
    # 4. Each of the form: em dash, space, name, space, base64 of 4+n bytes.
    return text, tuple(_parse_signature(line) for line in lines)


def open_note(note: str, verifiers: Collection[Key]) -> Note:
    """The text of ``note`` when at least one known key signed it and no known key's signature is false.

    MalformedLog otherwise. Signatures by unknown keys are ignored, whatever they hold.
    """
    text, signatures = split_note(note)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    verified: list[Signature] = []
    ignored: list[Signature] = []
    seen: set[tuple[str, bytes]] = set()
    for signature in signatures:
        # 5. Name and id together identify the key; unknown ones are ignored.
        identity = (signature.name, signature.key_id)
        verifier = known.get(identity)
        if verifier is None:
            ignored.append(signature)
            continue
        # 6. A key signs once: a second line by it means that the note was tampered with.
        if identity in seen:
            raise _malformed("una misma clave firma dos veces", "one key signs twice")
        seen.add(identity)
        # 7. A known key's signature must be true, or the whole note is rejected.
        if not verifier.verify(text, signature):
            raise MalformedLog(
                f"La firma de {signature.name} es falsa: el texto fue alterado o la clave no es la suya. "
                "Guarde la nota y pídala de nuevo.",
                f"The signature by {signature.name} is false: the text was altered or the key is not its "
                "own. Keep the note and fetch it again.",
            )
        verified.append(signature)
    # 8. Without any known signature nothing in the note may be believed.
    if not verified:
        raise MalformedLog(
            "Ninguna clave conocida firmó esta nota. Compruebe que la clave pública sea la de esta bitácora.",
            "No known key signed this note. Check that the public key is the one of this log.",
        )
    return Note(text, tuple(verified), tuple(ignored))


def check_key_name(name: str) -> None:
    """MalformedLog unless ``name`` is non-empty, without spaces, plus signs or control characters."""
    forbidden = "+" in name or any(map(str.isspace, name)) or _CONTROL.search(name) or not _is_utf8(name)
    if not name or forbidden:
        raise MalformedLog(
            "El nombre de una clave no puede estar vacío ni contener espacios o «+». Use la dirección de la "
            "bitácora sin esquema, como ejemplo.mx/log.",
            "A key name cannot be empty nor contain spaces or “+”. Use the log's address without a scheme, "
            "such as example.org/log.",
        )


def _parse_signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_SIGNATURE_PREFIX).partition(" ")
    if not line.startswith(_SIGNATURE_PREFIX) or not space:
        raise _malformed(
            "una línea de firma no empieza por «— nombre »", "a signature line does not start “— name ”"
        )
    check_key_name(name)
    data = read_base64(encoded, f"firma / signature {name}")
    if len(data) <= _ID_SIZE:
        raise _malformed("una firma está incompleta", "a signature is incomplete")
    return Signature(name, data[:_ID_SIZE], data[_ID_SIZE:])


def key_id(name: str, type_: int, public_key: bytes) -> bytes:
    """SHA-256(name || 0x0A || type || public key)[:4]; MalformedLog for a name that no key may have."""
    check_key_name(name)
    return sha256(name.encode() + b"\n" + bytes([type_]) + public_key).digest()[:_ID_SIZE]


def read_vkey(vkey: str, type_: int) -> tuple[str, bytes]:
    """Name and Ed25519 key of ``name+hex id+base64(type || key)``; MalformedLog unless id and key belong
    together.

    Only the first two plus signs separate: the base64 may hold more of them.
    """
    name, identifier, encoded = _split_key(vkey)
    public_key = _ed25519(encoded, type_)
    if key_id(name, type_, public_key).hex() != identifier:
        raise MalformedLog(
            "El identificador de la clave pública no corresponde a su nombre y contenido. Cópiela de nuevo.",
            "The public key's id does not belong to its name and content. Copy it again.",
        )
    return name, public_key


def write_vkey(name: str, type_: int, public_key: bytes) -> str:
    """What ``read_vkey`` reads."""
    identifier = key_id(name, type_, public_key).hex()
    return f"{name}+{identifier}+{write_base64(bytes([type_]) + public_key)}"


def _split_key(text: str) -> tuple[str, str, str]:
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise MalformedLog(
            "Una clave tiene la forma nombre+identificador+clave. Cópiela completa.",
            "A key has the form name+id+key. Copy all of it.",
        )
    name, identifier, encoded = parts
    return name, identifier, encoded


def _ed25519(encoded: str, type_: int) -> bytes:
    data = read_base64(encoded, "clave / key")
    if len(data) != 1 + _KEY_SIZE or data[0] != type_:
        raise MalformedLog(
            f"La clave no es Ed25519 (tipo {type_}, 32 bytes), la única que se usa aquí. Pida la clave Ed25519.",
            f"The key is not Ed25519 (type {type_}, 32 bytes), the only kind used here. Ask for the Ed25519 key.",
        )
    return data[1:]


def _is_utf8(text: str) -> bool:
    # A str may hold lone surrogates, which UTF-8 cannot.
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _malformed(es: str, en: str) -> MalformedLog:
    return MalformedLog(
        f"Esto no es una nota firmada: {es}. Cópiela completa, sin cambiar espacios ni líneas.",
        f"This is not a signed note: {en}. Copy all of it, without changing spaces or lines.",
    )
