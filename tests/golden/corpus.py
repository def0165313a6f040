"""Where the golden bytes lie, and the list of their digests (the format of ``sha256sum``)."""

from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec

from registry.domain.event import Aggregate, Event
from registry.domain.mapper import AGGREGATES

EVENTS = Path(__file__).parent / "events"
STATES = Path(__file__).parent / "states"
LIST = EVENTS / "SHA256SUMS"


class Name(NamedTuple):
    """``attack.reported.v1.full``: the name on the wire, the version of the stored form, the case."""

    topic: str
    class_version: int
    case: str

    @classmethod
    def parse(cls, name: str) -> "Name":
        topic, version, case = name.rsplit(".", 2)
        return cls(topic, int(version.removeprefix("v")), case)


def stored() -> dict[str, bytes]:
    """The bytes of every golden event, by name."""
    return {path.stem: path.read_bytes() for path in sorted(EVENTS.glob("*.json"))}


def listed() -> dict[str, str]:
    """The digest (hex) of every golden event, by name, as it was when it was recorded."""
    lines = (line.split("  ") for line in LIST.read_text().splitlines())
    return {file.removesuffix(".json"): digest for digest, file in lines}


def record(name: str, state: bytes) -> None:
    """Adds one. Raises FileExistsError for a name that has its bytes already: those never change."""
    with (EVENTS / f"{name}.json").open("xb") as file:
        file.write(state)
    with LIST.open("a") as file:
        file.write(f"{sha256(state).hexdigest()}  {name}.json\n")


def state_file(aggregate: type[Aggregate]) -> Path:
    """The states to which this version of an aggregate folds the golden events, one line per stream."""
    return STATES / f"{aggregate.NOUN}.v{aggregate.class_version}.ndjson"


def recorded_states(aggregate: type[Aggregate]) -> dict[str, bytes]:
    """The lines of ``state_file``, by id of the stream."""
    path = state_file(aggregate)
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return {msgspec.json.decode(line)["id"]: line for line in lines}


def folded(aggregate: type[Aggregate], events: Iterable[Event]) -> dict[str, bytes]:
    """What every stream of this kind folds to: a line of JSON, by id of the stream."""
    streams: defaultdict[UUID, list[Event]] = defaultdict(list)
    for event in events:
        if AGGREGATES[event.TOPIC] is aggregate:
            streams[event.originator_id].append(event)
    states = {}
    for stream_id, history in sorted(streams.items()):
        state = aggregate(id=stream_id)
        for event in sorted(history, key=lambda event: event.originator_version):
            state.fold(event)
        states[str(stream_id)] = msgspec.json.encode(state, order="sorted") + b"\n"
    return states
