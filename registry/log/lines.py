"""The lexical parts that all text formats of the log share: base64, decimals, hashes. Strict: one spelling
each."""

import base64
import binascii
import re

from registry.errors import MalformedLog

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_INT64_MAX = 2**63 - 1
"""Sizes and indexes fit a signed 64-bit integer, as in Go and PostgreSQL."""


def write_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def read_base64(text: str, what: str) -> bytes:
    """The bytes of standard base64; ``what`` names the part in the error.

    Encoding back and comparing refuses missing padding, the URL alphabet and stray bits after the last byte.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or write_base64(data) != text:
        raise MalformedLog(
            f"{what}: no es base64 estándar con relleno (RFC 4648, sección 4). Copie de nuevo la línea "
            "completa.",
            f"{what}: not standard padded base64 (RFC 4648 section 4). Copy the whole line again.",
        )
    return data


def read_hash(text: str, what: str) -> bytes:
    """A SHA-256 hash, 32 bytes, in base64."""
    data = read_base64(text, what)
    if len(data) != 32:
        raise MalformedLog(
            f"{what}: un hash SHA-256 tiene 32 bytes, no {len(data)}. Copie de nuevo la línea completa.",
            f"{what}: a SHA-256 hash has 32 bytes, not {len(data)}. Copy the whole line again.",
        )
    return data


def read_decimal(text: str, what: str) -> int:
    """A non-negative integer in ASCII decimal without leading zeros, below 2^63."""
    if not _DECIMAL.fullmatch(text) or (value := int(text)) > _INT64_MAX:
        raise MalformedLog(
            f"{what}: se espera un entero decimal sin ceros a la izquierda, menor que 2^63.",
            f"{what}: expected a decimal integer without leading zeros, below 2^63.",
        )
    return value


def read_field(line: str, name: str) -> str:
    """The rest of a line ``<name> <rest>``."""
    label, space, rest = line.partition(" ")
    if label != name or not space or not rest:
        raise MalformedLog(
            f"Se espera una línea «{name} …» y hay otra cosa. Copie de nuevo el documento completo.",
            f"Expected a line “{name} …” and found something else. Copy the whole document again.",
        )
    return rest
