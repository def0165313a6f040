"""How the stored tiles and bundles change when leaves are appended. Pure."""

from collections.abc import Mapping, Sequence

from registry.log.merkle import root
from registry.log.tiles import TILE_HEIGHT, TILE_WIDTH, encode_bundle

Hashes = list[bytes]


def grow_tiles(
    size: int, partial: Mapping[int, Sequence[bytes]], leaf_hashes: Sequence[bytes]
) -> dict[tuple[int, int], Hashes]:
    """The tiles, by (level, index), that change when ``leaf_hashes`` join the tree of ``size``.

    ``partial`` holds the hashes of the rightmost tile of each level where it is partial at ``size``. Whenever
    a tile is full, its root becomes the next hash one level above.
    """
    changed: dict[tuple[int, int], Hashes] = {}
    level = 0
    appended = list(leaf_hashes)
    while appended:
        index = (size >> TILE_HEIGHT * level) // TILE_WIDTH
        tile = list(partial.get(level, ()))
        full_roots: Hashes = []
        at = 0
        while at < len(appended):
            taken = appended[at : at + TILE_WIDTH - len(tile)]
            at += len(taken)
            tile = [*tile, *taken]
            changed[level, index] = tile
            if len(tile) == TILE_WIDTH:
                full_roots.append(root(tile))
                index, tile = index + 1, []
        level, appended = level + 1, full_roots
    return changed


def grow_bundles(size: int, partial: bytes, entries: Sequence[bytes]) -> dict[int, tuple[int, bytes]]:
    """The bundles, index to (width, bytes), that change when ``entries`` join the log of ``size``.

    ``partial`` is the rightmost bundle when it is partial at ``size``, otherwise empty.
    """
    changed: dict[int, tuple[int, bytes]] = {}
    index, width = divmod(size, TILE_WIDTH)
    at = 0
    while at < len(entries):
        taken = entries[at : at + TILE_WIDTH - width]
        at += len(taken)
        changed[index] = (width + len(taken), partial + encode_bundle(taken))
        index, width, partial = index + 1, 0, b""
    return changed
