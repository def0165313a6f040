import string
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.auth.token import Tokens, is_well_formed
from registry.privacy.master import MasterKey

TOKENS = Tokens(MasterKey(bytes(32)), "live")
ALPHABET = string.digits + string.ascii_letters


def test_a_key_is_the_same_every_time_it_is_made_and_differs_from_any_other() -> None:
    key_id = uuid4()
    assert TOKENS.make(key_id) == TOKENS.make(key_id)
    assert TOKENS.make(key_id) != TOKENS.make(uuid4())


def test_keys_of_another_register_differ() -> None:
    other = Tokens(MasterKey(bytes(31) + b"\x01"), "live")
    key_id = uuid4()
    assert TOKENS.make(key_id) != other.make(key_id)
    assert TOKENS.digest("cst_live_x") != other.digest("cst_live_x")


@given(st.uuids(version=4))
def test_every_key_made_is_well_formed_and_of_one_length(key_id: UUID) -> None:
    token = TOKENS.make(key_id)
    assert token.startswith("cst_live_")
    assert len(token) == len("cst_live_") + 49
    assert is_well_formed(token)


@given(st.uuids(version=4), st.integers(0, 48), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_told_from_an_unknown_key(key_id: UUID, at: int, wrong: str) -> None:
    token = TOKENS.make(key_id)
    at += len("cst_live_")
    mistyped = token[:at] + wrong + token[at + 1 :]
    assert is_well_formed(mistyped) == (mistyped == token)


@pytest.mark.parametrize("token", ["", "cst_live_", "Bearer", "cst_LIVE_" + "0" * 49, "cst_live_" + "é" * 49])
def test_what_does_not_look_like_a_key_is_none(token: str) -> None:
    assert not is_well_formed(token)
