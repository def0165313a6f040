"""Every pattern that a text can miss is told in words, with an example that it accepts."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from api.patterns import PATTERNS


def patterns(node: Any) -> Iterator[str]:
    """Those of an OpenAPI document, however deep."""
    match node:
        case {"in": "header"}:
            return  # read by hand, and explained there
        case dict():
            if isinstance(node.get("pattern"), str):
                yield node["pattern"]
            for below in node.values():
                yield from patterns(below)
        case list():
            for below in node:
                yield from patterns(below)


def test_every_pattern_of_the_api_has_its_words(app: FastAPI) -> None:
    found = set(patterns(app.openapi()))
    assert len(found) > 5
    assert found <= PATTERNS.keys()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_examples_are_accepted(pattern: str) -> None:
    for text, quoted in ((PATTERNS[pattern].es, r"«(.*?)»"), (PATTERNS[pattern].en, r"“(.*?)”")):
        assert all(re.search(pattern, example) for example in re.findall(quoted, text))
