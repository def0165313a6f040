"""What a log and a witness say to each other. Pure. c2sp.org/tlog-witness@v1.0.0, with the later draft's 422 for
another root and its address for monitors.

The log posts ``add-checkpoint``::

    old <size>
    <0 to 63 hashes of a consistency proof, base64>

    <checkpoint, a signed note>

and is answered with cosignature lines, or with 409 and the size that the witness has.
"""

from dataclasses import dataclass
from hashlib import sha256

from registry.errors import MalformedLog
from registry.log.lines import read_decimal, read_field, read_hash, write_base64

ADD_CHECKPOINT = "add-checkpoint"
"""Below the submission prefix."""

SIZE_MEDIA_TYPE = "text/x.tlog.size"
MAX_PROOF = 63
MAX_BYTES = 1 << 16
"""Of a request or an answer: 63 hashes and 16 signatures of the largest kind (ML-DSA-44) fit."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint for a witness that has cosigned ``old`` leaves before, and the proof that leads on from there."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def body(self) -> bytes:
        """The request's body. ValueError for a proof that no request can hold."""
        if len(self.proof) > MAX_PROOF:
            raise ValueError(f"a consistency proof has at most {MAX_PROOF} hashes")
        lines = [f"old {self.old}", *map(write_base64, self.proof)]
        return "".join(f"{line}\n" for line in [*lines, ""]).encode() + self.note.encode()

    @classmethod
    def parse(cls, body: bytes) -> "Submission":
        """Read a request's body; MalformedLog when it is none. The note is only split off, not read."""
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise _malformed("no es UTF-8", "it is not UTF-8") from None
        # The first empty line: neither the old size nor a hash is empty.
        head, empty, note = text.partition("\n\n")
        old, *proof = head.split("\n")
        if not empty or not note:
            raise _malformed("falta el checkpoint", "the checkpoint is missing")
        if len(proof) > MAX_PROOF:
            raise _malformed(f"hay más de {MAX_PROOF} hashes", f"there are more than {MAX_PROOF} hashes")
        size = read_decimal(read_field(old, "old"), "old")
        return cls(size, tuple(read_hash(line, "prueba / proof") for line in proof), note)


def write_size(size: int) -> bytes:
    """The body of a 409."""
    return f"{size}\n".encode()


def read_size(media_type: str, body: bytes) -> int | None:
    """The size in a 409, below 2^63; None when it holds none."""
    if media_type.partition(";")[0].strip().lower() != SIZE_MEDIA_TYPE or not body.endswith(b"\n"):
        return None
    try:
        return read_decimal(body[:-1].decode("ascii"), "tamaño / size")
    except (MalformedLog, UnicodeDecodeError):
        return None


def shown_at(origin: str) -> str:
    """Where, below its monitoring prefix, a witness shows the checkpoint that it cosigned last for ``origin``."""
    return f"{sha256(origin.encode()).hexdigest()}/checkpoint"


def _malformed(es: str, en: str) -> MalformedLog:
    return MalformedLog(
        f"Esto no es una petición add-checkpoint (c2sp.org/tlog-witness): {es}. Revise el programa que la envía.",
        f"This is not an add-checkpoint request (c2sp.org/tlog-witness): {en}. Check the program that sends it.",
    )
