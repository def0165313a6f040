"""A count certificate against the log: who signed it, what it says, and whether the leaves say the same.

A certificate is not logged, so nothing about it is believed. Its proof is a recipe (log.md, "Receipts and
certificates"): audit the log up to its root, fold the leaves with the published definition, compare.
"""

from collections.abc import Collection

from projections.counting.count import Count
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.counting.query import CountQuery, read
from projections.errors import InvalidQuery
from projections.verification.errors import VerificationFailed
from registry.errors import MalformedLog
from registry.log.canonical import JSON, encode
from registry.log.certificate import CountCertificate
from registry.log.lines import write_base64
from registry.log.note import Verifier, split_note
from registry.text import Text


def open_certificate(note: str, keys: Collection[Verifier]) -> CountCertificate:
    """The certificate that one of ``keys`` signed. Raises VerificationFailed."""
    try:
        signed = {(signature.name, signature.key_id) for signature in split_note(note)[1]}
        key = next((key for key in keys if (key.name, key.key_id) in signed), None)
        if key is None:
            raise VerificationFailed(
                "El certificado no lleva la firma de ninguna clave de conteos de esta bitácora.",
                "The certificate carries no signature by any of this log's keys for counts.",
            )
        return CountCertificate.open(note, *keys)
    except MalformedLog as error:
        raise VerificationFailed(
            f"El certificado no vale. {error.text.es}",
            f"The certificate is not valid. {error.text.en}",
        ) from error


def question(certificate: CountCertificate) -> CountQuery:
    """What the certificate answers. Raises VerificationFailed if it cannot be asked, or not by this definition."""
    if (certificate.definition, certificate.sha256) != (DEFINITION_ID, definition_sha256()):
        raise VerificationFailed(
            f"El certificado cuenta según {certificate.definition} {certificate.sha256}; este programa contiene "
            f"{DEFINITION_ID} {definition_sha256()}. Use la versión del programa que contiene aquella.",
            f"The certificate counts by {certificate.definition} {certificate.sha256}; this program holds "
            f"{DEFINITION_ID} {definition_sha256()}. Use the version of the program that holds the other.",
        )
    try:
        return read(certificate.query)
    except InvalidQuery as error:
        raise VerificationFailed(
            f"La pregunta del certificado no es válida. {error.text.es}",
            f"The certificate's question is not valid. {error.text.en}",
        ) from error


def differences(
    certificate: CountCertificate, origin: str, root: bytes, size: int, query: CountQuery, counted: Count
) -> list[Text]:
    """What the certificate says otherwise than the log of ``size`` and ``root``, recounted. Empty if it agrees."""
    found = []
    if certificate.origin != origin:
        found.append(
            Text(
                f"el certificado es de la bitácora {certificate.origin}",
                f"the certificate is of the log {certificate.origin}",
            )
        )
    if (certificate.size, certificate.root) != (size, root):
        found.append(
            Text(
                f"el certificado se refiere al tamaño {certificate.size} con raíz {write_base64(certificate.root)}; "
                f"las hojas dan, con tamaño {size}, la raíz {write_base64(root)}",
                f"the certificate refers to size {certificate.size} with root {write_base64(certificate.root)}; the "
                f"leaves give, at size {size}, root {write_base64(root)}",
            )
        )
    if encode(certificate.query) != encode(query.canonical()):
        found.append(
            Text("el certificado responde a otra pregunta", "the certificate answers another question"),
        )
    if encode(certificate.result) != encode(counted.canonical()):
        said, actual = _short(certificate.result), _short(counted.canonical())
        found.append(
            Text(
                f"el certificado dice {said}; las hojas dan {actual}",
                f"the certificate says {said}; the leaves give {actual}",
            )
        )
    return found


def _short(value: JSON) -> str:
    """Canonical JSON, cut where a table would flood the message; its rows are compared one by one elsewhere."""
    text = encode(value).decode()
    return text if len(text) <= 200 else text[:200] + "…"
