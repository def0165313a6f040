"""The text of an API key: ``cst_<environment>_<secret><checksum>``.

The secret (43 base-62 digits) is an HMAC of the key's own id under a key derived from the master key, not drawn at
random: so a repeated ``POST /v1/keys`` with the same Idempotency-Key can give the first answer again although only an
HMAC of the text is stored. Who does not have the master key cannot tell it from random.

The checksum (CRC-32 of all before it, 6 base-62 digits) tells a slip of the pen from a key that is not known, and
lets scanners of leaked secrets recognise one. It protects nothing.
"""

import re
import string
import zlib
from typing import Final
from uuid import UUID

from registry.privacy.master import MasterKey

_DIGITS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_DIGITS: Final = 43  # 62**43 > 2**256
_CHECKSUM_DIGITS: Final = 6  # 62**6 > 2**32
_SHAPE: Final = re.compile(rf"cst_[a-z]{{2,10}}_[0-9A-Za-z]{{{_SECRET_DIGITS + _CHECKSUM_DIGITS}}}")


class Tokens:
    """Makes and recognises the keys of one register. ``environment`` is 2 to 10 lower-case letters."""

    def __init__(self, master: MasterKey, environment: str) -> None:
        self._master = master
        self._prefix = f"cst_{environment}_"

    def make(self, key_id: UUID) -> str:
        """The text of the key with this id, always the same."""
        secret = self._master.mac("api-key-secret", key_id.bytes)
        text = self._prefix + _base62(int.from_bytes(secret, "big"), _SECRET_DIGITS)
        return text + _checksum(text)

    def digest(self, token: str) -> bytes:
        """What is stored of a key: 32 bytes."""
        return self._master.mac("api-key", token.encode())

    def body_digest(self, body: bytes) -> bytes:
        """What is kept of the body of a request for a key, to know it again: 32 bytes."""
        return self._master.mac("api-key-request", body)


def is_well_formed(token: str) -> bool:
    """Whether shape and checksum fit, so that a mistyped key is told from an unknown one."""
    return (
        _SHAPE.fullmatch(token) is not None
        and _checksum(token[:-_CHECKSUM_DIGITS]) == token[-_CHECKSUM_DIGITS:]
    )


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CHECKSUM_DIGITS)


def _base62(number: int, width: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits.rjust(width, "0")
