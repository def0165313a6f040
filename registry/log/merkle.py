"""The Merkle tree of the log: RFC 6962 section 2.1, restated in RFC 9162 section 2.1. Pure.

``MTH(D[a:b])`` is the hash of the subtree over the entries a to b-1. A subtree that is *perfect*, over the
2^height entries from ``index * 2^height``, is a :class:`Node`; every other subtree is a handful of nodes
hashed together from right to left. So whoever can read nodes (from tiles, from memory) can compute every root
and every proof.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from registry.errors import MalformedLog

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class Node:
    """``MTH(D[index * 2^height : (index + 1) * 2^height])``; height 0 are the leaf hashes."""

    height: int
    index: int


ReadNode = Callable[[Node], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962 section 2.1: SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 section 2.1: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: bytes) -> bytes:
    """``MTH`` of a power of two of leaf hashes that stand one after the other, level by level."""
    while len(hashes) > HASH_SIZE:
        pairs = _pairs(len(hashes) // (2 * HASH_SIZE)).unpack(hashes)
        hashes = b"".join([sha256(b"\x01" + pair).digest() for pair in pairs])
    return hashes


@lru_cache(maxsize=8)
def _pairs(count: int) -> struct.Struct:
    """Slices of two hashes each. Kept for the eight levels of a tile."""
    return struct.Struct(f"{2 * HASH_SIZE}s" * count)


def root(hashes: Iterable[bytes]) -> bytes:
    """``MTH`` of the leaves with these leaf hashes."""
    tree = CompactRange()
    for each in hashes:
        tree.append(each)
    return tree.root()


class CompactRange:
    """The right edge of a growing tree: appends in O(1) amortised, holds O(log n) hashes.

    ``nodes`` are the hashes of the perfect subtrees that cover the tree, largest (leftmost) first: one for
    each bit that is set in ``size``.
    """

    __slots__ = ("nodes", "size")

    def __init__(self, size: int = 0, nodes: Sequence[bytes] = ()) -> None:
        """Resume at ``size`` with the hashes of ``range_nodes(0, size)``."""
        if len(nodes) != size.bit_count():
            raise ValueError(
                f"a compact range over {size} leaves has {size.bit_count()} nodes, not {len(nodes)}"
            )
        self.size = size
        self.nodes = list(nodes)

    def append(self, hash_: bytes) -> None:
        """Add the next leaf hash. Each trailing 1 bit of the old size is a subtree that is now complete."""
        size, nodes = self.size, self.nodes
        while size & 1:
            hash_ = node_hash(nodes.pop(), hash_)
            size >>= 1
        nodes.append(hash_)
        self.size += 1

    def root(self) -> bytes:
        """The root hash; ``EMPTY_ROOT`` for no leaves."""
        return join(self.nodes) if self.nodes else EMPTY_ROOT


def join(hashes: Sequence[bytes]) -> bytes:
    """The hash over neighbouring perfect subtrees of falling size, which nest to the right."""
    *lefts, result = hashes
    for left in reversed(lefts):
        result = node_hash(left, result)
    return result


def range_nodes(start: int, end: int) -> list[Node]:
    """The perfect subtrees that make up ``D[start:end]``, left to right.

    The range must be one that RFC 6962 forms: start is a multiple of the smallest power of two >= end -
    start.
    """
    nodes = []
    while start < end:
        height = (end - start).bit_length() - 1
        nodes.append(Node(height, start >> height))
        start += 1 << height
    return nodes


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges [start, end) whose hashes are ``PATH(index, D[0:size])``, leaf's sibling first.

    RFC 6962 section 2.1.1. ValueError unless 0 <= index < size: asking is the program's mistake.
    """
    if not 0 <= index < size:
        raise ValueError(f"index {index} is not in a tree of size {size}")
    ranges = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """The ranges whose hashes are ``PROOF(old, D[0:new])``.

    RFC 6962 section 2.1.2; RFC 9162 section 2.1.4 leaves 0 undefined, where c2sp.org/tlog-witness asks for an
    empty proof. ValueError unless 0 <= old <= new.
    """
    if not 0 <= old <= new:
        raise ValueError(f"no consistency proof leads from size {old} to size {new}")
    if old in (0, new):
        return []
    ranges = []
    start, end = 0, new
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start > 0:  # SUBPROOF's flag b: the old root itself is known to the verifier and left out
        ranges.append((start, end))
    return ranges[::-1]


def inclusion_proof(index: int, size: int, read: ReadNode) -> list[bytes]:
    """The inclusion proof of the leaf at ``index`` in the tree of ``size``; ``read`` gives the hash of a
    node."""
    return [_range_hash(start, end, read) for start, end in inclusion_ranges(index, size)]


def consistency_proof(old: int, new: int, read: ReadNode) -> list[bytes]:
    """The proof that the tree of size ``new`` extends the one of size ``old``."""
    return [_range_hash(start, end, read) for start, end in consistency_ranges(old, new)]


def tree_root(size: int, read: ReadNode) -> bytes:
    """The root of the tree of ``size``."""
    return _range_hash(0, size, read) if size else EMPTY_ROOT


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the entry with leaf hash ``leaf`` is at ``index`` in the tree (size, root); MalformedLog if
    not.

    RFC 9162 section 2.1.3.2, step by step.
    """
    _require_hashes(leaf, root, *proof)
    # 1. Compare leaf_index against tree_size. If it is greater than or equal, fail.
    if not 0 <= index < size:
        raise MalformedLog(
            f"El índice {index} no existe en un árbol de tamaño {size}. Pida la prueba contra un checkpoint "
            "posterior.",
            f"Index {index} is not in a tree of size {size}. Ask for the proof against a later checkpoint.",
        )
    # 2. Set fn to leaf_index and sn to tree_size - 1.
    fn, sn = index, size - 1
    # 3. Set r to hash.
    r = leaf
    # 4. For each value p in the inclusion_path:
    for p in proof:
        # a. If sn is 0, stop and fail: the path is too long.
        if sn == 0:
            raise _false_proof("inclusión", "inclusion")
        # b. If LSB(fn) is set, or fn equals sn: p is on the left.
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            # If LSB(fn) is not set, shift both right until it is, or fn is 0.
            while not fn & 1 and fn != 0:
                fn >>= 1
                sn >>= 1
        # Otherwise p is on the right.
        else:
            r = node_hash(r, p)
        # c. Shift fn and sn right once more.
        fn >>= 1
        sn >>= 1
    # 5. Compare sn to 0 (a shorter path would prove another tree) and r to the root hash.
    if sn != 0 or r != root:
        raise _false_proof("inclusión", "inclusion")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree (new, new_root) extends the tree (old, old_root); MalformedLog if not.

    RFC 9162 section 2.1.4.2, step by step, plus the two trees that need no proof: an empty one and the same
    one.
    """
    _require_hashes(old_root, new_root, *proof)
    if not 0 <= old <= new:
        raise MalformedLog(
            f"Un árbol de tamaño {new} no puede continuar uno de tamaño {old}: la bitácora nunca se acorta. "
            "Guarde ambas notas y publíquelas.",
            f"A tree of size {new} cannot extend one of size {old}: the log never shrinks. Keep both notes "
            "and publish them.",
        )
    if old in (0, new):
        # Nothing to prove: every tree extends the (one) empty tree, and one size has one root.
        expected = EMPTY_ROOT if old == 0 else new_root
        if proof or old_root != expected or (new == 0 and new_root != EMPTY_ROOT):
            raise _false_proof("consistencia", "consistency")
        return
    # 1. If consistency_path is an empty array, stop and fail.
    if not proof:
        raise _false_proof("consistencia", "consistency")
    # 2. If first is an exact power of 2, prepend first_hash to the path.
    path = [old_root, *proof] if old.bit_count() == 1 else list(proof)
    # 3. Set fn to first - 1 and sn to second - 1.
    fn, sn = old - 1, new - 1
    # 4. If LSB(fn) is set, shift both right until it is not.
    while fn & 1:
        fn >>= 1
        sn >>= 1
    # 5. Set fr and sr to the first value in the path.
    fr = sr = path[0]
    # 6. For each subsequent value c in the path:
    for c in path[1:]:
        # a. If sn is 0, stop and fail: the path is too long.
        if sn == 0:
            raise _false_proof("consistencia", "consistency")
        # b. If LSB(fn) is set, or fn equals sn: c is on the left, in both trees.
        if fn & 1 or fn == sn:
            fr = node_hash(c, fr)
            sr = node_hash(c, sr)
            # If LSB(fn) is not set, shift both right until it is, or fn is 0.
            while not fn & 1 and fn != 0:
                fn >>= 1
                sn >>= 1
        # Otherwise c is on the right, in the new tree only.
        else:
            sr = node_hash(sr, c)
        # c. Shift fn and sn right once more.
        fn >>= 1
        sn >>= 1
    # 7. fr is first_hash, sr is second_hash, and sn is 0.
    if fr != old_root or sr != new_root or sn != 0:
        raise _false_proof("consistencia", "consistency")


def _range_hash(start: int, end: int, read: ReadNode) -> bytes:
    return join([read(node) for node in range_nodes(start, end)])


def _split(size: int) -> int:
    """k of RFC 6962 section 2.1: the largest power of two smaller than ``size``."""
    return 1 << (size - 1).bit_length() - 1


def _require_hashes(*hashes: bytes) -> None:
    for each in hashes:
        if len(each) != HASH_SIZE:
            raise MalformedLog(
                f"Un hash de la prueba tiene {len(each)} bytes en vez de 32. Pida la prueba de nuevo.",
                f"A hash of the proof has {len(each)} bytes instead of 32. Ask for the proof again.",
            )


def _false_proof(es: str, en: str) -> MalformedLog:
    return MalformedLog(
        f"La prueba de {es} no lleva a la raíz firmada. Pídala de nuevo; si vuelve a fallar, guarde la "
        "prueba y la nota: juntas muestran que la bitácora fue alterada.",
        f"The {en} proof does not lead to the signed root. Ask for it again; if it fails again, keep the "
        "proof and the note: together they show that the log was altered.",
    )
