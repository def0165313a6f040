"""Every entry fetched and hashed again, from the first, until the signed root follows from them or does not.

1. Entry bundles are read one by one (c2sp.org/tlog-tiles v1, ``tile/entries/…``), the last one partial.
2. Each entry is hashed as a leaf and added to the tree (RFC 6962 s2.1). Only the edge of the tree is kept in
   memory; the entries wait in a temporary file, because none is interpreted before the root is proved. Where a bundle
   holds entry leaves only, their number waits for them: they say nothing else.
3. The root is compared with the checkpoint's. Equal roots prove every entry at once.
4. On the way, every tile of hashes of every level that this size implies, full or partial, is held against the
   one that the entries give (c2sp.org/tlog-tiles v1, ``tile/<L>/…``). When the roots agree, a tile that differs is
   itself to blame; when they do not, the first leaf that does not hash to what its level-0 tile says is named.

Roots at earlier sizes are noted on the way. They replace consistency proofs: whoever holds all the entries can
compute what any earlier checkpoint must have said.
"""

import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import takewhile
from types import TracebackType
from typing import IO, Self

from projections.verification.errors import DataUnavailable, Missing, VerificationFailed
from projections.verification.report import Report
from projections.verification.sources import BUNDLE_LIMIT, Source
from projections.verification.tiling import ServedTiles, TiledTree, read_tile
from registry.errors import MalformedLog
from registry.log.checkpoint import Checkpoint
from registry.log.entry_bundles import is_entry_bundle
from registry.log.merkle import HASH_SIZE, leaf_hash
from registry.log.tiles import (
    TILE_WIDTH,
    TileAddress,
    bundle_path,
    decode_bundle,
    hash_bundle,
    tile_path,
    truncate_bundle,
)
from registry.text import Text


class Entries(AbstractContextManager["Entries"]):
    """The entries of the log in order, bundle after bundle. Of bundles of entry leaves only their number is kept."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by exit
        self._bundles: list[tuple[int, int]] = []
        """Of each, how many entries it has, and how many bytes in the file: none where all are entry leaves."""
        self.size = 0

    def extend(self, bundle: bytes, width: int) -> None:
        """A bundle of ``width`` more entries (c2sp.org/tlog-tiles), from index ``size`` on."""
        kept = b"" if is_entry_bundle(bundle, width) else bundle
        self._file.write(kept)
        self._bundles.append((width, len(kept)))
        self.size += width

    def bundles(self) -> Iterator[tuple[int, list[bytes] | None]]:
        """How many entries each bundle has, and the entries, or None where all are entry leaves."""
        self._file.seek(0)
        for width, length in self._bundles:
            yield width, decode_bundle(self._file.read(length), width) if length else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


@dataclass(frozen=True)
class Audited:
    """A log whose entries give its signed root. ``roots`` holds the roots at the sizes that were asked for.

    ``tiles`` has been held against the entries; whether it agrees is a step of its own, so that a log cannot hide a
    rewritten past behind a tile that it does not serve.
    """

    checkpoint: Checkpoint
    entries: Entries
    roots: Mapping[int, bytes]
    tiles: ServedTiles


def audit(source: Source, checkpoint: Checkpoint, sizes: Collection[int], report: Report) -> Audited:
    """Reads the whole log. Raises VerificationFailed, naming the place, or DataUnavailable."""
    entries, tiles = Entries(), ServedTiles(source)
    try:
        roots = _read(source, checkpoint, {*sizes, checkpoint.size}, entries, tiles, report)
        if roots[checkpoint.size] != checkpoint.root:
            raise _different(checkpoint.size, tiles)
    except BaseException:
        entries.__exit__(None, None, None)
        raise
    return Audited(checkpoint, entries, roots, tiles)


def _read(
    source: Source,
    checkpoint: Checkpoint,
    sizes: Collection[int],
    entries: Entries,
    tiles: ServedTiles,
    report: Report,
) -> dict[int, bytes]:
    tree = TiledTree(tiles.compare)
    roots = {0: tree.root()} if 0 in sizes else {}
    for number, width in _bundles(checkpoint.size):
        bundle, hashes = read_bundle(source, number, width)
        first = entries.size
        for size in sorted(size for size in sizes if first < size <= first + width):
            tree.extend(hashes[HASH_SIZE * (tree.size - first) : HASH_SIZE * (size - first)])
            roots[size] = tree.root()
        tree.extend(hashes[HASH_SIZE * (tree.size - first) :])
        entries.extend(bundle, width)
        report.progress(entries.size, checkpoint.size)
    tree.finish()
    return roots


def read_bundle(source: Source, number: int, width: int) -> tuple[bytes, bytes]:
    """Entries ``number``·256 onwards, ``width`` of them, from the partial bundle or from the full one: the bundle and
    its leaf hashes.

    A server may drop a partial bundle once the full one exists (tlog-tiles), as it does when the log grows while
    we read it.
    """
    try:
        return _hashed(source, number, width)
    except Missing:
        if width == TILE_WIDTH:
            raise
        full, hashes = _hashed(source, number, TILE_WIDTH)
        return truncate_bundle(full, width), hashes[: HASH_SIZE * width]


def _hashed(source: Source, number: int, width: int) -> tuple[bytes, bytes]:
    path = bundle_path(number, width)
    content = source.read(path, BUNDLE_LIMIT)
    try:
        return content, hash_bundle(content, width)
    except MalformedLog as error:
        where = _broken_at(source, number, width, content)
        raise VerificationFailed(
            f"{path} no son {width} entradas: algo fue cambiado {where.es}. {error.text.es}",
            f"{path} is not {width} entries: something was changed {where.en}. {error.text.en}",
        ) from error


def _broken_at(source: Source, number: int, width: int, content: bytes) -> Text:
    """Where a bundle first departs from its level-0 tile."""
    first = number * TILE_WIDTH
    try:
        tile = read_tile(source, TileAddress(0, number, width))
    except (DataUnavailable, VerificationFailed):
        last = first + width - 1
        return Text(f"entre las hojas {first} y {last}", f"among leaves {first} to {last}")
    readable = _readable(content, width)
    hashes = (tile[at : at + HASH_SIZE] for at in range(0, len(tile), HASH_SIZE))
    agreeing = takewhile(lambda pair: leaf_hash(pair[0]) == pair[1], zip(readable, hashes, strict=False))
    place = first + sum(1 for _ in agreeing)
    return Text(f"en la hoja {place}", f"at leaf {place}")


def _readable(content: bytes, width: int) -> list[bytes]:
    """As many whole entries, up to ``width``, as the bytes begin with."""
    for count in range(width, 0, -1):
        try:
            return decode_bundle(truncate_bundle(content, count), count)
        except MalformedLog:
            continue
    return []


def _bundles(size: int) -> Iterator[tuple[int, int]]:
    """Number and width of each bundle of a log of ``size`` entries."""
    full, rest = divmod(size, TILE_WIDTH)
    yield from ((number, TILE_WIDTH) for number in range(full))
    if rest:
        yield full, rest


def _different(size: int, tiles: ServedTiles) -> VerificationFailed:
    """The failure that names the first entry whose hash is not the one in its level-0 tile."""
    index = tiles.changed_leaf
    if index is None and tiles.unreadable is not None:
        return VerificationFailed(
            f"Las {size} hojas no dan la raíz firmada, y los mosaicos de hashes que dirían cuál cambió no se pueden "
            "leer. Alguna hoja no es la que se firmó.",
            f"The {size} leaves do not give the signed root, and the tiles of hashes that would name the one cannot be "
            "read. Some leaf is not the one that was signed.",
        )
    if index is None:
        return VerificationFailed(
            f"Las {size} hojas concuerdan con los mosaicos que llevan sus hashes, pero no con la raíz firmada: hojas y "
            "mosaicos se cambiaron a la vez, o se firmó otro árbol.",
            f"The {size} leaves agree with the tiles that hold their hashes but not with the signed root: leaves and "
            "tiles were changed together, or another tree was signed.",
        )
    return VerificationFailed(
        f"La hoja {index} fue cambiada: su hash no es el del mosaico {_tile_of(index, size)}, y las hojas "
        "no dan la raíz firmada.",
        f"Leaf {index} was changed: its hash is not the one in tile {_tile_of(index, size)}, and the leaves "
        "do not give the signed root.",
    )


def _tile_of(index: int, size: int) -> str:
    number = index // TILE_WIDTH
    return tile_path(0, number, min(TILE_WIDTH, size - number * TILE_WIDTH))
