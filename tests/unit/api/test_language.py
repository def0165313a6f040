import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.language import preferred


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "es"),
        ("", "es"),
        ("*", "es"),
        ("fr", "es"),
        ("en", "en"),
        ("en-GB", "en"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("en-US,en;q=0.9,es;q=0.8", "en"),
        ("es;q=0.1, en;q=0.2", "en"),
        ("es;q=0, *;q=0.5", "en"),
        ("en;q=0", "es"),
        ("EN", "en"),
        ("en;q=high", "es"),
        ("en;level=1", "es"),
    ],
)
def test_the_preferred_language_is_chosen_and_spanish_without_a_preference(
    header: str | None, language: str
) -> None:
    assert preferred(header) == language


@given(st.text())
def test_no_header_is_too_strange_to_answer(header: str) -> None:
    assert preferred(header) in ("es", "en")
