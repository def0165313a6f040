"""A small register made by hand: a log with its keys, and a server in memory that serves it. Synthetic throughout."""

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from projections.counting.certificate import certify
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.counting.fold import fold
from projections.counting.query import ask
from projections.verification.verifier import Options
from registry.log.canonical import JSON, encode
from registry.log.checkpoint import Checkpoint
from registry.log.leaf import entry_leaf, open_leaf
from registry.log.lines import write_base64
from registry.log.merkle import leaf_hash, root
from registry.log.note import Signer
from registry.log.tiles import TILE_WIDTH, bundle_path, encode_bundle, tile_path, tiles_of
from registry.privacy.sealing import commitment, new_key
from registry.text import Text

ORIGIN = "example.org/log"
URL = "https://example.org"
KEY = Signer(ORIGIN, bytes(range(32)))
COUNT_KEY = Signer(f"{ORIGIN}/count/v1", bytes(range(1, 33)))
OTHER_KEY = Signer(ORIGIN, bytes(range(2, 34)))
POLICY: JSON = {
    "id": "disclosure-policy/1",
    "tiers": [
        {
            "tier": 1,
            "rules": [{"kinds": None, "outcome": None, "all_in_scope": None, "public_or_agreed": False}],
            "stops": [],
            "rungs": [
                {
                    "facets": [facet],
                    "k": {"default": 1, "already_public": 1},
                    "students": {"default": 0, "already_public": 0},
                    "wait": {
                        "days_after_report": 0,
                        "first_release_of_quarter": False,
                        "after_promotion": False,
                    },
                }
                for facet in ("state", "kind", "sex", "municipality", "month")
            ],
        }
    ],
}
"""Every rung opens at once and alone."""
POLICY_SHA256 = hashlib.sha256(encode(POLICY)).hexdigest()

VALUES: dict[str, Any] = {
    "tally": {
        "strict": {"victims": [1, 1, 2], "deaths": [0, 0, 0]},
        "broad": {"victims": [1, 1, 2], "deaths": [0, 0, 0]},
    },
    "year": "2020",
    "state": "16",
    "kind": "COERCED_CARE",
    "municipality": "16012",
    "month": "2020-04",
    "sex": "NOT_APPLICABLE",
}
FIRST_RUNG = ("tally", "year")

Json = dict[str, Any]
Change = Callable[[Json], None]
"""Spoils a public object before it is logged."""


def unchanged(public: Json) -> None:
    """Spoils nothing."""


class SyntheticLog:
    """Leaves in order, and what is needed to seal and open facets as a release does."""

    def __init__(self) -> None:
        self.leaves: list[bytes] = []
        self.pending = 0
        self.day = date(2026, 11, 22)
        self.policy = POLICY_SHA256
        self.sealed: dict[tuple[str, str], Json] = {}
        """Per incident and facet: value, key, commitment and event id of the seal that holds."""

    def entry(self) -> None:
        event_id = uuid4()
        self.leaves.append(entry_leaf(event_id, commitment(new_key(), event_id, "content", {"n": 1})))

    def open(self, name: str, public: Json, event_id: UUID | None = None) -> None:
        self.leaves.append(open_leaf(event_id or uuid4(), name, self.day, public))

    def adopt(self, policy: JSON = POLICY) -> None:
        self.policy = hashlib.sha256(encode(policy)).hexdigest()
        self.open("definition.adopted", {"id": DEFINITION_ID, "sha256": definition_sha256()})
        self.open("policy.adopted", {"id": "disclosure-policy/1", "sha256": self.policy, "policy": policy})

    def disclose(
        self,
        incident: str,
        opened: Iterable[str] = FIRST_RUNG,
        change: Change = unchanged,
        reseal: bool = False,
        waived: Iterable[str] = (),
        **values: Any,
    ) -> None:
        """The next leaf of an incident."""
        event_id = uuid4()
        now = {**VALUES, **values}
        facets = {
            name: self._facet(event_id, incident, name, now[name], name in opened, reseal) for name in now
        }
        public = {
            "incident": incident,
            "status": "ACTIVE",
            "merged_into": None,
            "certainty": "CONFIRMED",
            "disputed": False,
            "class": "ATTACK",
            "reason": "NEW_EVIDENCE" if reseal else None,
            "waived": sorted(waived),
            "facets": facets,
        }
        change(public)
        self.pending += 1
        self.open("incident.disclosed", public, event_id)

    def _facet(
        self, event_id: UUID, incident: str, name: str, value: Any, opened: bool, reseal: bool
    ) -> Json:
        seal = self.sealed.get((incident, name))
        if opened:
            self.sealed.pop((incident, name), None)
            if seal is None:
                return {"value": value}
            return {"value": value, "key": seal["key"], "sealed_in": seal["event"]}
        if seal is not None and not reseal:
            return {"sealed": seal["commitment"], "sealed_in": seal["event"]}
        key = new_key()
        made = commitment(key, event_id, name, value)
        self.sealed[incident, name] = {"key": write_base64(key), "commitment": made, "event": str(event_id)}
        return {"sealed": made}

    def release(self, change: Change = unchanged) -> None:
        public: Json = {
            "release": str(uuid4()),
            "definition": definition_sha256(),
            "policy": self.policy,
            "disclosed": self.pending,
            "answers": [{"institution": str(uuid4()), "quarter": "2026-Q3", "answer": "ANSWERED"}],
            "tables": [],
        }
        change(public)
        self.pending = 0
        self.open("release.published", public)


def incident(number: int = 1) -> str:
    return str(UUID(int=(0x4000 << 64) + (0x8 << 60) + number, version=4))


def small_log(entries: int = 3) -> SyntheticLog:
    """Two releases: in the second, one incident opens its state and kind and another is added."""
    log = SyntheticLog()
    log.adopt()
    for _ in range(entries):
        log.entry()
    log.disclose(incident(1))
    log.disclose(incident(2), year="2021")
    log.release()
    log.entry()
    log.disclose(incident(1), opened=(*FIRST_RUNG, "state", "kind"))
    log.disclose(incident(3), opened=(*FIRST_RUNG, "state"))
    log.release()
    return log


def signed(leaves: list[bytes], signer: Signer = KEY) -> str:
    return Checkpoint(signer.name, len(leaves), root(map(leaf_hash, leaves))).sign(signer)


def files(leaves: list[bytes], signer: Signer = KEY) -> dict[str, bytes]:
    """Everything below ``/log`` that the verifier may read."""
    result = {
        "checkpoint": signed(leaves, signer).encode(),
        "keys": json.dumps(
            {"log": [KEY.verifier.vkey()], "receipt": [], "count": [COUNT_KEY.verifier.vkey()]}
        ).encode(),
    }
    for start in range(0, len(leaves), TILE_WIDTH):
        part = leaves[start : start + TILE_WIDTH]
        number = start // TILE_WIDTH
        result[bundle_path(number, len(part))] = encode_bundle(part)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    for tile in tiles_of(len(leaves)):
        wide = TILE_WIDTH**tile.level
        first = tile.index * TILE_WIDTH
        result[tile_path(tile.level, tile.index, tile.width)] = b"".join(
            root(hashes[number * wide : (number + 1) * wide]) for number in range(first, first + tile.width)
        )
    return result


def write(directory: Path, content: dict[str, bytes]) -> Path:
    """The files as a static mirror."""
    for path, data in content.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(data)
    return directory


def honest(leaves: list[bytes]) -> Callable[[Json], Json]:
    """The GraphQL of a server that tells what its leaves give: a request's body in, the answer out."""
    tree = root(map(leaf_hash, leaves))
    folded = fold(leaves)

    def answer(request: Json) -> Json:
        variables = request["variables"]
        query = ask(variables["unit"], nexus=variables["nexus"], group_by=variables.get("groupBy", ()))
        counted = folded.count(query)
        note = certify([COUNT_KEY], ORIGIN, query, counted, len(leaves), tree)
        numbers = counted.canonical()
        whole = {
            **{name: numbers[name] for name in ("low", "best", "high", "excluded")},
            "definition": {"id": DEFINITION_ID, "sha256": definition_sha256()},
            "asOf": {"size": len(leaves), "root": write_base64(tree)},
        }
        if "groupBy" not in variables:
            return {"data": {"count": {**whole, "certificate": note}}}
        return {"data": {"counts": {"rows": numbers["rows"], "total": whole, "certificate": note}}}

    return answer


def server(content: dict[str, bytes], answer: Callable[[Json], Json] | None = None) -> httpx.MockTransport:
    """A register at ``URL`` with these files and this GraphQL (none: 404)."""

    def handle(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/graphql" and answer is not None:
            return httpx.Response(200, json=answer(json.loads(request.content)))
        data = content.get(path.removeprefix("/log/"))
        return httpx.Response(404) if data is None else httpx.Response(200, content=data)

    return httpx.MockTransport(handle)


class Told:
    """A report that keeps what it is told."""

    def __init__(self) -> None:
        self.steps: list[Text] = []
        self.remarks: list[Text] = []
        self.done = 0

    def step(self, text: Text) -> None:
        self.steps.append(text)

    def remark(self, text: Text) -> None:
        self.remarks.append(text)

    def progress(self, done: int, total: int) -> None:
        assert done <= total
        self.done = done


GIVEN = Options(vkeys=(KEY.verifier.vkey(), COUNT_KEY.verifier.vkey()))
