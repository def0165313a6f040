"""The Merkle tree, held to its recursive definition, to pymerkle and to the vectors of RFC 6962's first
authors."""

from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from registry.errors import MalformedLog
from registry.log.merkle import (
    EMPTY_ROOT,
    CompactRange,
    Node,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    range_nodes,
    root,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

# The entries and roots that the Certificate Transparency reference implementations test themselves with.
ENTRIES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

HASHES = [leaf_hash(number.to_bytes(2, "big")) for number in range(300)]
sizes = st.integers(1, len(HASHES))


def mth(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def path(m: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1, word for word."""
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    if m < k:
        return [*path(m, hashes[:k]), mth(hashes[k:])]
    return [*path(m - k, hashes[k:]), mth(hashes[:k])]


def subproof(m: int, hashes: list[bytes], *, complete: bool) -> list[bytes]:
    """RFC 6962 section 2.1.2, word for word."""
    if m == len(hashes):
        return [] if complete else [mth(hashes)]
    k = split(len(hashes))
    if m <= k:
        return [*subproof(m, hashes[:k], complete=complete), mth(hashes[k:])]
    return [*subproof(m - k, hashes[k:], complete=False), mth(hashes[:k])]


def split(size: int) -> int:
    """The largest power of two smaller than ``size``."""
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def read(node: Node) -> bytes:
    """A reader over the known hashes."""
    width = 1 << node.height
    return mth(HASHES[node.index * width : (node.index + 1) * width])


@st.composite
def inclusions(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(sizes)
    return draw(st.integers(0, size - 1)), size


@st.composite
def extensions(draw: st.DrawFn) -> tuple[int, int]:
    new = draw(sizes)
    return draw(st.integers(1, new)), new


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert EMPTY_ROOT.hex() == ROOTS[0]
    assert root([]) == CompactRange().root() == tree_root(0, read) == EMPTY_ROOT


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_known_roots(size: int) -> None:
    assert root(map(leaf_hash, ENTRIES[:size])).hex() == ROOTS[size]


def test_roots_are_those_of_pymerkle() -> None:
    oracle = InmemoryTree(algorithm="sha256")
    tree = CompactRange()
    for number in range(300):
        oracle.append_entry(number.to_bytes(2, "big"))
        tree.append(leaf_hash(number.to_bytes(2, "big")))
        assert tree.root() == oracle.get_root()


@given(sizes)
def test_a_growing_tree_has_the_root_of_the_definition(size: int) -> None:
    assert root(HASHES[:size]) == tree_root(size, read) == mth(HASHES[:size])


@given(extensions())
def test_a_compact_range_goes_on_where_another_ended(sizes: tuple[int, int]) -> None:
    old, new = sizes
    tree = CompactRange(old, [read(node) for node in range_nodes(0, old)])
    for each in HASHES[old:new]:
        tree.append(each)
    assert (tree.size, tree.root()) == (new, mth(HASHES[:new]))


def test_a_compact_range_needs_one_hash_for_each_bit_of_its_size() -> None:
    with pytest.raises(ValueError, match="2 nodes"):
        CompactRange(5, [HASHES[0]])


@given(inclusions())
def test_an_inclusion_proof_is_that_of_the_definition_and_verifies(place: tuple[int, int]) -> None:
    index, size = place
    proof = inclusion_proof(index, size, read)
    assert proof == path(index, HASHES[:size])
    verify_inclusion(HASHES[index], index, size, proof, mth(HASHES[:size]))


@given(extensions())
def test_a_consistency_proof_is_that_of_the_definition_and_verifies(sizes: tuple[int, int]) -> None:
    old, new = sizes
    proof = consistency_proof(old, new, read)
    assert proof == ([] if old == new else subproof(old, HASHES[:new], complete=True))
    verify_consistency(old, new, mth(HASHES[:old]), mth(HASHES[:new]), proof)


@given(inclusions(), st.data())
def test_an_inclusion_proof_with_one_thing_changed_is_refused(
    place: tuple[int, int], data: st.DataObject
) -> None:
    index, size = place
    leaf, proof, top = HASHES[index], inclusion_proof(index, size, read), mth(HASHES[:size])
    changes = [
        (flip(leaf, 0), index, size, proof, top),
        (leaf, index, size, proof, flip(top, 31)),
        (leaf, index, size, [*proof, top], top),
        (leaf, size, size, proof, top),
        (leaf, -1, size, proof, top),
    ]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        changes += [
            (leaf, index, size, proof[:-1], top),
            (leaf, index, size, [*proof[:at], flip(proof[at], 5), *proof[at + 1 :]], top),
            (leaf, index, size, [*proof[:at], proof[at][:31], *proof[at + 1 :]], top),
            (leaf, index ^ 1, size, proof, top),
        ]
    for change in changes:
        with pytest.raises(MalformedLog):
            verify_inclusion(*change)


@given(extensions(), st.data())
def test_a_consistency_proof_with_one_thing_changed_is_refused(
    sizes: tuple[int, int], data: st.DataObject
) -> None:
    old, new = sizes
    before, after, proof = mth(HASHES[:old]), mth(HASHES[:new]), consistency_proof(old, new, read)
    changes = [
        (old, new, flip(before, 0), after, proof),
        (old, new, before, flip(after, 0), proof),
        (old, new, before, after, [*proof, after]),
        (new + 1, new, before, after, proof),
        (-1, new, before, after, proof),
    ]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        changes += [
            (old, new, before, after, []),
            (old, new, before, after, proof[:-1]),
            (old, new, before, after, [*proof[:at], flip(proof[at], 9), *proof[at + 1 :]]),
            (old, new, before, after, [*proof[:at], proof[at] + b"\0", *proof[at + 1 :]]),
        ]
    for change in changes:
        with pytest.raises(MalformedLog):
            verify_consistency(*change)


def test_every_tree_extends_the_empty_one_and_nothing_else_needs_no_proof() -> None:
    some = mth(HASHES[:3])
    verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    verify_consistency(0, 3, EMPTY_ROOT, some, [])
    verify_consistency(3, 3, some, some, [])
    for old, new, before, after, proof in [
        (0, 0, some, EMPTY_ROOT, []),
        (0, 0, EMPTY_ROOT, some, []),
        (0, 0, some, some, []),
        (0, 3, some, some, []),
        (0, 3, EMPTY_ROOT, some, [some]),
        (3, 3, some, EMPTY_ROOT, []),
        (3, 3, some, some, [some]),
        (2, 3, mth(HASHES[:2]), some, []),
    ]:
        with pytest.raises(MalformedLog):
            verify_consistency(old, new, before, after, proof)


def test_proofs_that_cannot_exist_are_the_programs_mistake() -> None:
    with pytest.raises(ValueError, match="index 3"):
        inclusion_proof(3, 3, read)
    with pytest.raises(ValueError, match="size 4 to size 3"):
        consistency_proof(4, 3, read)


def test_a_leaf_can_never_pass_for_a_node() -> None:
    left, right = HASHES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


def test_verification_knows_every_chain_of_growing_trees() -> None:
    for old, new in pairwise(range(1, 40)):
        proof = consistency_proof(old, new, read)
        verify_consistency(old, new, mth(HASHES[:old]), mth(HASHES[:new]), proof)
