"""The publisher: makes what was accepted public, one signed checkpoint after another.

Seven steps, each a method, in the order that keeps every crash harmless:

1. read the new leaves;
2. extend the tiles, commit;
3. read back and hash again what will be signed (:mod:`registry.log.audit`): after a start the whole log, later
   what is new and, in turn, a little of what is old;
4. make size and root durable outside the database (:mod:`registry.log.last_signed`);
5. sign;
6. collect witnesses' cosignatures up to the policy's quorum (:mod:`registry.log.quorum`);
7. publish the checkpoint, last. Without the quorum, don't: the one before stays.

A crash before 4 leaves tiles that nobody is shown; one after 4 leaves a promise that the next run keeps,
because it signs only what extends it. Ed25519 is deterministic, so a checkpoint signed twice is the same
note but for its witnesses.

One publisher at a time is a comfort: an advisory lock sees to it. Without the lock, two write the same bytes
(a tile is a function of the events, and writes only ever extend), and of two that want to sign from the same
state one wins the compare-and-swap of step 4 while the other starts over.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx

from registry.errors import MalformedLog, PublisherRefused, QuorumMissed
from registry.log import storage
from registry.log.audit import audit, audit_turn, damaged
from registry.log.checkpoint import Checkpoint, open_checkpoint
from registry.log.growth import grow_tiles
from registry.log.keys import LogKeys, Purpose
from registry.log.last_signed import EMPTY_TREE, FILE, LastSigned, TreeHead
from registry.log.merkle import leaf_hash
from registry.log.note import Verifier
from registry.log.policy import Policy
from registry.log.prover import StoredTree
from registry.log.quorum import Witnesses
from registry.log.storage import SQL, Connection, PublishedCheckpoint
from registry.log.tiles import TILE_HEIGHT, TILE_WIDTH, width_at

LEAVES_AT_ONCE = 8 * TILE_WIDTH
"""Leaves per statement of step 2: some 10 ms of hashing, the longest that others in this process wait."""

LONGEST_PAUSE = 30.0
"""Seconds between two looks at the clock: a machine that slept, or an operator who helped, is noticed so
soon."""

QUORUM_PAUSE = 60.0
LONGEST_QUORUM_PAUSE = 3600.0
"""Seconds until witnesses are asked again after too few cosigned, doubled each time: they serve many logs."""

PUBLISHER_LOCK = int.from_bytes(b"publishr", "big")

_PASSING = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)

_logger = logging.getLogger(__name__)


class Publisher:
    """Signs the checkpoints of one log. For readiness and alarms: ``refused`` is why it does not sign, ``missed``
    why it does not publish what it signed; None when it does."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        keys: LogKeys,
        origin: str,
        state_dir: Path,
        policy: Policy | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """``state_dir`` is the data directory, where ``last_signed`` lives; PublisherRefused for keys of
        another log. ``policy`` names the witnesses, ``transport`` replaces the network to them."""
        if keys.origin != origin:
            raise PublisherRefused(
                f"No se firma: las claves son de {keys.origin} y la bitácora se llama {origin}. Ponga "
                f"CONSTANCIA_ORIGIN={keys.origin} o use las claves de {origin}.",
                f"Nothing is signed: the keys are those of {keys.origin} and the log is named {origin}. Set "
                f"CONSTANCIA_ORIGIN={keys.origin} or use the keys of {origin}.",
            )
        self.refused: PublisherRefused | None = None
        self.missed: QuorumMissed | None = None
        self._pool = pool
        self._keys = keys
        self._origin = origin
        self._last_signed = LastSigned(state_dir)
        # A checkpoint that a witness shows may be of the time of a key that is retired by now.
        ours = [*keys.verifiers(Purpose.LOG), *map(Verifier.parse, keys.retired.get(Purpose.LOG, ()))]
        self._witnesses = Witnesses(policy or Policy(), origin, ours, state_dir, transport)
        self._audited_all = False
        self._turn = 0
        self._asked_at_start = False
        self._ask_at = 0.0
        self._quorum_pause = QUORUM_PAUSE

    async def publish_once(self) -> PublishedCheckpoint:
        """Publish a checkpoint over all committed events, also when none is new, and return it.

        A log without events publishes size 0 with the root of the empty tree: c2sp.org/tlog-checkpoint@v1.0.0
        provides for it, and readers can tell an empty log from one that is not there.

        PublisherRefused when anything is in doubt; then nothing was signed, or a witness shows that what was
        signed must not be published. QuorumMissed when it was signed and too few witnesses cosigned.
        """
        async with self._pool.acquire() as connection, self._alone(connection):
            while True:
                last = await self._recall(connection)
                size = await self._extend(connection)
                head = await self._audit(connection, last, size)
                await self._compare_with_witnesses(connection, last)
                if not await self._remember(last, head):
                    continue  # another publisher has signed meanwhile: extend what it signed
                note = await self._witness(connection, head, self._sign(head))
                return await self._publish(connection, head, note)

    async def run(self, every: float, stopping: asyncio.Event) -> None:
        """Publish every ``every`` seconds until ``stopping`` is set, at fixed times of day (UTC midnight for
        a day).

        Fixed, and not so long after the start or after an event, because timing identifies people. A refusal
        is logged and tried again, so that the log heals as soon as the operator has; accepting events goes on
        meanwhile.
        """
        pause = 0.0
        while not await _stopped_within(stopping, min(pause, LONGEST_PAUSE)):
            try:
                pause = await self._publish_if_due(every)
            except PublisherRefused as refused:
                self.refused, pause = refused, every
                _logger.critical("publisher refused: %s", refused)
            except QuorumMissed as missed:
                self.missed, pause = missed, self._ask_later(every)
                _logger.error("%s", missed)  # noqa: TRY400 - the text says it all
            except _PASSING as error:
                pause = every
                _logger.warning("publisher failed (%s), will try again", type(error).__name__)

    async def _publish_if_due(self, every: float) -> float:
        """Publish when the time has come; seconds until the next time."""
        if (early := self._ask_at - asyncio.get_running_loop().time()) > 0:
            return early
        latest = await storage.latest_checkpoint(self._pool)
        if next_due(latest.refreshed_at if latest else None, every) <= datetime.now(UTC):
            latest = await self.publish_once()
            self.refused, self.missed, self._quorum_pause = None, None, QUORUM_PAUSE
        due = next_due(latest.refreshed_at if latest else None, every)
        return max(0.0, (due - datetime.now(UTC)).total_seconds())

    def _ask_later(self, every: float) -> float:
        """Seconds until witnesses are asked again, after they were no quorum."""
        pause = min(every, self._quorum_pause)
        self._ask_at = asyncio.get_running_loop().time() + pause
        self._quorum_pause = min(2 * self._quorum_pause, LONGEST_QUORUM_PAUSE)
        return pause

    @asynccontextmanager
    async def _alone(self, connection: Connection) -> AsyncIterator[None]:
        await connection.execute(SQL["lock"], PUBLISHER_LOCK)
        try:
            yield
        finally:
            if not connection.is_closed():
                await connection.execute(SQL["unlock"], PUBLISHER_LOCK)

    async def _recall(self, connection: Connection) -> TreeHead:
        """What was signed last; PublisherRefused when that is unknown or the database is not its
        continuation."""
        # In this order, each can only be ahead of the one before, also while another publisher is at work.
        published = await storage.latest_checkpoint(connection)
        last = await asyncio.to_thread(self._last_signed.read)
        size = await storage.count_events(connection)
        if last is None:
            if size > 0 or published:
                raise _forgotten()
            await asyncio.to_thread(self._last_signed.create)
            last = EMPTY_TREE
        if published:
            self._check_published(published, last)
        if size < last.size:
            raise PublisherRefused(
                f"No se firma: la base de datos tiene {size} eventos y ya se firmaron {last.size}. Parece "
                "una copia antigua: restaure una más reciente o conecte la base de datos original. Los "
                "eventos que falten se recuperan de los espejos de la bitácora y de los recibos de las "
                "instituciones.",
                f"Nothing is signed: the database has {size} events and {last.size} were signed already. It "
                "looks like an old copy: restore a newer one or connect the original database. Events still "
                "missing can be recovered from mirrors of the log and the institutions' receipts.",
            )
        return last

    def _check_published(self, published: PublishedCheckpoint, last: TreeHead) -> None:
        try:
            checkpoint, _ = open_checkpoint(published.note, self._origin, self._keys.verifiers(Purpose.LOG))
        except MalformedLog as error:
            raise PublisherRefused(
                f"No se firma: el último checkpoint de esta base de datos no es de {self._origin} con la "
                "clave actual. Conecte la base de datos de esta bitácora o restaure sus claves. "
                f"{error.text.es}",
                f"Nothing is signed: the last checkpoint in this database is not by {self._origin} with its "
                f"present key. Connect this log's database or restore its keys. {error.text.en}",
            ) from None
        if checkpoint.size > last.size or (checkpoint.size == last.size and checkpoint.root != last.root):
            raise _forgotten()

    async def _extend(self, connection: Connection) -> int:
        """Steps 1 and 2, in statements of bounded size; the number of leaves now in the stored tree."""
        target = await storage.count_events(connection)
        size = await storage.stored_size(connection)
        while size < target:
            leaves = await storage.read_events(connection, size, min(LEAVES_AT_ONCE, target - size))
            hashes = [leaf_hash(leaf.leaf) for leaf in leaves]
            for position, (leaf, hash_) in enumerate(zip(leaves, hashes, strict=True), size):
                if leaf.position != position or leaf.hash != hash_:
                    raise damaged(position, "events")
            if not leaves:
                raise damaged(size, "events")
            tiles = grow_tiles(size, await _partial_tiles(connection, size), hashes)
            await storage.extend_tiles(connection, tiles)
            size += len(leaves)
        return target

    async def _audit(self, connection: Connection, last: TreeHead, size: int) -> TreeHead:
        """Step 3: everything once after each start, then what is new and the next few of the old bundles."""
        if self._audited_all:
            self._turn = await audit_turn(connection, last, self._turn)
            return await audit(connection, last, size, since=last.size)
        head = await audit(connection, last, size, since=0)
        self._audited_all = True
        return head

    async def _compare_with_witnesses(self, connection: Connection, last: TreeHead) -> None:
        """Once after each start: PublisherRefused when a witness shows that we are not what was signed last."""
        if not self._asked_at_start:
            await self._witnesses.refuse_if_ahead(last, StoredTree(connection))
            self._asked_at_start = True

    async def _remember(self, last: TreeHead, head: TreeHead) -> bool:
        """Step 4: False when another publisher has signed since ``last`` was read."""
        return await asyncio.to_thread(self._last_signed.compare_and_swap, last, head)

    def _sign(self, head: TreeHead) -> str:
        """Step 5."""
        return Checkpoint(self._origin, head.size, head.root).sign(*self._keys.signers(Purpose.LOG))

    async def _witness(self, connection: Connection, head: TreeHead, note: str) -> str:
        """Step 6: the note with its cosignatures."""
        return await self._witnesses.cosign(note, head, StoredTree(connection))

    async def _publish(self, connection: Connection, head: TreeHead, note: str) -> PublishedCheckpoint:
        """Step 7."""
        published = await storage.publish(connection, head.size, head.root, note)
        if published is None:
            raise _forgotten()
        return published


def next_due(refreshed: datetime | None, every: float) -> datetime:
    """When a checkpoint that was last published at ``refreshed`` has to be published again; at once without
    one.

    Times are whole multiples of ``every`` since 1970, so that a missed one is made up for at once.
    """
    if refreshed is None:
        return datetime.fromtimestamp(0, UTC)
    return datetime.fromtimestamp((refreshed.timestamp() // every + 1) * every, UTC)


async def _partial_tiles(connection: Connection, size: int) -> dict[int, list[bytes]]:
    """The hashes of each level's rightmost tile where it is partial at ``size``."""
    keys = []
    level = 0
    while (hashes := size >> TILE_HEIGHT * level) > 0:
        if hashes % TILE_WIDTH:
            keys.append((level, hashes // TILE_WIDTH))
        level += 1
    tiles = await storage.read_tiles(connection, keys)
    partial = {}
    for level, index in keys:
        width = width_at(size, level, index)
        partial[level] = tiles.get((level, index), [])[:width]
        if len(partial[level]) != width:
            raise damaged(size - 1, "log_tiles")
    return partial


async def _stopped_within(stopping: asyncio.Event, seconds: float) -> bool:
    if stopping.is_set():  # wait_for with 0 seconds would not look
        return True
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _forgotten() -> PublisherRefused:
    return PublisherRefused(
        f"No se firma: {FILE} falta o es más antiguo que lo publicado, así que no se sabe qué se firmó por "
        "última vez. Restaure su copia más reciente. Si se perdió, compare el último checkpoint publicado "
        "con el de un testigo o "
        'un espejo y escriba su tamaño y raíz: {"size": n, "root": "base64"}.',
        f"Nothing is signed: {FILE} is missing or older than what was published, so it is unknown what was "
        "signed last. Restore its newest copy. If it is lost, compare the last published checkpoint with a "
        "witness's or a "
        'mirror\'s and write its size and root: {"size": n, "root": "base64"}.',
    )
