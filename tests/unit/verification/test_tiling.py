"""The tree that the verifier grows gives, at every size, the root and the tiles of the specification."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.verification.tiling import TiledTree
from registry.log.merkle import root
from registry.log.tiles import TILE_WIDTH, TileAddress, tiles_of

HASHES = [number.to_bytes(32, "big") for number in range(TILE_WIDTH**2 + 2 * TILE_WIDTH + 1)]


def grown(size: int) -> tuple[TiledTree, list[tuple[TileAddress, bytes]]]:
    tiles: list[tuple[TileAddress, bytes]] = []
    tree = TiledTree(lambda tile, data: tiles.append((tile, data)))
    for each in HASHES[:size]:
        tree.append(each)
    return tree, tiles


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 66_049])
def test_root_and_tiles_are_those_of_the_specification(size: int) -> None:
    tree, tiles = grown(size)
    assert (tree.size, tree.root()) == (size, root(HASHES[:size]))
    assert all(tile.width == TILE_WIDTH for tile, _ in tiles)
    tree.finish()
    assert sorted((tile for tile, _ in tiles), key=lambda tile: (tile.level, tile.index)) == tiles_of(size)
    for tile, data in tiles:
        wide = TILE_WIDTH**tile.level
        first = tile.index * TILE_WIDTH
        assert data == b"".join(
            root(HASHES[number * wide : (number + 1) * wide]) for number in range(first, first + tile.width)
        )


@given(st.lists(st.integers(0, 700), max_size=8))
def test_leaves_may_come_in_any_portions(portions: list[int]) -> None:
    tiles: list[tuple[TileAddress, bytes]] = []
    tree = TiledTree(lambda tile, data: tiles.append((tile, data)))
    for portion in portions:
        tree.extend(b"".join(HASHES[tree.size : tree.size + portion]))
    one_by_one, expected = grown(sum(portions))
    assert (tree.size, tree.root(), tiles) == (one_by_one.size, one_by_one.root(), expected)


def test_the_root_is_known_at_every_size_on_the_way() -> None:
    tree = TiledTree(lambda *_: None)
    for size, each in enumerate(HASHES[:600], 1):
        tree.append(each)
        assert tree.root() == root(HASHES[:size])
