"""docs/streams.md: what it tells readers to run does what it says."""

import json
import re
import runpy
from base64 import b64encode
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.streams.envelope import HIDDEN, Envelope, Shown
from registry.log.canonical import JSON, encode
from registry.log.leaf import entry_leaf, open_leaf
from registry.log.merkle import leaf_hash
from registry.privacy.sealing import commitment

GUIDE = (Path(__file__).parents[3] / "docs" / "streams.md").read_text(encoding="utf-8")
MIRROR = Path(__file__).parents[3] / "docs" / "examples" / "mirror.py"


def check(event: Any) -> None:
    """As the guide says."""
    (block,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(block, namespace)
    namespace["check"](event)


def test_an_event_is_checked_with_nothing_but_a_standard_library() -> None:
    envelope, event_id, key = Envelope("register.example/log"), uuid4(), bytes(range(32))
    value: JSON = {"by": {"institution": None}, "data": {"named": "Peñón «Sur»", "count": 3}, "private": {}}
    sealed = commitment(key, event_id, "content", value)
    opening: JSON = {"content": {"value": value, "key": b64encode(key).decode()}}
    leaf = entry_leaf(event_id, sealed)
    more = b'"openings":' + encode(opening)
    entry = json.loads(envelope.encode(1, event_id, HIDDEN, leaf, leaf_hash(leaf), more=more))
    check(entry)
    leaf = open_leaf(event_id, "site.recoded", date(2026, 11, 22), {"site": str(UUID(int=1)), "clues": "Ñ"})
    shown = Shown("site.recoded", None)
    check(json.loads(envelope.encode(2, event_id, shown, leaf, leaf_hash(leaf))))
    with pytest.raises(AssertionError):
        check({**entry, "leafhash": "0" * 64})
    entry["data"]["openings"]["content"]["value"]["data"]["count"] = 4
    with pytest.raises(AssertionError):
        check(entry)


def test_the_example_of_an_event_has_what_every_event_has() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    leaf = open_leaf(uuid4(), "incident.disclosed", date(2026, 11, 22), {})
    shown = Shown("incident.disclosed", "incident/1")
    written = json.loads(Envelope("register.example/log").encode(41, uuid4(), shown, leaf, leaf_hash(leaf)))
    example = json.loads(block)
    assert list(example) == list(written)
    assert list(example["data"]["leaf"]) == list(written["data"]["leaf"])


def test_the_mirror_goes_on_while_somebody_counts_and_takes_no_line_without_end(tmp_path: Path) -> None:
    mirror = runpy.run_path(str(MIRROR))
    event_id = uuid4()
    leaf = entry_leaf(event_id, commitment(bytes(32), event_id, "content", {}))
    envelope = Envelope("register.example/log")

    def event(position: int) -> Any:
        return json.loads(envelope.encode(position, event_id, HIDDEN, leaf, leaf_hash(leaf)))

    with (
        closing(mirror["open_database"](str(tmp_path / "mirror.db"))) as follower,
        closing(mirror["open_database"](str(tmp_path / "mirror.db"))) as counter,
    ):
        mirror["take"](follower, [event(0), event(1)])
        counting = counter.execute("SELECT leaf FROM events")
        assert counting.fetchone()
        mirror["take"](follower, [event(2)])
        assert mirror["size"](follower) == 3
        assert follower.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL: on disk once it is committed
        with pytest.raises(SystemExit, match="position 3, got 4"):
            mirror["take"](follower, [event(4)])
        assert mirror["size"](follower) == 3

    class Endless:
        def read1(self, size: int) -> bytes:
            return b"x" * size

    with pytest.raises(SystemExit, match="no end"):
        list(mirror["received"](Endless()))
