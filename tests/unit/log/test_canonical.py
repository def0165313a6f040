"""Restricted canonical JSON, held to the rfc8785 package."""

import unicodedata
from enum import Enum, IntEnum, StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import MalformedLog
from registry.log.canonical import MAX_DEPTH, MAX_INTEGER, InvalidEncoding, decode, encode

text = st.text(st.characters(exclude_categories=["Cs"])).map(
    lambda value: unicodedata.normalize("NFC", value)
)
keys = st.text(st.characters(max_codepoint=127))
scalars = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | text
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)


@given(values)
def test_every_value_is_written_as_rfc_8785_says(value: Any) -> None:
    assert encode(value) == rfc8785.dumps(value)


@given(values)
def test_what_was_written_is_read_back(value: Any) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=40) | values.map(encode))
def test_nothing_is_read_that_would_be_written_otherwise(data: bytes) -> None:
    try:
        value = decode(data)
    except InvalidEncoding:
        return
    assert encode(value) == data


def test_every_single_character_is_escaped_as_rfc_8785_says() -> None:
    for code in (*range(0x300), 0x2028, 0x2029, 0xFEFF, 0xFFFD, 0xFFFF, 0x10000, 0x1F600, 0x10FFFF):
        character = chr(code)
        if unicodedata.is_normalized("NFC", character):
            assert encode(character) == rfc8785.dumps(character)
    assert encode("\x1f\x7f/é\n") == '"\\u001f\x7f/é\\n"'.encode()


def test_codes_are_written_as_their_text() -> None:
    class Code(StrEnum):
        KILLED = "KILLED"

    assert encode({Code.KILLED: Code.KILLED}) == b'{"KILLED":"KILLED"}'


def nested(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


class Number(IntEnum):
    ONE = 1


class Named(Enum):
    ONE = "one"


class Shout(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(1.0, id="a float"),
        pytest.param([0.5], id="a float inside"),
        pytest.param(float("nan"), id="not a number"),
        pytest.param(2**53, id="an integer of 2^53"),
        pytest.param(-(2**53), id="an integer of -2^53"),
        pytest.param({"é": 1}, id="a key that is not ASCII"),
        pytest.param({1: 1}, id="a key that is not text"),
        pytest.param("e\u0301", id="text in NFD"),
        pytest.param("\ud800", id="half a surrogate pair"),
        pytest.param(b"x", id="bytes"),
        pytest.param({1}, id="a set"),
        pytest.param(Number.ONE, id="a number in disguise"),
        pytest.param(Named.ONE, id="a name in disguise"),
        pytest.param(Shout("x"), id="text in disguise"),
        pytest.param(nested(MAX_DEPTH + 1), id="too deep"),
        pytest.param(nested(5000), id="deep enough for the stack"),
    ],
)
def test_what_others_might_write_differently_is_refused(value: Any) -> None:
    with pytest.raises(InvalidEncoding):
        encode(value)


def test_the_limits_themselves_are_accepted() -> None:
    assert encode([MAX_INTEGER, -MAX_INTEGER]) == b"[9007199254740991,-9007199254740991]"
    assert decode(encode(nested(MAX_DEPTH))) == nested(MAX_DEPTH)


@pytest.mark.parametrize(
    "value", ["[" * 100 + "{" * 100, "9" * 40, [MAX_INTEGER, "9007199254740993"], [[]] * 100, {"a": ["é", 1]}]
)
def test_what_only_looks_like_a_limit_is_accepted(value: Any) -> None:
    assert decode(encode(value)) == value


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"a":1,"a":1}', id="a key twice"),
        pytest.param(b'{"b":1,"a":2}', id="keys out of order"),
        pytest.param(b'{"a": 1}', id="whitespace"),
        pytest.param(b"1\n", id="whitespace after"),
        pytest.param(b'"\\u00e9"', id="an escape without need"),
        pytest.param(b'"\\/"', id="an escaped slash"),
        pytest.param(b'"\\u001F"', id="an escape in capitals"),
        pytest.param(b'"\\ud800"', id="half an escaped surrogate pair"),
        pytest.param(b"1.0", id="an integer as a float"),
        pytest.param(b"1e2", id="an exponent"),
        pytest.param(b"-0", id="minus zero"),
        pytest.param(b"123456789012345678901234567890", id="a huge integer"),
        pytest.param(b'{"a":[9007199254740992]}', id="an integer of 2^53"),
        pytest.param(b"-9007199254740992", id="an integer of -2^53"),
        pytest.param(b"[0.5]", id="a float in its one spelling"),
        pytest.param(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), id="one level too many"),
        pytest.param('"e\u0301"'.encode(), id="a string that is not in NFC"),
        pytest.param('{"é":1}'.encode(), id="a key that is not ASCII"),
        pytest.param(b"\xff", id="bytes that are not UTF-8"),
        pytest.param(b'"\xed\xa0\x80"', id="a surrogate in UTF-8"),
        pytest.param(b"\xef\xbb\xbf1", id="a byte order mark"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"[1", id="half a document"),
        pytest.param(b"NaN", id="a word of JavaScript"),
        pytest.param(b"[" * 100_000, id="a tower of brackets"),
    ],
)
def test_other_spellings_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedLog) as refused:
        decode(data)
    assert refused.value.text.es
    assert refused.value.text.en
