"""The tree as its leaves give it, tile by tile, held against the tiles of hashes that the log serves.

c2sp.org/tlog-tiles v1: hash i of tile n at level l is ``MTH(D[(n*256 + i) * 256^l : (n*256 + i + 1) * 256^l])``.
Proofs of inclusion are made from these tiles, so a wrong byte there breaks proofs although every leaf is right.

Only the right edge is kept: per level, one tile's hashes. A full tile is compared and forgotten, its root is the next
hash one level above. Hashes come and go by tiles, as bytes: a call and an object for each would cost more than the
hashing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from projections.verification.errors import DataUnavailable, Missing, VerificationFailed
from projections.verification.sources import TILE_LIMIT, Source
from registry.log.merkle import EMPTY_ROOT, HASH_SIZE, join, perfect_root, range_nodes
from registry.log.tiles import TILE_HEIGHT, TILE_WIDTH, TileAddress, tile_path
from registry.text import Text


@dataclass(slots=True)
class _Edge:
    """The rightmost tile of one level, while it fills."""

    index: int = 0
    data: bytearray = field(default_factory=bytearray)

    def nodes(self) -> list[bytes]:
        """The perfect subtrees that cover its hashes, largest first."""
        covered = range_nodes(0, len(self.data) // HASH_SIZE)
        spans = [(node.index << node.height, (node.index + 1) << node.height) for node in covered]
        return [perfect_root(bytes(self.data[HASH_SIZE * start : HASH_SIZE * stop])) for start, stop in spans]


class TiledTree:
    """A growing tree that hands over each tile as soon as it is full."""

    def __init__(self, finished: Callable[[TileAddress, bytes], None]) -> None:
        """``finished`` gets a tile's address and bytes, those of a level from left to right."""
        self.size = 0
        self._finished = finished
        self._edges: list[_Edge] = []

    def append(self, leaf_hash: bytes) -> None:
        """Add the next leaf hash."""
        self.extend(leaf_hash)

    def extend(self, leaf_hashes: bytes) -> None:
        """Add the next leaf hashes, which stand one after the other."""
        self.size += len(leaf_hashes) // HASH_SIZE
        self._extend(0, leaf_hashes)

    def _extend(self, level: int, data: bytes) -> None:
        while data:
            if level == len(self._edges):
                self._edges.append(_Edge())
            edge = self._edges[level]
            room = TILE_WIDTH * HASH_SIZE - len(edge.data)
            edge.data += data[:room]
            if len(data) < room:
                return
            data = data[room:]
            tile = bytes(edge.data)
            self._finished(TileAddress(level, edge.index), tile)
            self._edges[level] = _Edge(edge.index + 1)
            self._extend(level + 1, perfect_root(tile))

    def root(self) -> bytes:
        """The root over all leaves so far: the edges' nodes, from the highest level down, cover the tree."""
        nodes = [node for edge in reversed(self._edges) for node in edge.nodes()]
        return join(nodes) if nodes else EMPTY_ROOT

    def finish(self) -> None:
        """Hand over the partial tiles; nothing is appended afterwards."""
        for level, edge in enumerate(self._edges):
            if edge.data:
                width = len(edge.data) // HASH_SIZE
                self._finished(TileAddress(level, edge.index, width), bytes(edge.data))


class ServedTiles:
    """What is wrong with the tiles that a source serves, found one tile after another.

    Nothing is raised before the end: only the signed root tells whether a leaf or a tile is to blame.
    """

    def __init__(self, source: Source) -> None:
        self.compared = 0
        self.changed_leaf: int | None = None
        """Index of the first leaf whose hash is not the one in its level-0 tile."""
        self.different: VerificationFailed | None = None
        """The first tile that is not what the leaves give."""
        self.unreadable: DataUnavailable | VerificationFailed | None = None
        """Why no further tile was read: it is missing, or larger than any tile."""
        self._source = source

    def compare(self, tile: TileAddress, expected: bytes) -> None:
        """Hold the served tile against the one that the leaves give."""
        if self.unreadable is not None:
            return
        try:
            served = read_tile(self._source, tile)
        except (DataUnavailable, VerificationFailed) as error:
            self.unreadable = error
            return
        self.compared += 1
        if served == expected:
            return
        at = _first_difference(served, expected)
        if tile.level == 0 and self.changed_leaf is None and at < tile.width:
            self.changed_leaf = tile.index * TILE_WIDTH + at
        self.different = self.different or _wrong(tile, at)

    def require_equal(self) -> None:
        """Raises VerificationFailed, naming tile and hash, or DataUnavailable, unless all tiles are as they must be."""
        if self.different is not None:
            raise self.different
        if self.unreadable is not None:
            raise self.unreadable


def read_tile(source: Source, tile: TileAddress) -> bytes:
    """The tile's bytes as they are served: the partial tile, or the beginning of the full one.

    A server may drop a partial tile once the full one exists (tlog-tiles), as it does when the log grows while we
    read it.
    """
    try:
        return source.read(tile_path(tile.level, tile.index, tile.width), TILE_LIMIT)
    except Missing as missing:
        if tile.width == TILE_WIDTH:
            raise
        try:
            full = source.read(tile_path(tile.level, tile.index), TILE_LIMIT)
        except Missing:
            raise missing from None
        return full[: tile.width * HASH_SIZE]


def _first_difference(served: bytes, expected: bytes) -> int:
    """Number of the first hash that differs; that after the last when bytes are left over."""
    starts = range(0, len(expected), HASH_SIZE)
    differing = (
        start for start in starts if served[start : start + HASH_SIZE] != expected[start : start + HASH_SIZE]
    )
    return next(differing, len(expected)) // HASH_SIZE


def _wrong(tile: TileAddress, at: int) -> VerificationFailed:
    path = tile_path(tile.level, tile.index, tile.width)
    if at == tile.width:
        what = Text(f"tiene bytes de más tras sus {at} hashes", f"has bytes left over after its {at} hashes")
    else:
        first = (tile.index * TILE_WIDTH + at) << TILE_HEIGHT * tile.level
        last = first + (1 << TILE_HEIGHT * tile.level) - 1
        over = Text(f"la hoja {first}", f"leaf {first}")
        if last > first:
            over = Text(f"las hojas {first} a {last}", f"leaves {first} to {last}")
        what = Text(
            f"fue cambiado: su hash {at}, el de {over.es}, no es el que dan las hojas",
            f"was changed: its hash {at}, that of {over.en}, is not what the leaves give",
        )
    return VerificationFailed(
        f"El mosaico {path} {what.es}. Las hojas sí dan la raíz firmada; las pruebas de inclusión, que se hacen de "
        "los mosaicos, serían falsas.",
        f"Tile {path} {what.en}. The leaves do give the signed root; proofs of inclusion, which are made from "
        "tiles, would be false.",
    )
