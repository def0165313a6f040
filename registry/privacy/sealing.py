"""Commitments: a value fixed in public without being shown. Pure but for the randomness of ``new_key``.

::

    commitment = base64(HMAC-SHA-256(key, "constancia/commit/v1\\n" || event id || "\\n" || field || "\\n" ||
    value))

with the value as canonical JSON and 32 random bytes as key, one key per commitment (RFC 2104, FIPS 198-1).
Keyed and not merely hashed, because what is sealed can often be enumerated: there are only so many CURPs,
states and dates. The event id and the field keep a commitment from being passed off as another's.
"""

import hmac
import re
import secrets
from uuid import UUID

from registry.errors import MalformedLog
from registry.log.canonical import JSON, encode
from registry.log.lines import write_base64

KEY_SIZE = 32
"""Bytes. HMAC pads shorter keys with zeros and hashes longer ones, so that two keys could open one
commitment."""

_DOMAIN = b"constancia/commit/v1\n"
_FIELD = re.compile(r"[a-z][a-z0-9_.]*")


def new_key() -> bytes:
    """A fresh key. Never use one twice: opening one value would open the other."""
    return secrets.token_bytes(KEY_SIZE)


def commitment(key: bytes, event_id: UUID, field: str, value: JSON) -> str:
    """The commitment to ``value`` as ``field`` of the event, in base64.

    MalformedLog for a key that has not 32 bytes, a field that is no name, or a value outside canonical JSON.
    """
    return commitment_to_bytes(key, event_id, field, encode(value))


def commitment_to_bytes(key: bytes, event_id: UUID, field: str, canonical: bytes) -> str:
    """The same, of a value that is canonical JSON already."""
    if len(key) != KEY_SIZE:
        raise MalformedLog(
            f"La clave de un compromiso tiene 32 bytes, no {len(key)}. Use la clave tal como se entregó.",
            f"The key of a commitment has 32 bytes, not {len(key)}. Use the key as it was handed out.",
        )
    if not _FIELD.fullmatch(field):
        raise MalformedLog(
            "El campo de un compromiso se escribe en minúsculas, cifras, punto y guion bajo.",
            "The field of a commitment is written in lower-case letters, digits, dots and underscores.",
        )
    message = b"%b%b\n%b\n%b" % (_DOMAIN, str(event_id).encode(), field.encode(), canonical)
    return write_base64(hmac.digest(key, message, "sha256"))


def verify_opening(sealed: str, key: bytes, event_id: UUID, field: str, value: JSON) -> None:
    """Check that ``key`` and ``value`` open the commitment ``sealed``; MalformedLog if not. Constant-time."""
    expected = commitment(key, event_id, field, value)
    if not hmac.compare_digest(expected.encode(), sealed.encode()):
        raise MalformedLog(
            f"La apertura de «{field}» en {event_id} no corresponde a su compromiso: el valor, la clave o el "
            "evento es otro. Guarde la hoja y la apertura: juntas lo demuestran.",
            f"The opening of “{field}” in {event_id} does not match its commitment: the value, the key or "
            "the event is another. Keep the leaf and the opening: together they prove it.",
        )
