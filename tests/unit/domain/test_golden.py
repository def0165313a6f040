"""Every stored version of every event ever released still reads as what it said, and the bytes prove it."""

import types
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from registry.domain.event import Aggregate, Event
from registry.domain.mapper import EVENTS, STREAMS, decode_event, encode_event
from tests.golden.corpus import Name, folded, listed, record, recorded_states, stored
from tests.golden.values import GOLDEN

BYTES = stored()
CURRENT = [
    name for name in BYTES if Name.parse(name).class_version == EVENTS[Name.parse(name).topic].class_version
]
"""Older versions are read for ever, but written no more."""


@pytest.mark.parametrize("name", BYTES)
def test_golden_bytes_read_as_what_they_said(name: str) -> None:
    assert decode_event(Name.parse(name).topic, BYTES[name]) == GOLDEN[name]


@pytest.mark.parametrize("name", CURRENT)
def test_golden_bytes_are_written_the_same_again(name: str) -> None:
    assert encode_event(GOLDEN[name]) == BYTES[name]


def test_no_golden_byte_was_changed_removed_or_left_unlisted() -> None:
    assert {name: sha256(state).hexdigest() for name, state in BYTES.items()} == listed()
    assert BYTES.keys() == GOLDEN.keys()


def test_every_version_of_every_event_has_golden_bytes() -> None:
    released = {
        (topic, version) for topic, event in EVENTS.items() for version in range(1, event.class_version + 1)
    }
    assert released == {Name.parse(name)[:2] for name in BYTES}, "python -m tests.golden.record"


def test_recorded_bytes_cannot_be_recorded_again() -> None:
    name = next(iter(BYTES))
    with pytest.raises(FileExistsError):
        record(name, b"{}")


def test_every_optional_field_is_golden_both_present_and_absent() -> None:
    seen: dict[tuple[str, str], set[bool]] = {}
    for event in GOLDEN.values():
        for owner, field, value in _optional_fields(event):
            seen.setdefault((owner, field), set()).add(value is not None)
    assert {field for field, ways in seen.items() if len(ways) < 2} == set()
    assert ("By", "key") in seen
    assert ("LinkedReport", "where") in seen


@pytest.mark.parametrize("aggregate", STREAMS)
def test_a_fold_changes_only_under_a_new_class_version(aggregate: type[Aggregate]) -> None:
    """Otherwise snapshots of the old fold would be taken for states of the new one."""
    advice = f"raise {aggregate.__name__}.class_version, then python -m tests.golden.record"
    assert folded(aggregate, GOLDEN.values()) == recorded_states(aggregate), advice


@pytest.mark.parametrize("name", BYTES)
def test_golden_bytes_cut_anywhere_are_refused(name: str) -> None:
    state = BYTES[name]
    for end in range(0, len(state), 7):
        with pytest.raises(msgspec.DecodeError):
            decode_event(Name.parse(name).topic, state[:end])


@pytest.mark.parametrize("event", EVENTS.values())
def test_every_older_version_has_a_way_up(event: type[Event]) -> None:
    for older in range(1, event.class_version):
        assert callable(getattr(event, f"upcast_v{older}_v{older + 1}"))


def _optional_fields(value: Any) -> Iterator[tuple[str, str, Any]]:
    """Every field that may be None, of a struct and of the structs in it: (struct, field, its value)."""
    if isinstance(value, tuple):
        for item in value:
            yield from _optional_fields(item)
    elif isinstance(value, msgspec.Struct):
        for field, hint in get_type_hints(type(value)).items():
            if field not in value.__struct_fields__:
                continue
            inner = getattr(value, field)
            if get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint):
                yield type(value).__name__, field, inner
            yield from _optional_fields(inner)
