"""Checkpoints: the log's size and root, in three lines. c2sp.org/tlog-checkpoint@v1.0.0. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from registry.errors import MalformedLog
from registry.log.lines import read_decimal, read_hash, write_base64
from registry.log.merkle import EMPTY_ROOT
from registry.log.note import Key, Note, Signer, open_note, sign


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: its first ``size`` entries hash to ``root`` (32 bytes).

    ``extensions`` are opaque further lines; ours have none, because nobody could audit them.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), write_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    def sign(self, *signers: Signer) -> str:
        """The checkpoint as a signed note. ValueError unless each key is named like the origin."""
        for signer in signers:
            if signer.name != self.origin:
                raise ValueError(f"the key {signer.name} does not sign checkpoints of {self.origin}")
        return sign(self.text(), *signers)

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read the text of a checkpoint whose signatures were checked; MalformedLog when it is none."""
        # 1. At least three lines, none of them empty, the last one ended by a newline.
        *lines, rest = text.split("\n")
        if rest or len(lines) < 3 or not all(lines):
            raise MalformedLog(
                "Un checkpoint tiene tres líneas o más, ninguna vacía: origen, tamaño y raíz. Cópielo "
                "completo.",
                "A checkpoint has three lines or more, none empty: origin, size and root. Copy all of it.",
            )
        # 2. The size is decimal without leading zeros. 3. The root is base64 of 32 bytes.
        origin, size, root = (
            lines[0],
            read_decimal(lines[1], "tamaño / size"),
            read_hash(lines[2], "raíz / root"),
        )
        # 4. There is only one empty tree.
        if size == 0 and root != EMPTY_ROOT:
            raise MalformedLog(
                "Un checkpoint de tamaño 0 debe llevar la raíz del árbol vacío. No confíe en quien lo firmó.",
                "A checkpoint of size 0 must carry the root of the empty tree. Do not trust who signed it.",
            )
        return cls(origin, size, root, tuple(lines[3:]))


def open_checkpoint(note: str, origin: str, verifiers: Collection[Key]) -> tuple[Checkpoint, Note]:
    """The checkpoint of ``origin`` in ``note``, and the note with its verified signatures.

    The log itself must have signed: a key named ``origin`` has to be among ``verifiers`` and among the
    signatures (witnesses' keys may be too). MalformedLog otherwise.
    """
    opened = open_note(note, verifiers)
    checkpoint = Checkpoint.parse(opened.text)
    if checkpoint.origin != origin:
        raise MalformedLog(
            f"El checkpoint es de otra bitácora, no de {origin}. Revise la dirección.",
            f"The checkpoint is of another log, not of {origin}. Check the address.",
        )
    if all(signature.name != origin for signature in opened.verified):
        raise MalformedLog(
            f"El checkpoint no lleva la firma de la propia bitácora {origin}. Pídalo de nuevo.",
            f"The checkpoint lacks the signature of the log {origin} itself. Fetch it again.",
        )
    return checkpoint, opened
