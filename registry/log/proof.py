"""Offline proofs of inclusion in one file: c2sp.org/tlog-proof@v1. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from registry.errors import MalformedLog
from registry.log.checkpoint import Checkpoint, open_checkpoint
from registry.log.lines import read_base64, read_decimal, read_field, read_hash, write_base64
from registry.log.merkle import verify_inclusion
from registry.log.note import Verifier

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63
"""A tree of fewer than 2^63 leaves is at most this high."""


@dataclass(frozen=True, slots=True)
class Proof:
    """That the entry at ``index`` is in the log whose signed checkpoint is ``note``.

    ``extra`` is not authenticated by anything: never trust it.
    """

    index: int
    hashes: tuple[bytes, ...]
    note: str
    extra: bytes = b""

    def text(self) -> str:
        """The proof as a file (``.tlog-proof``)."""
        lines = [HEADER]
        if self.extra:
            lines.append(f"extra {write_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [write_base64(each) for each in self.hashes]
        return "\n".join(lines) + "\n\n" + self.note

    @classmethod
    def parse(cls, text: str) -> "Proof":
        """Read a proof; MalformedLog when it is none. Nothing is verified yet."""
        # 1. The first empty line ends the proof's own lines: a checkpoint's text has none before its
        # signatures.
        head, empty, note = text.partition("\n\n")
        lines = head.split("\n")
        if not empty or lines.pop(0) != HEADER:
            raise MalformedLog(
                f"La prueba no empieza por «{HEADER}» o le falta el checkpoint. Pídala de nuevo.",
                f"The proof does not start with “{HEADER}” or lacks its checkpoint. Fetch it again.",
            )
        # 2. Perhaps a line of extra data.
        extra = b""
        if lines and lines[0].startswith("extra "):
            extra = read_base64(read_field(lines.pop(0), "extra"), "extra")
        # 3. The index.
        index = read_decimal(read_field(lines.pop(0) if lines else "", "index"), "índice / index")
        # 4. The hashes, leaf's sibling first.
        if len(lines) > MAX_HASHES:
            raise MalformedLog(
                f"La prueba tiene más de {MAX_HASHES} hashes. Pídala de nuevo.",
                f"The proof has more than {MAX_HASHES} hashes. Fetch it again.",
            )
        return cls(index, tuple(read_hash(line, "prueba / proof") for line in lines), note, extra)

    def verify(self, leaf: bytes, origin: str, verifiers: Collection[Verifier]) -> Checkpoint:
        """The checkpoint that this proof binds the leaf hash ``leaf`` to; MalformedLog when it proves
        nothing.

        Step 1 of the specification, hashing the entry, is the caller's. Which cosignatures suffice is the
        caller's policy too.
        """
        # 2. The origin is acceptable and its key signed the checkpoint. 3. Known cosignatures are true.
        checkpoint, _ = open_checkpoint(self.note, origin, verifiers)
        # 4. The inclusion proof binds the leaf hash to the signed root.
        verify_inclusion(leaf, self.index, checkpoint.size, self.hashes, checkpoint.root)
        return checkpoint
