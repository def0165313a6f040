"""A synthetic mirror of a public log: mostly entries, one leaf in a hundred an incident disclosed. Signed, valid."""

import os
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from hashlib import sha256
from itertools import count, islice
from pathlib import Path
from uuid import UUID, uuid4

from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.verification.tiling import TiledTree
from registry.disclosure.policy import shipped
from registry.log.canonical import JSON, encode
from registry.log.checkpoint import Checkpoint
from registry.log.leaf import entry_leaf, open_leaf
from registry.log.lines import write_base64
from registry.log.note import Signer
from registry.log.tiles import TILE_WIDTH, TileAddress, bundle_path, encode_bundle, hash_bundle, tile_path
from registry.privacy.sealing import commitment, new_key

KEY = Signer("bench.example/log", bytes(range(32)))

IN_A_RELEASE = 500
"""Incidents that each release discloses; the next one opens more of the same."""

CROWD = 3
"""Incidents that the shipped policy asks for before it opens where something happened: fewer would not verify."""

DISCLOSED_OF = 100
"""One leaf in so many discloses an incident, where nothing else is asked for."""

_DAY = date(2026, 11, 22)
_SCOPE: JSON = {"victims": [1, 1, 2], "deaths": [0, 0, 0]}
_VALUES: dict[str, JSON] = {
    "tally": {"strict": _SCOPE, "broad": _SCOPE},
    "year": "2020",
    "state": "16",
    "kind": "COERCED_CARE",
    "municipality": "16012",
    "month": "2020-04",
    "sex": "NOT_APPLICABLE",
}
_OPEN_AT_FIRST = ("tally", "year")
_OPENED_LATER = ("state", "kind")


def write_mirror(directory: Path, size: int, disclosed_of: int = DISCLOSED_OF) -> list[bytes]:
    """Writes a log of ``size`` leaves as files, as any web server could serve them; gives its leaves.

    One leaf in ``disclosed_of`` discloses an incident.
    """
    kept: list[bytes] = []
    tree = TiledTree(lambda tile, data: _write_tile(directory, tile, data))
    leaves = islice(_leaves(size, disclosed_of), size)
    number = 0
    while bundle := list(islice(leaves, TILE_WIDTH)):
        data = encode_bundle(bundle)
        _write(directory / bundle_path(number, len(bundle)), data)
        tree.extend(hash_bundle(data, len(bundle)))
        kept += bundle
        number += 1
    root = tree.root()
    tree.finish()
    _write(directory / "checkpoint", Checkpoint(KEY.name, size, root).sign(KEY).encode())
    return kept


def _leaves(size: int, disclosed_of: int) -> Iterator[bytes]:
    """Without end. Releases are spread evenly."""
    yield open_leaf(uuid4(), "definition.adopted", _DAY, {"id": DEFINITION_ID, "sha256": definition_sha256()})
    policy = shipped()
    digest = sha256(encode(policy)).hexdigest()
    yield open_leaf(
        uuid4(), "policy.adopted", _DAY, {"id": "disclosure-policy/1", "sha256": digest, "policy": policy}
    )
    incidents = min(IN_A_RELEASE, max(size // disclosed_of // 4, CROWD))
    days = (_DAY + timedelta(days=92 * quarter) for quarter in count())
    while True:
        names = sorted(str(uuid4()) for _ in range(incidents))
        seals: dict[tuple[str, str], dict[str, JSON]] = {}
        for first in (True, False):
            yield from _entries(incidents * (disclosed_of - 1))
            day = next(days)  # the policy opens most facets with the first release of a quarter only
            yield from (_disclosure(name, seals, day, first=first) for name in names)
            yield open_leaf(uuid4(), "release.published", day, _release(incidents, digest))


def _entries(count: int) -> Iterable[bytes]:
    return (entry_leaf(uuid4(), write_base64(os.urandom(32))) for _ in range(count))


def _disclosure(
    incident: str, seals: dict[tuple[str, str], dict[str, JSON]], day: date, *, first: bool
) -> bytes:
    event_id = uuid4()
    facets = {
        name: _facet(event_id, incident, name, value, seals, first=first) for name, value in _VALUES.items()
    }
    public: dict[str, JSON] = {
        "incident": incident,
        "status": "ACTIVE",
        "merged_into": None,
        "certainty": "CONFIRMED",
        "disputed": False,
        "class": "ATTACK",
        "reason": None,
        "waived": [],
        "facets": facets,
    }
    return open_leaf(event_id, "incident.disclosed", day, public)


def _facet(
    event_id: UUID,
    incident: str,
    name: str,
    value: JSON,
    seals: dict[tuple[str, str], dict[str, JSON]],
    *,
    first: bool,
) -> JSON:
    if name in _OPEN_AT_FIRST:
        return {"value": value}
    if first:
        key = new_key()
        sealed = commitment(key, event_id, name, value)
        seals[incident, name] = {"key": write_base64(key), "sealed": sealed, "sealed_in": str(event_id)}
        return {"sealed": sealed}
    seal = seals[incident, name]
    if name in _OPENED_LATER:
        return {"value": value, "key": seal["key"], "sealed_in": seal["sealed_in"]}
    return {"sealed": seal["sealed"], "sealed_in": seal["sealed_in"]}


def _release(disclosed: int, policy: str) -> dict[str, JSON]:
    return {
        "release": str(uuid4()),
        "definition": definition_sha256(),
        "policy": policy,
        "disclosed": disclosed,
        "answers": [],
        "tables": [],
    }


def _write_tile(directory: Path, tile: TileAddress, data: bytes) -> None:
    _write(directory / tile_path(tile.level, tile.index, tile.width), data)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
