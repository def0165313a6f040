"""The certificate of a count: question, answer, definition and the exact tree that it was counted from, signed."""

from collections.abc import Sequence

from projections.counting.count import Count
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.counting.query import CountQuery
from registry.log.certificate import CountCertificate
from registry.log.note import Signer


def certify(
    signers: Sequence[Signer], origin: str, query: CountQuery, answer: Count, size: int, root: bytes
) -> str:
    """The signed note. ``size`` and ``root`` are those of the published checkpoint that ``answer`` is as of."""
    certificate = CountCertificate(
        origin=origin,
        definition=DEFINITION_ID,
        sha256=definition_sha256(),
        query=query.canonical(),
        result=answer.canonical(),
        size=size,
        root=root,
    )
    return certificate.sign(*signers)
