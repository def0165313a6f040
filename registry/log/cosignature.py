"""Cosignatures: what a witness adds to another's checkpoint. Pure. c2sp.org/tlog-cosignature@v1.0.1, Ed25519 (0x04)
only.

A cosignature says: as of this time, this is the largest consistent tree that I have seen of this log. It stands in
the note as a signature line whose signature is ``u64 big-endian POSIX seconds || Ed25519``, over::

    cosignature/v1
    time <POSIX seconds>
    <the whole text of the note>
"""

import struct
from dataclasses import dataclass, field

from registry.errors import MalformedLog
from registry.log.note import Signature, Signer, Verifier, key_id, read_vkey, write_vkey

COSIGNATURE = 0x04
"""The type in the key's id and vkey: the same key as a note's would have another id."""

MAX_TIME = 2**63 - 1

_TIME = struct.Struct(">Q")
_SIZE = _TIME.size + 64


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness's public key with its name: a vkey of type 0x04."""

    name: str
    public_key: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Check the name and derive the key id."""
        object.__setattr__(self, "key_id", key_id(self.name, COSIGNATURE, self.public_key))

    @classmethod
    def parse(cls, vkey: str) -> "WitnessKey":
        """Read a vkey; MalformedLog when it is none or not for Ed25519 cosignatures."""
        return cls(*read_vkey(vkey, COSIGNATURE))

    def vkey(self) -> str:
        """The key as text, to be handed out."""
        return write_vkey(self.name, COSIGNATURE, self.public_key)

    def verify(self, text: str, signature: Signature) -> bool:
        """Whether this witness cosigned ``text``, at the time that the cosignature says."""
        try:
            message = _message(text, time_of(signature))
        except MalformedLog:
            return False
        plain = Signature(signature.name, signature.key_id, signature.data[_TIME.size :])
        return Verifier(self.name, self.public_key).verify(message, plain)


class Cosigner:
    """A witness's private key. Use the signer for nothing else: what it signs here has no name in it."""

    def __init__(self, signer: Signer) -> None:
        """``signer`` holds name and key, in the file format that Go's sumdb/note has."""
        self._signer = signer
        self.key = WitnessKey(signer.name, signer.verifier.public_key)

    def cosign(self, text: str, time: int) -> Signature:
        """The cosignature over a note's text at ``time`` (POSIX seconds). ValueError for an impossible time."""
        if not 0 < time <= MAX_TIME:
            raise ValueError(f"{time} is not a POSIX time that a cosignature can hold")
        signed = self._signer.sign(_message(text, time)).data
        return Signature(self.key.name, self.key.key_id, _TIME.pack(time) + signed)

    def __repr__(self) -> str:
        return f"Cosigner({self.key.vkey()!r})"


def time_of(signature: Signature) -> int:
    """When the cosignature says it was made, in POSIX seconds; MalformedLog when it has not the form of one."""
    if len(signature.data) != _SIZE:
        raise _malformed(
            f"tiene {len(signature.data)} bytes en vez de {_SIZE}",
            f"it has {len(signature.data)} bytes, not {_SIZE}",
        )
    time = int(_TIME.unpack_from(signature.data)[0])
    if time > MAX_TIME:
        raise _malformed("su hora pasa de 2^63 - 1", "its time is beyond 2^63 - 1")
    return time


def _message(text: str, time: int) -> str:
    return f"cosignature/v1\ntime {time}\n{text}"


def _malformed(es: str, en: str) -> MalformedLog:
    return MalformedLog(
        f"Esto no es una cofirma de testigo (c2sp.org/tlog-cosignature): {es}. Pídala de nuevo al testigo.",
        f"This is not a witness's cosignature (c2sp.org/tlog-cosignature): {en}. Ask the witness for it again.",
    )
