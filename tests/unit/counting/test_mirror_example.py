"""The reference mirror counts as the definition says: on the shared vectors, and on any history."""

import hashlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings

from projections.counting.fold import Fold
from projections.counting.query import CountQuery
from registry.domain.codes import KINDS, IncidentClass
from registry.log.canonical import encode
from tests.histories import Public, histories, queries
from tests.unit.counting.test_vectors import CASES


def load() -> ModuleType:
    path = Path(__file__).parents[3] / "docs" / "examples" / "mirror.py"
    spec = importlib.util.spec_from_file_location("mirror_example", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


mirror = load()


def streamed(position: int, leaf: dict[str, Any], source: str = "//log.example/test") -> dict[str, Any]:
    """An event as the stream has it; leaves need not be whole to be counted."""
    return {
        "type": leaf["type"],
        "source": source,
        "position": position,
        "leafhash": hashlib.sha256(b"\0" + encode(leaf)).hexdigest(),
        "data": {"leaf": leaf},
    }


def kept(leaves: list[dict[str, Any]]) -> Any:
    database = mirror.open_database(":memory:")
    mirror.take(database, [streamed(*one) for one in enumerate(leaves)])
    assert mirror.size(database) == len(leaves)
    return database


@pytest.mark.parametrize(("leaves", "question"), CASES)
def test_the_mirror_answers_as_the_vector_says(
    leaves: list[dict[str, Any]], question: dict[str, Any]
) -> None:
    answer = mirror.count(kept(leaves), question["query"], question["as_of"])
    assert answer == question["result"], question["why"]


@settings(max_examples=40)
@given(histories, queries())
def test_the_mirror_answers_as_the_fold_does(history: list[Public], query: CountQuery) -> None:
    fold = Fold()
    fold.add_entry(0)
    for position, public in enumerate(history, 1):
        fold.add_open(position, "incident.disclosed", public)
    disclosed = [{"type": "incident.disclosed", "public": public} for public in history]
    database = kept([{"type": "entry"}, *disclosed])

    assert mirror.count(database, query.canonical(), mirror.size(database)) == fold.count(query).canonical()


def test_the_mirror_knows_the_same_kinds() -> None:
    assert KINDS[IncidentClass.THREAT] == mirror.THREATS
    assert KINDS[IncidentClass.ATTACK] == mirror.ATTACKS


@pytest.mark.parametrize(
    "wrong",
    [
        streamed(2, {"type": "entry"}),
        streamed(0, {"type": "entry"}),
        {**streamed(1, {"type": "entry"}), "leafhash": "00"},
        streamed(1, {"type": "entry"}, "//other.example/log"),
    ],
    ids=["a gap", "a double", "another leaf", "another log"],
)
def test_what_is_not_the_next_event_is_refused_with_all_that_came_with_it(wrong: dict[str, Any]) -> None:
    database = kept([{"type": "entry"}])
    with pytest.raises(SystemExit):
        mirror.take(database, [wrong])
    with pytest.raises(SystemExit):
        mirror.take(database, [streamed(1, {"type": "entry"}), {**wrong, "position": 3}])
    assert mirror.size(database) == 1


def test_events_are_read_wherever_the_network_cuts_the_stream() -> None:
    whole = b"retry: 2000\n\n: ping\n\n" + b"".join(
        b"data: %s\nid: %d\n\n" % (json.dumps({"n": n}).encode(), n + 1) for n in range(3)
    )
    for width in range(1, len(whole) + 1):
        found: list[Any] = []
        with pytest.raises(EOFError):
            collect(_Cut(whole, width), found)
        assert found == [{"n": 0}, {"n": 1}, {"n": 2}]


def collect(response: Any, found: list[Any]) -> None:
    for events in mirror.received(response):
        found += events


class _Cut:
    def __init__(self, data: bytes, width: int) -> None:
        self._data, self._width = data, width

    def read1(self, _: int) -> bytes:
        piece, self._data = self._data[: self._width], self._data[self._width :]
        return piece
