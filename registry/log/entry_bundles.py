"""Bundles of nothing but entry leaves, told by their bytes alone. Pure.

Every entry leaf (``registry.log.leaf``) has one length and one text, but for the digits of a UUIDv4 and of a
commitment. So in a bundle of them, behind one another at equal distances, each column holds one fixed byte or the
digits of one alphabet. Columns are compared 256 leaves at a time: parsing each leaf costs forty times as much, and a
regular expression on each costs as much as hashing it.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final
from uuid import UUID

from registry.log.leaf import entry_leaf
from registry.log.lines import write_base64
from registry.log.tiles import encode_bundle

_ID: Final = "00000000-0000-4000-8000-000000000000"
_COMMITMENT: Final = write_base64(bytes(32))
_SPECIMEN: Final = encode_bundle([entry_leaf(UUID(_ID), _COMMITMENT)])
_STRIDE: Final = len(_SPECIMEN)
_ID_AT: Final = _SPECIMEN.index(_ID.encode())
_COMMITMENT_AT: Final = _SPECIMEN.index(_COMMITMENT.encode())

_HEXADECIMAL: Final = b"0123456789abcdef"
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _columns(starts: Iterable[int]) -> tuple[slice, ...]:
    return tuple(slice(start, None, _STRIDE) for start in starts)


_ALPHABETS: Final[tuple[tuple[bytes, tuple[slice, ...]], ...]] = (
    # Two bits of this digit of a UUID are its variant (RFC 9562 section 4.1).
    (b"89ab", _columns([_ID_AT + 19])),
    (_HEXADECIMAL, _columns(_ID_AT + at for at, digit in enumerate(_ID) if digit == "0")),
    # 32 bytes are 42 digits and two thirds: the last one has two bits to spare, which are zero (RFC 4648 section 3.5).
    (_BASE64[::4], _columns([_COMMITMENT_AT + 42])),
    (_BASE64, _columns(range(_COMMITMENT_AT, _COMMITMENT_AT + 42))),
)
"""Which digits may stand in which columns."""

_VARIABLE: Final = {column.start for _, columns in _ALPHABETS for column in columns}
_FIXED: Final = _columns(start for start in range(_STRIDE) if start not in _VARIABLE)
"""The columns in which all entry leaves are equal, the version of the UUID and both bytes of the length among them."""


def is_entry_bundle(data: bytes, width: int) -> bool:
    """Whether ``data`` is a bundle of exactly ``width`` leaves, each of which ``parse_leaf`` would read as an
    EntryLeaf."""
    if len(data) != width * _STRIDE:
        return False
    return _joined(data, _FIXED) == _fixed(width) and not any(
        _joined(data, columns).translate(None, alphabet) for alphabet, columns in _ALPHABETS
    )


def _joined(data: bytes, columns: Sequence[slice]) -> bytes:
    return b"".join([data[column] for column in columns])


@lru_cache(maxsize=2)
def _fixed(width: int) -> bytes:
    return b"".join([_SPECIMEN[column] * width for column in _FIXED])
