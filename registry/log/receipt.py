"""Receipts: the register's signed promise to log what it accepted. Our own format, a
c2sp.org/signed-note@v1.0.0.

::

    <origin>/receipt/v1
    <origin>
    index <n>
    leaf <base64 of the leaf hash>
    received <POSIX seconds>
    merge-by <POSIX seconds>

The signing key is named like the first line. A later checkpoint of this log that is larger than n and has
another leaf at n proves fraud with two documents, and so does one signed after merge-by that is not larger
than n.
"""

from dataclasses import dataclass

from registry.errors import MalformedLog
from registry.log.lines import read_decimal, read_field, read_hash, write_base64
from registry.log.note import Signer, Verifier, open_note, sign


def receipt_key_name(origin: str) -> str:
    """The name of the key that signs receipts of the log ``origin``."""
    return f"{origin}/receipt/v1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The leaf with hash ``leaf`` is at ``index``, received and to be published by the given POSIX
    seconds."""

    origin: str
    index: int
    leaf: bytes
    received: int
    merge_by: int

    def text(self) -> str:
        """The text that is signed."""
        return (
            f"{receipt_key_name(self.origin)}\n{self.origin}\nindex {self.index}\nleaf "
            f"{write_base64(self.leaf)}\nreceived {self.received}\nmerge-by {self.merge_by}\n"
        )

    def sign(self, *signers: Signer) -> str:
        """The receipt as a signed note. ValueError unless each key is the one for receipts of this log."""
        for signer in signers:
            if signer.name != receipt_key_name(self.origin):
                raise ValueError(f"the key {signer.name} does not sign receipts of {self.origin}")
        return sign(self.text(), *signers)

    @classmethod
    def open(cls, note: str, *verifiers: Verifier) -> "Receipt":
        """The receipt in ``note`` when one of ``verifiers`` signed it; MalformedLog otherwise."""
        opened = open_note(note, verifiers)
        signed_by = {signature.name for signature in opened.verified}
        # 1. Six lines, the first one names the format and the key that signed.
        lines = opened.text.split("\n")
        if len(lines) != 7 or lines[0] not in signed_by or lines[0] != receipt_key_name(lines[1]):
            raise MalformedLog(
                "No es un recibo de esta bitácora, o lo firmó una clave que no es la de sus recibos. "
                "Compruebe la clave en /log/keys.",
                "Not a receipt of this log, or signed by a key that is not the one for its receipts. Check "
                "the key in /log/keys.",
            )
        # 2. The values, each in its only spelling.
        return cls(
            origin=lines[1],
            index=read_decimal(read_field(lines[2], "index"), "índice / index"),
            leaf=read_hash(read_field(lines[3], "leaf"), "hoja / leaf"),
            received=read_decimal(read_field(lines[4], "received"), "recibido / received"),
            merge_by=read_decimal(read_field(lines[5], "merge-by"), "merge-by"),
        )
