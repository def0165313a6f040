"""The two shapes of a leaf."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid1, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import MalformedLog
from registry.log.canonical import encode
from registry.log.leaf import ENTRY_LEAF_SIZE, EntryLeaf, OpenLeaf, entry_leaf, open_leaf, parse_leaf
from registry.privacy.sealing import commitment, new_key

ID = UUID("3f2b1c9e-7a54-4d0e-9c1b-2a6f8e5d4c3b")
SEAL = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_an_entry_leaf_byte_for_byte() -> None:
    expected = f'{{"id":"{ID}","sealed":{{"content":"{SEAL}"}},"type":"entry","v":1}}'
    assert entry_leaf(ID, SEAL) == expected.encode()
    assert parse_leaf(expected.encode()) == EntryLeaf(ID, SEAL)


def test_an_open_leaf_byte_for_byte() -> None:
    public = {"state": "16", "name": "Universidad de Ejemplo, Área 1"}
    expected = (
        f'{{"id":"{ID}","public":{{"name":"Universidad de Ejemplo, Área 1","state":"16"}},'
        '"recorded":"2026-11-22","type":"institution.registered","v":1}'
    )
    assert open_leaf(ID, "institution.registered", date(2026, 11, 22), public) == expected.encode()
    assert parse_leaf(expected.encode()) == OpenLeaf(ID, "institution.registered", date(2026, 11, 22), public)


@given(st.uuids(version=4), st.dictionaries(st.sampled_from("abc"), st.text(max_size=500)))
def test_every_entry_leaf_has_the_same_length(event_id: UUID, content: dict[str, str]) -> None:
    seal = commitment(new_key(), event_id, "content", json.dumps(content))
    assert len(entry_leaf(event_id, seal)) == ENTRY_LEAF_SIZE


def leaf(**changes: Any) -> bytes:
    whole: dict[str, Any] = {
        "id": str(ID),
        "public": {},
        "recorded": "2026-11-22",
        "type": "site.registered",
        "v": 1,
    } | changes
    return encode({key: value for key, value in whole.items() if value is not ...})


def entry(**changes: Any) -> bytes:
    whole: dict[str, Any] = {"id": str(ID), "sealed": {"content": SEAL}, "type": "entry", "v": 1} | changes
    return encode({key: value for key, value in whole.items() if value is not ...})


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="a list"),
        pytest.param(leaf() + b"\n", id="a newline after"),
        pytest.param(leaf(v=2), id="another version"),
        pytest.param(leaf(v=True), id="a version that only equals 1"),
        pytest.param(leaf(v=...), id="no version"),
        pytest.param(leaf(id=...), id="no id"),
        pytest.param(leaf(id=str(ID).upper()), id="an id in capitals"),
        pytest.param(leaf(id=ID.hex), id="an id without hyphens"),
        pytest.param(leaf(id=str(uuid1())), id="an id that tells the time"),
        pytest.param(leaf(id=7), id="an id that is a number"),
        pytest.param(leaf(type="Site.Registered"), id="a type in capitals"),
        pytest.param(leaf(type="registered"), id="a type of one word"),
        pytest.param(leaf(type=["site.registered"]), id="a type that is a list"),
        pytest.param(leaf(recorded="20261122"), id="a date without hyphens"),
        pytest.param(leaf(recorded="2026-11-22T10:00:00"), id="a date with a time"),
        pytest.param(leaf(recorded="2026-02-30"), id="a day that never was"),
        pytest.param(leaf(recorded=None), id="no date"),
        pytest.param(leaf(public=[]), id="public that is a list"),
        pytest.param(leaf(sealed={}), id="an open leaf with a seal"),
        pytest.param(leaf(stream=str(ID)), id="an open leaf with a stream"),
        pytest.param(entry(recorded="2026-11-22"), id="an entry with a date"),
        pytest.param(entry(sealed=...), id="an entry without a seal"),
        pytest.param(entry(sealed={"content": SEAL, "more": SEAL}), id="an entry with two seals"),
        pytest.param(entry(sealed={"content": SEAL[:-1]}), id="a seal without padding"),
        pytest.param(entry(sealed={"content": "AAAA"}), id="a short seal"),
        pytest.param(entry(sealed={"content": None}), id="a seal of nothing"),
    ],
)
def test_malformed_leaves_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedLog) as refused:
        parse_leaf(data)
    assert refused.value.text.es
    assert refused.value.text.en


def test_a_leaf_that_could_not_be_read_back_is_not_written() -> None:
    day = date(2026, 11, 22)
    with pytest.raises(MalformedLog):
        entry_leaf(uuid1(), SEAL)
    with pytest.raises(MalformedLog):
        entry_leaf(ID, "AAAA")
    with pytest.raises(MalformedLog):
        open_leaf(uuid4(), "entry", day, {})
    with pytest.raises(MalformedLog):
        open_leaf(uuid4(), "policy.adopted", day, {"share": 0.5})  # type: ignore[dict-item]
    with pytest.raises(MalformedLog, match="limit"):
        open_leaf(uuid4(), "policy.adopted", day, {"text": "x" * 65_536})
    with pytest.raises(TypeError):
        open_leaf(uuid4(), "policy.adopted", datetime(2026, 11, 22, 10, tzinfo=UTC), {})
