"""Commitments: fixed in public, not shown."""

import base64
import hashlib
import hmac
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import MalformedLog
from registry.log.canonical import JSON
from registry.privacy.sealing import KEY_SIZE, commitment, new_key, verify_opening

ID = UUID("3f2b1c9e-7a54-4d0e-9c1b-2a6f8e5d4c3b")
KEY = bytes(range(32))


def test_a_commitment_byte_for_byte() -> None:
    message = b'constancia/commit/v1\n3f2b1c9e-7a54-4d0e-9c1b-2a6f8e5d4c3b\nstate\n"16"'
    expected = base64.b64encode(hmac.new(KEY, message, hashlib.sha256).digest()).decode()
    assert commitment(KEY, ID, "state", "16") == expected == "cX/O2Iuu3Rn3LYLlboPFWZvmhOcnG1sDzfX6hWWHQGg="


@given(st.dictionaries(st.sampled_from("abc"), st.integers(0, 9) | st.none()))
def test_a_commitment_opens_with_its_own_key_and_value(value: dict[str, JSON]) -> None:
    key = new_key()
    verify_opening(commitment(key, ID, "tally", value), key, ID, "tally", dict(reversed(value.items())))


@pytest.mark.parametrize(
    ("key", "event_id", "field", "value"),
    [
        pytest.param(bytes(32), ID, "state", "16", id="another key"),
        pytest.param(KEY, UUID(int=ID.int + 1), "state", "16", id="another event"),
        pytest.param(KEY, ID, "municipality", "16", id="another field"),
        pytest.param(KEY, ID, "state", "17", id="another value"),
        pytest.param(KEY, ID, "state", 16, id="another type of value"),
    ],
)
def test_it_opens_with_nothing_else(key: bytes, event_id: UUID, field: str, value: JSON) -> None:
    with pytest.raises(MalformedLog, match="does not match"):
        verify_opening(commitment(KEY, ID, "state", "16"), key, event_id, field, value)


@pytest.mark.parametrize("sealed", ["", "é", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"])
def test_what_is_no_commitment_opens_with_nothing(sealed: str) -> None:
    with pytest.raises(MalformedLog, match="does not match"):
        verify_opening(sealed, KEY, ID, "state", "16")


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_length_is_refused_on_both_sides(size: int) -> None:
    with pytest.raises(MalformedLog, match="32 bytes"):
        commitment(bytes(size), ID, "state", "16")
    with pytest.raises(MalformedLog, match="32 bytes"):
        verify_opening("", bytes(size), ID, "state", "16")


@pytest.mark.parametrize("field", ["", "state\n", "State", "st ate"])
def test_a_field_that_could_be_read_in_two_ways_is_refused(field: str) -> None:
    with pytest.raises(MalformedLog, match="field"):
        commitment(KEY, ID, field, "16")


def test_keys_are_random_and_of_full_length() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert {len(key) for key in keys} == {KEY_SIZE}
