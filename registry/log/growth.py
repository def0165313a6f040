"""How the stored tiles change when leaves are appended. Pure."""

from collections.abc import Mapping, Sequence

from registry.log.merkle import root
from registry.log.tiles import TILE_HEIGHT, TILE_WIDTH

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
