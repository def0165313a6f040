"""Many write while others check every answer of the log; afterwards every receipt leads to its leaf."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from registry.log.checkpoint import Checkpoint, open_checkpoint
from registry.log.merkle import (
    CompactRange,
    Node,
    consistency_proof,
    consistency_ranges,
    leaf_hash,
    range_nodes,
    root,
    verify_consistency,
)
from registry.log.note import Verifier
from registry.log.proof import Proof
from registry.log.receipt import Receipt
from registry.log.tiles import (
    bundle_path,
    decode_bundle,
    span_of,
    split_hashes,
    tile_path,
    tiles_of,
    width_at,
)
from tests.acceptance.conftest import Program, report

SECONDS = 5.0
WRITERS = 8
READERS = 2
"""Of each kind."""

Json = dict[str, Any]


class Reader:
    """Somebody who believes nothing but signatures and hashes."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        keys = self.client.get("/log/keys").json()
        self.keys = [Verifier.parse(vkey) for vkey in keys["log"]]
        self.receipt_key = Verifier.parse(keys["receipt"][0])
        self.origin = self.keys[0].name
        self.checked = 0

    def checkpoint(self) -> Checkpoint:
        return open_checkpoint(self.get("checkpoint").text, self.origin, self.keys)[0]

    def entries(self, index: int, width: int) -> list[bytes]:
        return decode_bundle(self.get(bundle_path(index, width)).content, width)

    def node(self, node: Node, size: int) -> bytes:
        """The hash of a node of the tree of ``size``, from the tile that holds it."""
        span = span_of(node)
        path = tile_path(span.level, span.index, width_at(size, span.level, span.index))
        return root(split_hashes(self.get(path).content)[span.start : span.stop])

    def get(self, path: str) -> httpx.Response:
        answer = self.client.get(f"/log/{path}")
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        self.checked += 1
        return answer


def follow(reader: Reader) -> Callable[[], None]:
    """Each checkpoint extends the one before: by a proof from the tiles, and leaf by leaf."""
    last = Checkpoint(reader.origin, 0, root([]))
    tree = CompactRange()

    def step() -> None:
        nonlocal last
        new = reader.checkpoint()
        assert new.size >= last.size, "the log has shrunk"
        spans = consistency_ranges(last.size, new.size)
        nodes = {node: reader.node(node, new.size) for span in spans for node in range_nodes(*span)}
        proof = consistency_proof(last.size, new.size, nodes.__getitem__)
        verify_consistency(last.size, new.size, last.root, new.root, proof)
        while tree.size < new.size:
            index, known = divmod(tree.size, 256)
            for entry in reader.entries(index, width_at(new.size, 0, index))[known:]:
                tree.append(leaf_hash(entry))
        assert tree.root() == new.root
        last = new

    return step


def prove(reader: Reader) -> Callable[[], None]:
    """A random leaf of a random bundle, against the proof that the server gives."""

    def step() -> None:
        size = reader.checkpoint().size
        index = random.randrange(size)
        width = width_at(size, 0, index // 256)
        leaf = reader.entries(index // 256, width)[index % 256]
        proof = Proof.parse(reader.get(f"proof/{index}").text)
        assert proof.index == index
        assert proof.verify(leaf_hash(leaf), reader.origin, reader.keys).size >= size

    return step


def tile(reader: Reader) -> Callable[[], None]:
    """A random tile, against the leaves or the tiles below it."""

    def step() -> None:
        size = reader.checkpoint().size
        one = random.choice(tiles_of(size))
        served = split_hashes(reader.get(tile_path(one.level, one.index, one.width)).content)
        if one.level == 0:
            assert served == [leaf_hash(entry) for entry in reader.entries(one.index, one.width)]
        else:
            at = random.randrange(one.width)
            below = reader.get(tile_path(one.level - 1, one.index * 256 + at)).content
            assert served[at] == root(split_hashes(below))

    return step


@pytest.fixture
def client(program: Program) -> Iterator[Callable[..., httpx.Client]]:
    """Makes clients that are closed at the end."""
    with ExitStack() as clients:
        yield lambda key=None: clients.enter_context(program.client(key))


def test_readers_find_no_wrong_answer_while_many_write_and_every_receipt_resolves(
    program: Program, client: Callable[..., httpx.Client]
) -> None:
    stopping = threading.Event()
    accepted: list[Json] = []

    def write(writer: httpx.Client) -> None:
        while not stopping.is_set():
            answer = writer.post("/v1/reports", json=random.choice((report, an_attack))())
            assert answer.status_code == 201, answer.text
            accepted.extend(answer.json()["events"])

    def read(step: Callable[[], None]) -> None:
        while not stopping.is_set():
            step()

    keys = [program.new_key(["reports:write"]) for _ in range(2)]
    readers = [Reader(client()) for _ in range(3 * READERS)]
    kinds = (follow, prove, tile)
    with ThreadPoolExecutor(WRITERS + len(readers)) as threads:
        work = [threads.submit(write, client(keys[number % 2])) for number in range(WRITERS)]
        work += [threads.submit(read, kinds[number % 3](reader)) for number, reader in enumerate(readers)]
        stop = time.monotonic() + SECONDS
        while time.monotonic() < stop and not any(each.done() for each in work):
            time.sleep(0.05)
        stopping.set()
        for each in work:
            each.result()
    assert len(accepted) > 50
    assert sum(reader.checked for reader in readers) > 100
    every_receipt_resolves(accepted, readers[0])


def every_receipt_resolves(accepted: list[Json], reader: Reader) -> None:
    """Each names an index of its own, and there, under a later checkpoint, is its leaf."""
    last = max(event["position"] for event in accepted)
    deadline = time.monotonic() + 30
    while (latest := reader.checkpoint()).size <= last:
        assert time.monotonic() < deadline, "the last checkpoint does not cover what was accepted"
        time.sleep(0.1)
    leaves: list[bytes] = []
    while len(leaves) < latest.size:
        index = len(leaves) // 256
        leaves += reader.entries(index, width_at(latest.size, 0, index))
    assert root(map(leaf_hash, leaves)) == latest.root

    assert len({event["position"] for event in accepted}) == len(accepted)
    for event in accepted:
        receipt = Receipt.open(event["receipt"], reader.receipt_key)
        assert (receipt.origin, receipt.index) == (reader.origin, event["position"])
        assert leaves[receipt.index] == event["leaf"].encode()
        assert leaf_hash(leaves[receipt.index]) == receipt.leaf
        assert receipt.received <= receipt.merge_by
    for event in random.sample(accepted, 20):
        proof = Proof.parse(reader.get(f"proof/{event['position']}").text)
        assert proof.verify(leaf_hash(event["leaf"].encode()), reader.origin, reader.keys).size >= latest.size


def an_attack() -> Json:
    return report(**{"class": "ATTACK", "kind": "COERCED_CARE"})
