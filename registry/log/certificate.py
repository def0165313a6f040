"""Count certificates: a published figure, signed with all that is needed to recount it. Our own format, a
c2sp.org/signed-note@v1.0.0.

::

    <origin>/count/v1
    <definition id> <SHA-256 of the definition, hex>
    <query, canonical JSON>
    <result, canonical JSON>
    <size>
    <root, base64>

The signing key is named like the first line. Its proof is a recipe: audit the log up to that root, fold the
leaves with the published definition, compare. It is delivered with the checkpoint of exactly that size and
root.
"""

import re
from dataclasses import dataclass

from registry.errors import MalformedLog
from registry.log.canonical import JSON, decode, encode
from registry.log.lines import read_decimal, read_hash, write_base64
from registry.log.note import Signer, Verifier, open_note, sign

_DEFINITION = re.compile(r"([a-z0-9][a-z0-9./-]*) ([0-9a-f]{64})")


def count_key_name(origin: str) -> str:
    """The name of the key that signs counts of the log ``origin``."""
    return f"{origin}/count/v1"


@dataclass(frozen=True, slots=True)
class CountCertificate:
    """``result`` answers ``query`` over the first ``size`` leaves (root ``root``) under a definition.

    ``definition`` is an id such as ``national-count/1``, ``sha256`` the hex digest of its published text.
    """

    origin: str
    definition: str
    sha256: str
    query: JSON
    result: JSON
    size: int
    root: bytes

    def text(self) -> str:
        """The text that is signed. ValueError when the definition has no valid name or digest."""
        definition = f"{self.definition} {self.sha256}"
        if not _DEFINITION.fullmatch(definition):
            raise ValueError(f"“{definition}” is not a definition's id with its SHA-256 in hex")
        lines = (
            count_key_name(self.origin),
            definition,
            encode(self.query).decode(),
            encode(self.result).decode(),
            str(self.size),
            write_base64(self.root),
        )
        return "".join(f"{line}\n" for line in lines)

    def sign(self, *signers: Signer) -> str:
        """The certificate as a signed note. ValueError unless each key is the one for counts of this log."""
        for signer in signers:
            if signer.name != count_key_name(self.origin):
                raise ValueError(f"the key {signer.name} does not sign counts of {self.origin}")
        return sign(self.text(), *signers)

    @classmethod
    def open(cls, note: str, *verifiers: Verifier) -> "CountCertificate":
        """The certificate in ``note`` when one of ``verifiers`` signed it; MalformedLog otherwise."""
        opened = open_note(note, verifiers)
        signed_by = {signature.name for signature in opened.verified}
        # 1. Six lines, the first one names the format and the key that signed.
        lines = opened.text.split("\n")
        origin = lines[0].removesuffix("/count/v1")
        if len(lines) != 7 or lines[0] not in signed_by or lines[0] != count_key_name(origin):
            raise MalformedLog(
                "No es un certificado de conteo de esta bitácora, o lo firmó otra clave. Compruebe la clave "
                "en /log/keys.",
                "Not a count certificate of this log, or signed by another key. Check the key in /log/keys.",
            )
        # 2. The definition.
        definition = _DEFINITION.fullmatch(lines[1])
        if not definition:
            raise MalformedLog(
                "La segunda línea no es una definición con su SHA-256. Pida el certificado de nuevo.",
                "The second line is not a definition with its SHA-256. Fetch the certificate again.",
            )
        # 3. Question and answer as canonical JSON, then size and root.
        return cls(
            origin=origin,
            definition=definition[1],
            sha256=definition[2],
            query=decode(lines[2].encode()),
            result=decode(lines[3].encode()),
            size=read_decimal(lines[4], "tamaño / size"),
            root=read_hash(lines[5], "raíz / root"),
        )
