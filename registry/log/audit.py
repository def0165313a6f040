"""The self-audit before each signature: what will be signed is read back and hashed again.

A flipped bit must never be signed: the signature would make it true. What is covered, between the tree that
was signed last (size p, root known from outside the database) and the one to be signed (size s):

1. Every leaf from the start of p's last bundle to s is read back from ``events``, where readers get it from,
   hashed, and compared with the hash beside it and with the level-0 tile.
2. Every hash above that is new since p equals the root of the full tile below it, read back from
   ``log_tiles``.
3. The root of size p, from the stored tiles, equals the root that was signed.
4. The root of size s is computed from the stored tiles.

That is enough. By 3, and because SHA-256 has no known collisions, the stored hashes that make up the old tree
are the ones signed before; by 1 and 2 the others are those of the leaves that readers will be given; so by 4
the new root commits to the old tree followed by exactly the new leaves.

The new signature does not depend on the other stored bytes, old leaves and the tiles above them, so these are
not all read each time:

- ``since = 0`` audits every leaf and every tile: at each start, and when 3 fails, to name the place.
- :func:`audit_turn` takes a few earlier bundles and the tiles that cover them at each later cadence, in turn. So
  a bit that flips in old data while the program runs is found within one round, at a bounded price; whoever
  fetches it meanwhile finds it too, with ``constancia verify``.
"""

from collections.abc import AsyncIterator

from registry.errors import PublisherRefused
from registry.log import storage
from registry.log.last_signed import TreeHead
from registry.log.merkle import leaf_hash, range_nodes, root, tree_root
from registry.log.storage import Connection
from registry.log.tiles import TILE_HEIGHT, TILE_WIDTH

BUNDLES_AT_ONCE = 8
"""2,048 leaves, some 8 ms of hashing: the longest that an audit keeps its process from answering others."""


async def audit(connection: Connection, last: TreeHead, size: int, *, since: int) -> TreeHead:
    """The tree of ``size``, fit to be signed after ``last``; PublisherRefused, naming the place, when it is
    not.

    ``since`` is ``last.size``, or 0 to audit every leaf.
    """
    # 1. and 2.
    await _audit_bundles(connection, since // TILE_WIDTH, size)
    # 3.
    if await stored_root(connection, last.size) != last.root:
        if since > 0:
            await audit(connection, last, size, since=0)  # names the place if a stored byte is to blame
        raise _other_history(last)
    # 4.
    return TreeHead(size, await stored_root(connection, size))


async def audit_turn(connection: Connection, last: TreeHead, first: int) -> int:
    """Audit the full bundles of ``last`` from index ``first`` on, BUNDLES_AT_ONCE of them, and their tiles.

    Returns where to go on next time: 0 after the last one. A hash of a higher level has its turn with the last
    bundle below it. PublisherRefused as above.
    """
    full = last.size // TILE_WIDTH
    stop = min(first + BUNDLES_AT_ONCE, full)
    await _audit_bundles(connection, first, stop * TILE_WIDTH)
    return stop if stop < full else 0


async def stored_root(connection: Connection, size: int) -> bytes:
    """The root of ``size`` as the stored tiles have it."""
    try:
        return tree_root(size, await storage.read_nodes(connection, range_nodes(0, size)))
    except KeyError:
        raise damaged(size - 1, "log_tiles") from None


async def _audit_bundles(connection: Connection, first: int, size: int) -> None:
    """Audit the bundles from index ``first`` up to ``size`` leaves, and level by level the tiles over them.

    The roots of a level's full tiles are the hashes of the level above.
    """
    full_roots = [tile_root async for tile_root in _audit_leaves(connection, first, size)]
    level = 1
    while full_roots:
        full_roots = await _audit_level(connection, level, first, full_roots)
        first, level = first // TILE_WIDTH, level + 1


async def _audit_leaves(connection: Connection, first: int, size: int) -> AsyncIterator[bytes]:
    """Audit the leaves and level-0 tiles from index ``first`` up to ``size`` leaves; yields the full tiles'
    roots."""
    end = -(-size // TILE_WIDTH)
    for start in range(first, end, BUNDLES_AT_ONCE):
        stop = min(start + BUNDLES_AT_ONCE, end)
        events = await storage.read_events(
            connection, start * TILE_WIDTH, min(stop * TILE_WIDTH, size) - start * TILE_WIDTH
        )
        tiles = await storage.read_tiles(connection, [(0, index) for index in range(start, stop)])
        for index in range(start, stop):
            width = min(TILE_WIDTH, size - index * TILE_WIDTH)
            offset = (index - start) * TILE_WIDTH
            hashes = tiles.get((0, index), [])[:width]
            _audit_tile(index, width, events[offset : offset + width], hashes)
            if width == TILE_WIDTH:
                yield root(hashes)


def _audit_tile(index: int, width: int, events: list[storage.Leaf], hashes: list[bytes]) -> None:
    first = index * TILE_WIDTH
    for position, (event, tile_hash) in enumerate(zip(events, hashes, strict=False), first):
        # The leaf's hash, the one beside it and the one in the tile: the two that agree tell what is damaged.
        if event.position != position or leaf_hash(event.leaf) != event.hash:
            raise damaged(position, "events")
        if tile_hash != event.hash:
            raise damaged(position, "log_tiles")
    if len(events) != width:
        raise damaged(first + len(events), "events")
    if len(hashes) != width:
        raise damaged(first + len(hashes), "log_tiles")


async def _audit_level(connection: Connection, level: int, first: int, expected: list[bytes]) -> list[bytes]:
    """Compare the stored hashes from ``first`` on at ``level`` with ``expected``; the roots of its full
    tiles."""
    start, end = first // TILE_WIDTH, -(-(first + len(expected)) // TILE_WIDTH)
    full_roots = []
    for index in range(start, end):
        tiles = await storage.read_tiles(connection, [(level, index)])
        hashes = tiles.get((level, index), [])
        for at in range(max(first, index * TILE_WIDTH), min(first + len(expected), (index + 1) * TILE_WIDTH)):
            if hashes[at - index * TILE_WIDTH :][:1] != [expected[at - first]]:
                raise damaged(at << TILE_HEIGHT * level, "log_tiles")
        if (index + 1) * TILE_WIDTH <= first + len(expected):
            full_roots.append(root(hashes))
    return full_roots


def damaged(index: int, table: str) -> PublisherRefused:
    """The refusal that names the first leaf whose stored bytes, or the hashes over it, are wrong in
    ``table``."""
    if table == "events":
        es = (
            "Restaure esa fila de una copia o de una réplica; un espejo de la bitácora también tiene su hoja."
        )
        en = "Restore that row from a copy or a replica; a mirror of the log has its leaf too."
    else:
        es = (
            "Los eventos están sanos: vacíe log_tiles y el programa la rehace y la comprueba contra lo último "
            "firmado."
        )
        en = (
            "The events are sound: empty log_tiles, and the program rebuilds it and checks it against what was "
            "signed last."
        )
    return PublisherRefused(
        f"No se firma: los bytes guardados en {table} no corresponden a la hoja {index}. Revise el disco y "
        f"la memoria. {es}",
        f"Nothing is signed: the bytes stored in {table} do not match leaf {index}. Check disk and memory. "
        f"{en}",
    )


def _other_history(last: TreeHead) -> PublisherRefused:
    return PublisherRefused(
        f"No se firma: los primeros {last.size} eventos de esta base de datos no son los que se firmaron. Es "
        "otra base de datos, o sus eventos se cambiaron. Vuelva a conectar la base de datos original o "
        "restaure su copia más reciente.",
        f"Nothing is signed: the first {last.size} events of this database are not the ones that were "
        "signed. It is another database, or its events were changed. Connect the original database again, or "
        "restore its newest copy.",
    )
