"""A bundle of entry leaves is known by its columns exactly when each of its leaves is one."""

from uuid import UUID, uuid4

import pytest

from registry.log.entry_bundles import is_entry_bundle
from registry.log.leaf import ENTRY_LEAF_SIZE, entry_leaf, is_entry_leaf
from registry.log.lines import write_base64
from registry.log.tiles import encode_bundle

LEAF = entry_leaf(UUID("3f2b1c9e-7a54-4d0e-9c1b-2a6f8e5d4c3b"), write_base64(bytes(range(32))))


@pytest.mark.parametrize("width", [1, 2, 255, 256])
def test_bundles_of_entry_leaves_are_known(width: int) -> None:
    bundle = encode_bundle([entry_leaf(uuid4(), write_base64(bytes([at] * 32))) for at in range(width)])
    assert is_entry_bundle(bundle, width)
    assert not is_entry_bundle(bundle, width + 1)
    assert not is_entry_bundle(bundle[:-1], width)
    assert not is_entry_bundle(bundle + b"\0", width)


def test_every_other_byte_at_every_place_is_judged_as_in_the_leaf_itself() -> None:
    agreed = 0
    for at in range(ENTRY_LEAF_SIZE):
        for byte in range(256):
            leaf = LEAF[:at] + bytes([byte]) + LEAF[at + 1 :]
            assert is_entry_bundle(encode_bundle([LEAF, leaf]), 2) == is_entry_leaf(leaf)
            agreed += is_entry_leaf(leaf)
    assert agreed > 30 * 16 + 42 * 64


@pytest.mark.parametrize("at", [0, 1, ENTRY_LEAF_SIZE + 2, ENTRY_LEAF_SIZE + 3])
def test_another_length_is_noticed_though_the_whole_is_as_long(at: int) -> None:
    bundle = bytearray(encode_bundle([LEAF, LEAF]))
    bundle[at] ^= 1
    assert not is_entry_bundle(bytes(bundle), 2)
