"""Cursors of lists: where a page ended, in a text that clients pass back as it is."""

import base64
import binascii
import re
from uuid import UUID

from projections.errors import InvalidQuery
from projections.models.changes import Place

MAX_PAGE = 200
"""Most items of one page of a list."""

DEFAULT_PAGE = 50

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_NUMBER = re.compile(r"[0-9]{1,16}")


def limit(first: int | None) -> int:
    """How many items a page has. Raises InvalidQuery beyond ``MAX_PAGE``."""
    wanted = DEFAULT_PAGE if first is None else first
    if not 1 <= wanted <= MAX_PAGE:
        raise InvalidQuery("first", f"«first» va de 1 a {MAX_PAGE}.", f"“first” is from 1 to {MAX_PAGE}.")
    return wanted


def of_checkpoint(size: int) -> str:
    """The cursor of a checkpoint, by its size."""
    return _encode("checkpoint", str(size))


def checkpoint(cursor: str) -> int:
    """The size behind which the list goes on. These raise InvalidQuery for what is not a cursor of their list."""
    (size,) = _decode(cursor, "checkpoint", _NUMBER)
    return int(size)


def of_incident(incident: str) -> str:
    """The cursor of an incident, by its id as it is shown."""
    return _encode("incident", incident)


def incident(cursor: str) -> UUID:
    """The incident behind which the list goes on."""
    (text,) = _decode(cursor, "incident", _UUID)
    return UUID(text)


def of_change(place: Place) -> str:
    """The cursor of a change, by its place in the log."""
    return _encode("change", str(place.position), str(place.number))


def change(cursor: str) -> Place:
    """The place behind which the list goes on."""
    position, number = _decode(cursor, "change", _NUMBER, _NUMBER)
    return Place(int(position), int(number))


def _encode(kind: str, *parts: str) -> str:
    data = ":".join((kind, *parts)).encode()
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE).decode()


def _decode(cursor: str, kind: str, *patterns: re.Pattern[str]) -> list[str]:
    try:
        found, *parts = base64.urlsafe_b64decode(cursor.encode()).decode().split(":")
    except (binascii.Error, ValueError):
        found, parts = "", []
    if found != kind or len(parts) != len(patterns):
        raise _not_a_cursor()
    if not all(pattern.fullmatch(part) for pattern, part in zip(patterns, parts, strict=True)):
        raise _not_a_cursor()
    return parts


def _not_a_cursor() -> InvalidQuery:
    return InvalidQuery(
        "after",
        "«after» no es un cursor de esta lista: use «endCursor» de la página anterior.",
        "“after” is not a cursor of this list: use “endCursor” of the page before.",
    )
