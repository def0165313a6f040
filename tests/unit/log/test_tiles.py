"""Paths, widths and bundles of c2sp.org/tlog-tiles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import MalformedLog
from registry.log.growth import grow_tiles
from registry.log.merkle import Node, leaf_hash, root
from registry.log.tiles import (
    MAX_ENTRY_SIZE,
    TILE_WIDTH,
    BundleAddress,
    TileAddress,
    bundle_path,
    decode_bundle,
    encode_bundle,
    parse_path,
    span_of,
    split_hashes,
    tile_path,
    tiles_of,
    truncate_bundle,
    width_at,
)

indexes = st.integers(0, 2**63 - 1)
widths = st.integers(1, TILE_WIDTH)


def test_the_specifications_examples() -> None:
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path(3, 7, 12) == "tile/3/007.p/12"
    assert bundle_path(1000, 1) == "tile/entries/x001/000.p/1"
    assert [tile for tile in tiles_of(70_000) if tile.width < TILE_WIDTH or tile.level > 0] == [
        TileAddress(0, 273, 112),
        TileAddress(1, 0),
        TileAddress(1, 1, 17),
        TileAddress(2, 0, 1),
    ]
    assert [tile.index for tile in tiles_of(70_000) if tile.level == 0 and tile.width == TILE_WIDTH] == [
        *range(273)
    ]
    assert tiles_of(256) == [TileAddress(0, 0), TileAddress(1, 0, 1)]
    assert tiles_of(0) == []


@given(st.integers(0, 63), indexes, widths)
def test_a_tiles_path_names_that_tile(level: int, index: int, width: int) -> None:
    assert parse_path(tile_path(level, index, width)) == TileAddress(level, index, width)


@given(indexes, widths)
def test_a_bundles_path_names_that_bundle(index: int, width: int) -> None:
    assert parse_path(bundle_path(index, width)) == BundleAddress(index, width)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("", id="nothing"),
        pytest.param("/tile/0/000", id="a slash before"),
        pytest.param("tile/0/000/", id="a slash after"),
        pytest.param("tile/0/000\n", id="a newline after"),
        pytest.param("tile/00/000", id="a level with a leading zero"),
        pytest.param("tile/64/000", id="a level above 63"),
        pytest.param("tile/-1/000", id="a negative level"),
        pytest.param("tile/0/0", id="a group of one digit"),
        pytest.param("tile/0/0000", id="a group of four digits"),
        pytest.param("tile/0/001/000", id="a group without its x"),
        pytest.param("tile/0/x001", id="an x on the last group"),
        pytest.param("tile/0/x000/001", id="a group too many"),
        pytest.param("tile/0/٠٠٠", id="digits of another script"),
        pytest.param("tile/0/x009/x223/x372/x036/x854/x775/808", id="an index of 2^63"),
        pytest.param("tile/0/x999/x999/x999/x999/x999/x999/x999/999", id="an index beyond all"),
        pytest.param("tile/0/000.p/0", id="an empty tile"),
        pytest.param("tile/0/000.p/256", id="a full tile as a partial one"),
        pytest.param("tile/0/000.p/01", id="a width with a leading zero"),
        pytest.param("tile/0/000.p/", id="no width"),
        pytest.param("tile/8/0/000", id="the path of another tile server"),
        pytest.param("tile/data/000", id="bundles under their older name"),
        pytest.param("tile/0/../000", id="a way up"),
    ],
)
def test_any_other_spelling_of_a_path_is_refused(path: str) -> None:
    with pytest.raises(MalformedLog):
        parse_path(path)


@given(st.integers(0, 2**40))
def test_widths_agree_with_the_list_of_tiles(size: int) -> None:
    for level in range(6):
        total = size // 256**level
        for index in {0, total // 256, max(0, total // 256 - 1), total // 256 + 1}:
            assert width_at(size, level, index) == len(range(index * 256, min(total, index * 256 + 256)))


@given(st.integers(0, 62), indexes)
def test_a_node_lies_within_one_tile(height: int, index: int) -> None:
    span = span_of(Node(height, index))
    assert 0 <= span.start < span.stop <= TILE_WIDTH
    first_leaf = (span.index * TILE_WIDTH + span.start) << 8 * span.level
    last_leaf = (span.index * TILE_WIDTH + span.stop) << 8 * span.level
    assert (first_leaf, last_leaf) == (index << height, (index + 1) << height)


@given(st.lists(st.binary(max_size=300), max_size=TILE_WIDTH))
def test_a_bundle_gives_its_entries_back_and_a_beginning_of_it_too(entries: list[bytes]) -> None:
    data = encode_bundle(entries)
    assert decode_bundle(data, len(entries)) == entries
    half = len(entries) // 2
    assert truncate_bundle(data, half) == encode_bundle(entries[:half])


def test_an_entry_may_have_65535_bytes_and_no_more() -> None:
    longest = b"x" * MAX_ENTRY_SIZE
    assert decode_bundle(encode_bundle([longest]), 1) == [longest]
    assert encode_bundle([b"ab"]) == b"\x00\x02ab"
    with pytest.raises(ValueError, match="65535"):
        encode_bundle([longest + b"x"])


@pytest.mark.parametrize(
    ("data", "width"),
    [
        pytest.param(b"\x00\x02ab", 2, id="an entry is missing"),
        pytest.param(b"\x00\x02ab\x00", 1, id="a byte is left over"),
        pytest.param(b"\x00\x02ab\x00", 2, id="half a length"),
        pytest.param(b"\x00\x02a", 1, id="half an entry"),
        pytest.param(b"", 1, id="nothing"),
    ],
)
def test_a_bundle_of_another_width_is_refused(data: bytes, width: int) -> None:
    with pytest.raises(MalformedLog):
        decode_bundle(data, width)


@pytest.mark.parametrize("size", [0, 31, 33, 257 * 32])
def test_a_tile_of_broken_hashes_is_refused(size: int) -> None:
    with pytest.raises(MalformedLog):
        split_hashes(b"x" * size)


@given(st.lists(st.integers(1, 700), min_size=1, max_size=5))
def test_tiles_grow_alike_in_any_steps(steps: list[int]) -> None:
    hashes = [leaf_hash(number.to_bytes(3, "big")) for number in range(sum(steps))]
    tiles: dict[tuple[int, int], list[bytes]] = {}
    size = 0
    for step in steps:
        partial = {level: tile for (level, index), tile in tiles.items() if 0 < len(tile) < 256}
        tiles |= grow_tiles(size, partial, hashes[size : size + step])
        size += step
    assert {TileAddress(level, index, len(tile)) for (level, index), tile in tiles.items()} == set(
        tiles_of(size)
    )
    for (level, index), tile in tiles.items():
        for number, each in enumerate(tile, index * 256):
            assert each == root(hashes[number * 256**level : (number + 1) * 256**level])


def test_the_hash_of_a_full_tile_moves_up_every_level() -> None:
    partial = {0: [b"a" * 32] * 255, 1: [b"b" * 32] * 255}
    changed = grow_tiles(256 * 256 - 1, partial, [b"c" * 32])
    assert {key: len(tile) for key, tile in changed.items()} == {(0, 255): 256, (1, 0): 256, (2, 0): 1}
