"""Which events a reader wants, as query parameters: by type, and by the record that they are about."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from fastapi import Query

from api.problems import INVALID_INPUT, FieldError, Problem
from api.streams.envelope import TYPES
from api.streams.wanted import Wanted
from registry.domain.mapper import STREAMS
from registry.text import Text

MAX_SUBJECTS: Final = 100

ABOUT: Final[Mapping[str, str]] = {
    "after": "La primera posición que se quiere. · The first position wanted.",
    "types": "Tipos de eventos; se repite. · Types of events; repeat it for several.",
    "subject": "Registros, como «incident/<id>»; se repite. · Records, as “incident/<id>”; repeat it for several.",
    "limit": "Cuántos, a lo más. · How many, at most.",
    "wait": "Segundos que se espera un evento donde aún no hay ninguno. · Seconds to wait for an event where there is "
    "none yet.",
}
"""What the parameters of the feed and the stream mean."""

SUBJECT: Final = (
    rf"^({'|'.join(sorted(aggregate.NOUN for aggregate in STREAMS))})/"
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
)

Types = Annotated[
    list[str],
    Query(
        description=ABOUT["types"],
        json_schema_extra={"items": {"type": "string", "enum": sorted(TYPES)}},
    ),
]
Subjects = Annotated[
    list[str],
    Query(
        description=ABOUT["subject"],
        json_schema_extra={"items": {"type": "string", "pattern": SUBJECT}, "maxItems": MAX_SUBJECTS},
    ),
]


async def wanted_events(types: Types = [], subject: Subjects = []) -> Wanted:  # noqa: B006 - never changed
    """The filters of a request, none by default.

    :raises Problem: 422 for what no event could be: filtered by it, a stream would be silent without a reason.
    """
    return wanted(types, subject)


def wanted(types: Sequence[str], subjects: Sequence[str] = (), *, place: str = "query.") -> Wanted:
    """Filters of these names; none where there are none. ``place`` is where they were sent, for messages."""
    errors = []
    if not TYPES.issuperset(types):
        names = ", ".join(sorted(TYPES))
        text = Text(f"Se acepta, una o más veces: {names}.", f"Accepted, once or more: {names}.")
        errors.append(FieldError(f"{place}types", text))
    if len(subjects) > MAX_SUBJECTS or not all(re.fullmatch(SUBJECT, subject) for subject in subjects):
        kinds = ", ".join(sorted(aggregate.NOUN for aggregate in STREAMS))
        text = Text(
            f"Se acepta, hasta {MAX_SUBJECTS} veces: <clase>/<UUID en minúsculas>, donde la clase es una de: {kinds}.",
            f"Accepted, up to {MAX_SUBJECTS} times: <kind>/<UUID in lower case>, the kind being one of: {kinds}.",
        )
        errors.append(FieldError(f"{place}subject", text))
    if errors:
        raise Problem(INVALID_INPUT, errors=errors)
    return Wanted(frozenset(types) or None, frozenset(subjects) or None)
