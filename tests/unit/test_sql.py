"""Named blocks of SQL."""

import pytest

from registry.sql import parse_queries


def test_each_block_is_found_by_its_name() -> None:
    text = "-- About this file.\n\n-- name: one\n-- Its purpose.\nSELECT 1;\n\n-- name: two\nSELECT 2;\n"
    queries = parse_queries(text, source="x.sql")
    assert dict(queries) == {"one": "-- Its purpose.\nSELECT 1;", "two": "SELECT 2;"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT 1;\n-- name: one\nSELECT 2;", "before the first"),
        ("-- name: one\nSELECT 1;\n-- name: one\nSELECT 2;", "two blocks"),
        ("-- name: One Two\nSELECT 1;", "no name"),
        ("-- name:\nSELECT 1;", "no name"),
        ("-- name: one\n-- only a comment\n", "empty"),
    ],
)
def test_a_file_that_breaks_the_rules_fails_at_once(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_queries(text, source="x.sql")
