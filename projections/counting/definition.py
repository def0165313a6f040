"""The definition's text and its sha256: what ``definition.adopted`` logs and every count names."""

import hashlib
from functools import cache
from importlib import resources

DEFINITION_ID = "national-count/1"
_FILE = "national-count-1.md"
_PROGRAM = "national-count-1.jq"


def definition_text() -> bytes:
    """The text, byte for byte as its sha256 covers it. It never changes: another wording is another version."""
    return resources.files("projections.counting").joinpath(_FILE).read_bytes()


def program_text() -> bytes:
    """The definition once more, as a program for jq that answers as the fold does. The text is what binds."""
    return resources.files("projections.counting").joinpath(_PROGRAM).read_bytes()


@cache
def definition_sha256() -> str:
    """In lower-case hexadecimal."""
    return hashlib.sha256(definition_text()).hexdigest()
