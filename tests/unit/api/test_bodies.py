"""Bodies are read strictly, and no refusal repeats what was sent."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.problems import INVALID_INPUT, MALFORMED_BODY, Problem
from api.rest.bodies import MOST_ERRORS, content_of, decode
from api.rest.examples import EXAMPLES
from api.rest.operations import WRITES, Write
from registry.application.drafts import Draft, IncidentDraft, InstitutionDraft, RelocationDraft, ReportDraft

INSTITUTION = {"name": "Universidad de Ejemplo", "kind": "UNIVERSITY", "state": "16"}


def refusal(body: bytes, draft: type[Draft]) -> Problem:
    with pytest.raises(Problem) as caught:
        decode(body, draft)
    return caught.value


def errors(value: object, draft: type[Draft]) -> dict[str, str]:
    problem = refusal(json.dumps(value).encode(), draft)
    assert problem.kind is INVALID_INPUT
    return {error.field: error.text.en for error in problem.errors}


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.path)
def test_every_documented_example_is_accepted(write: Write) -> None:
    decode(json.dumps(EXAMPLES[write.path]).encode(), write.draft)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b'{"name": "a"} {"name": "b"}', id="two values"),
        pytest.param(b'{"state":"16","state":"09","name":"a","kind":"PRESS"}', id="a repeated name"),
        pytest.param(b'{"name":NaN,"kind":"PRESS","state":"16"}', id="NaN"),
        pytest.param(b'{"name":-Infinity,"kind":"PRESS","state":"16"}', id="infinity"),
        pytest.param(b'{"name":"\xff","kind":"PRESS","state":"16"}', id="not UTF-8"),
        pytest.param(json.dumps(INSTITUTION).encode("utf-16"), id="UTF-16"),
        pytest.param(b"\xef\xbb\xbf" + json.dumps(INSTITUTION).encode(), id="byte order mark"),
        pytest.param(b'{"name":"\\ud800","kind":"PRESS","state":"16"}', id="lone surrogate"),
        pytest.param(b'{"name":"a\\u0000b","kind":"PRESS","state":"16"}', id="U+0000"),
        pytest.param(b'{"name":"a\\u001Fb","kind":"PRESS","state":"16"}', id="control character"),
        pytest.param(b"[" * 100_000, id="too deep a list"),
        pytest.param(b'{"name":' * 100_000, id="too deep an object"),
        pytest.param(b'{"name":' + b"9" * 5_000 + b"}", id="too long a number"),
    ],
)
def test_what_is_not_strict_json_is_malformed(body: bytes) -> None:
    assert refusal(body, InstitutionDraft).kind is MALFORMED_BODY


def test_an_escaped_backslash_before_u0000_is_plain_text() -> None:
    assert decode(b'{"name":"a\\\\u0000b","kind":"PRESS","state":"16"}', InstitutionDraft).name == "a\\u0000b"


@pytest.mark.parametrize("name", ['"Tepa\\u0301n"', '"Tepa\u0301n"'], ids=["escaped", "raw"])
def test_text_is_brought_to_nfc_however_it_was_written(name: str) -> None:
    body = f'{{"name":{name},"kind":"PRESS","state":"16"}}'.encode()
    assert decode(body, InstitutionDraft).name == "Tep\u00e1n"


def test_every_wrong_field_is_named_at_once_with_what_would_be_accepted() -> None:
    told = errors({"kind": "SCHOOL", "state": "99", "extra": 1}, InstitutionDraft)
    assert set(told) == {"", "name", "kind", "state"}
    assert told["name"] == "This field is missing: a string of 1 to 300 characters."
    assert told["kind"].startswith("Accepted: one of UNIVERSITY, MINISTRY_HEALTH")
    assert told["state"] == "Accepted: INEGI's code of a state, two digits from 01 to 32, such as “07”."
    assert (
        told[""]
        == "There is a field that is not known here. Only these are accepted: name, kind, state, source_record_id."
    )


def test_a_pattern_does_not_hide_how_long_a_text_may_be() -> None:
    told = errors({**INSTITUTION, "source_record_id": ""}, InstitutionDraft)
    assert told == {
        "source_record_id": "Accepted: a string of 1 to 255 characters without control characters or null."
    }


@pytest.mark.parametrize(
    ("value", "draft", "field"),
    [
        ({"to": "x", "effective": "2026-01-01", "reason": "THREAT"}, RelocationDraft, "to"),
        (
            {"to": "00000000-0000-4000-8000-000000000000", "effective": "2026-13-01", "reason": "THREAT"},
            RelocationDraft,
            "effective",
        ),
        (
            {"class": "ATTACK", "source_type": "PRESS", "victims": [{"role": "STAFF"}, {"role": "ALIEN"}]},
            ReportDraft,
            "victims[1].role",
        ),
        (
            {
                "class": "ATTACK",
                "source_type": "PRESS",
                "victims": [{"role": "STAFF", "count": {"low": "1", "best": 1, "high": 1}}],
            },
            ReportDraft,
            "victims[0].count.low",
        ),
        (
            {"class": "ATTACK", "source_type": "PRESS", "where": {"precision": 3}},
            ReportDraft,
            "where.precision",
        ),
        (
            {"class": "RELOCATION", "source_type": "PRESS", "where": [{"precision": "STATE", "state": "1"}]},
            ReportDraft,
            "where[0].state",
        ),
        (
            {"class": "ATTACK", "reports": [{"source_record_id": 3}]},
            IncidentDraft,
            "reports[0].source_record_id",
        ),
        ({"class": "ATTACK", "reports": [{"source_record_id": "a"}, 7]}, IncidentDraft, "reports[1]"),
        ([], IncidentDraft, ""),
    ],
)
def test_a_wrong_value_is_found_where_it_is(value: object, draft: type[Draft], field: str) -> None:
    assert list(errors(value, draft)) == [field]


def test_the_number_of_errors_is_bounded() -> None:
    value = {"class": "ATTACK", "source_type": "PRESS", "victims": [{"role": "ALIEN"}] * 1000}
    assert len(errors(value, ReportDraft)) == MOST_ERRORS


PLANTED = "PLANTED"
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(PLANTED) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.just(PLANTED) | st.sampled_from(["role", "count", "low", "precision"]), inner, max_size=3
        )
    ),
    max_leaves=10,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [PLANTED, "class", "source_type", "victims", "where", "when", "kind", "evidence", "low"]
        ),
        JSON_VALUES,
    )
)
def test_no_refusal_ever_repeats_what_was_sent(value: dict[str, Any]) -> None:
    problem = Problem(INVALID_INPUT)
    try:
        decode(json.dumps(value).encode(), ReportDraft)
    except Problem as refused:
        problem = refused
    told = "".join(error.field + str(error.text) for error in problem.errors)
    assert PLANTED not in told + str(problem.detail) + str(problem)


def test_spelling_and_order_do_not_make_another_content() -> None:
    one = decode(b'{"name":"a","kind":"PRESS","state":"16"}', InstitutionDraft)
    other = decode(b'{ "state":"\\u0031\\u0036", "kind":"PRESS", "name":"a" }', InstitutionDraft)
    assert content_of(one) == content_of(other) == b'{"kind":"PRESS","name":"a","state":"16"}'
