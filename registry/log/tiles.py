"""The tiled shape of the log: paths, widths and bundles. Pure arithmetic. c2sp.org/tlog-tiles@v0.1.0.

A tile is 256 hashes, eight levels of the tree: hash i of tile n at level l is
``MTH(D[(n*256 + i) * 256^l : (n*256 + i + 1) * 256^l])``. An entry bundle holds the 256 entries under a
level-0 tile, each behind its length. The rightmost of each may be *partial*, of width 1 to 255; empty ones do
not exist.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from registry.errors import MalformedLog
from registry.log.merkle import HASH_SIZE, Node, leaf_hash

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_LEVEL = 63
MAX_ENTRY_SIZE = 0xFFFF
"""Bytes: an entry's length is a uint16."""

_LENGTH_SIZE = 2
_MAX_INDEX = (1 << 63) - 1
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class TileAddress:
    """A tile, ``width`` hashes wide (256 when full)."""

    level: int
    index: int
    width: int = TILE_WIDTH


@dataclass(frozen=True, slots=True)
class BundleAddress:
    """An entry bundle of ``width`` entries (256 when full)."""

    index: int
    width: int = TILE_WIDTH


@dataclass(frozen=True, slots=True)
class TileSpan:
    """Where the hashes lie, in which tile, whose subtree is a node."""

    level: int
    index: int
    start: int
    stop: int


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """``tile/<L>/<N>[.p/<W>]``, relative to the log's prefix."""
    return f"tile/{level}/{_index_path(index)}{_width_suffix(width)}"


def bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """``tile/entries/<N>[.p/<W>]``, relative to the log's prefix."""
    return f"tile/entries/{_index_path(index)}{_width_suffix(width)}"


def parse_path(path: str) -> TileAddress | BundleAddress:
    """What a path names; MalformedLog unless it is the one spelling that the functions above write."""
    match = _PATH.fullmatch(path)
    if match:
        index = int(match["index"].replace("/", "").replace("x", ""))
        width = int(match["width"] or TILE_WIDTH)
        address: TileAddress | BundleAddress
        if match["level"] == "entries":
            address, spelling = BundleAddress(index, width), bundle_path(index, width)
        else:
            level = int(match["level"])
            address, spelling = TileAddress(level, index, width), tile_path(level, index, width)
            spelling = spelling if level <= MAX_LEVEL else ""
        # Comparing refuses superfluous groups (x000/001) and a partial of full width (.p/256).
        if spelling == path and index <= _MAX_INDEX:
            return address
    raise MalformedLog(
        "No es la ruta de un mosaico: tile/<nivel>/<número>[.p/<ancho>] o tile/entries/<número>[.p/<ancho>], "
        "con el número en grupos de tres cifras, como x001/x234/067 (c2sp.org/tlog-tiles).",
        "Not the path of a tile: tile/<level>/<number>[.p/<width>] or tile/entries/<number>[.p/<width>], the "
        "number in groups of three digits such as x001/x234/067 (c2sp.org/tlog-tiles).",
    )


def width_at(size: int, level: int, index: int) -> int:
    """How wide tile ``index`` at ``level`` is in a tree of ``size``: 0 (does not exist) to 256 (full)."""
    return max(0, min(TILE_WIDTH, (size >> TILE_HEIGHT * level) - index * TILE_WIDTH))


def tiles_of(size: int) -> list[TileAddress]:
    """Every tile of a tree of ``size``, level by level, left to right."""
    found = []
    level = 0
    while (hashes := size >> TILE_HEIGHT * level) > 0:
        found += [TileAddress(level, index) for index in range(hashes // TILE_WIDTH)]
        if partial := hashes % TILE_WIDTH:
            found.append(TileAddress(level, hashes // TILE_WIDTH, partial))
        level += 1
    return found


def span_of(node: Node) -> TileSpan:
    """The hashes, in one tile, whose Merkle root is the hash of ``node``."""
    level, above = divmod(node.height, TILE_HEIGHT)
    first = node.index << above
    index, start = divmod(first, TILE_WIDTH)
    return TileSpan(level, index, start, start + (1 << above))


def split_hashes(data: bytes) -> list[bytes]:
    """The hashes of a tile."""
    if not data or len(data) % HASH_SIZE or len(data) > TILE_WIDTH * HASH_SIZE:
        raise MalformedLog(
            f"Un mosaico tiene de 1 a 256 hashes de 32 bytes; este tiene {len(data)} bytes. Pídalo de nuevo.",
            f"A tile is 1 to 256 hashes of 32 bytes; this one has {len(data)} bytes. Fetch it again.",
        )
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """The bundle of these entries: uint16 big-endian length || entry, for each. ValueError above 65,535
    bytes."""
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_SIZE:
            raise ValueError(f"an entry has {len(entry)} bytes; a log entry holds at most {MAX_ENTRY_SIZE}")
        parts += [len(entry).to_bytes(_LENGTH_SIZE, "big"), entry]
    return b"".join(parts)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """The ``width`` entries of a bundle; MalformedLog when it holds fewer, more or half of one."""
    entries, end = _read_entries(data, width)
    if end != len(data):
        raise _wrong_bundle(width)
    return entries


def hash_bundle(data: bytes, width: int) -> bytes:
    """The leaf hashes (RFC 6962 section 2.1) of the ``width`` entries of a bundle, one after the other; MalformedLog as
    ``decode_bundle``.

    For millions: as long as all entries have one length, no entry is copied but the one that is being hashed.
    """
    stride = _stride(data, width)
    if stride is None:
        return b"".join(map(leaf_hash, decode_bundle(data, width)))
    # The low byte of each length gives its place to the 0x00 that comes before a leaf.
    prefixed = bytearray(data)
    prefixed[1::stride] = bytes(width)
    return b"".join([sha256(leaf).digest() for leaf in _slices(1, stride - 1, width).unpack(prefixed)])


def truncate_bundle(data: bytes, width: int) -> bytes:
    """The first ``width`` entries of a bundle, still as a bundle."""
    return data[: _read_entries(data, width)[1]]


def _read_entries(data: bytes, width: int) -> tuple[list[bytes], int]:
    """The first ``width`` entries, and where they end."""
    stride = _stride(data, width)
    if stride is not None:
        return list(_slices(_LENGTH_SIZE, stride - _LENGTH_SIZE, width).unpack(data)), len(data)
    entries = []
    at = 0
    for _ in range(width):
        start = at + _LENGTH_SIZE
        if start > len(data):
            raise _wrong_bundle(width)
        at = start + (data[start - 2] << 8 | data[start - 1])
        entries.append(data[start:at])
    if at > len(data):
        raise _wrong_bundle(width)
    return entries, at


def _stride(data: bytes, width: int) -> int | None:
    """From one entry to the next, in a bundle that holds exactly ``width`` of one length; None for any other.

    Most bundles of ours are such: every entry leaf is as long as the next.
    """
    stride = len(data) // max(width, 1)
    if not data or stride < _LENGTH_SIZE or stride * width != len(data):
        return None
    high, low = (stride - _LENGTH_SIZE).to_bytes(_LENGTH_SIZE, "big")
    if data[0::stride].count(high) != width or data[1::stride].count(low) != width:
        return None
    return stride


@lru_cache(maxsize=8)
def _slices(skipped: int, taken: int, count: int) -> struct.Struct:
    """So many bytes to skip, so many to take, ``count`` times."""
    return struct.Struct(f"{skipped}x{taken}s" * count)


def _index_path(index: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))


def _width_suffix(width: int) -> str:
    return "" if width == TILE_WIDTH else f".p/{width}"


def _wrong_bundle(width: int) -> MalformedLog:
    return MalformedLog(
        f"El paquete de entradas no contiene exactamente {width}: sobran o faltan bytes. Pídalo de nuevo.",
        f"The entry bundle does not hold exactly {width} entries: bytes are missing or left over. Fetch it "
        "again.",
    )
