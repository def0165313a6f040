import pytest
from starlette.requests import Request

from api.problems import BAD_REQUEST, IF_MATCH_REQUIRED, Problem
from api.rest.headers import entity_tag, expected_version, idempotency_key


def request(*headers: tuple[str, str]) -> Request:
    return Request(
        {"type": "http", "headers": [(name.lower().encode(), value.encode()) for name, value in headers]}
    )


def test_the_tag_given_out_is_the_version_read_back() -> None:
    assert expected_version(request(("If-Match", entity_tag(17)))) == 17


def test_a_decision_without_if_match_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        expected_version(request())
    assert caught.value.kind is IF_MATCH_REQUIRED


@pytest.mark.parametrize(
    "value", ["*", "17", 'W/"17"', '"17", "18"', '"017"', '"0"', '"-1"', '"x"', '""', '"17', ""]
)
def test_only_one_strong_tag_of_ours_counts_as_having_read_the_record(value: str) -> None:
    with pytest.raises(Problem) as caught:
        expected_version(request(("If-Match", value)))
    assert caught.value.kind is BAD_REQUEST


def test_two_if_match_headers_are_not_one() -> None:
    with pytest.raises(Problem):
        expected_version(request(("If-Match", '"1"'), ("If-Match", '"1"')))


def test_the_idempotency_key_is_optional() -> None:
    assert idempotency_key(request()) is None
    assert idempotency_key(request(("Idempotency-Key", "a" * 255))) == "a" * 255


@pytest.mark.parametrize("value", ["", "a b", "a" * 256, "a\tb", "ñ"])
def test_an_idempotency_key_that_cannot_be_one_is_refused(value: str) -> None:
    with pytest.raises(Problem) as caught:
        idempotency_key(request(("Idempotency-Key", value)))
    assert caught.value.errors[0].field == "header.Idempotency-Key"
