"""Questions as addresses: every state of every view is a link. The parameters are codes, the same in both languages."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlencode

from projections.counting.disclosure import NexusScope
from projections.counting.query import CountQuery, Unit, ask
from projections.errors import InvalidQuery

NAMES: Final = ("unit", "nexus", "class", "kind", "state", "municipality", "from", "to", "by", "as_of")
"""The parameters of a question."""

SIZES: Final = ("as_of", "since", "until")
"""The parameters that may name the size of a checkpoint."""

_SIZE: Final = re.compile(r"[0-9]{1,16}")
_YEAR: Final = re.compile(r"[0-9]{4}")


class Parameters(Protocol):
    """The query of an address; a parameter may be repeated."""

    def getlist(self, key: str) -> list[str]: ...


class Asked(NamedTuple):
    """A question and the size of the log that it is about; None is the latest checkpoint."""

    query: CountQuery
    as_of: int | None


def read(parameters: Parameters) -> Asked:
    """What an address asks. Fields that a form left empty say nothing. Raises InvalidQuery."""

    def several(name: str) -> list[str] | None:
        return [value.strip() for value in parameters.getlist(name) if value.strip()] or None

    first, last = one(parameters, "from"), one(parameters, "to")
    query = ask(
        one(parameters, "unit") or Unit.INCIDENTS,
        nexus=one(parameters, "nexus") or NexusScope.STRICT,
        classes=several("class"),
        kinds=several("kind"),
        states=several("state"),
        municipalities=several("municipality"),
        period=_period(first, last),
        group_by=several("by") or (),
    )
    return Asked(query, size(parameters))


def one_by_one(query: CountQuery) -> CountQuery:
    """The question whose incidents are listed where this is asked: of no other unit, and not broken down."""
    return query.whole()._replace(unit=Unit.INCIDENTS)


def size(parameters: Parameters) -> int | None:
    """``as_of``: the size of a published checkpoint. Raises InvalidQuery."""
    given = one(parameters, "as_of")
    if given is None:
        return None
    if not _SIZE.fullmatch(given):
        raise InvalidQuery(
            "as_of",
            "«as_of» es el tamaño de un punto de control publicado, un número entero.",
            "“as_of” is the size of a published checkpoint, a whole number.",
        )
    return int(given)


def one(parameters: Parameters, name: str) -> str | None:
    """A parameter that is given once. Raises InvalidQuery."""
    given = {value.strip() for value in parameters.getlist(name) if value.strip()}
    if len(given) > 1:
        raise InvalidQuery(name, f"Dé «{name}» una sola vez.", f"Give “{name}” only once.")
    return given.pop() if given else None


def write(query: CountQuery, as_of: int | None = None, **more: str) -> str:
    """The question as the query of an address; what is as usual is left out."""
    pairs: list[tuple[str, str]] = []
    if query.unit is not Unit.INCIDENTS:
        pairs.append(("unit", query.unit.value))
    if query.nexus is not NexusScope.STRICT:
        pairs.append(("nexus", query.nexus.value))
    for name, values in (
        ("class", query.classes),
        ("kind", query.kinds),
        ("state", query.states),
        ("municipality", query.municipalities),
    ):
        pairs += [(name, value) for value in values or ()]
    if query.period is not None:
        pairs += [("from", query.period.first), ("to", query.period.last)]
    pairs += [("by", dimension.value) for dimension in query.group_by]
    if as_of is not None:
        pairs.append(("as_of", str(as_of)))
    pairs += more.items()
    return urlencode(pairs)


def moved(parameters: Parameters, never: int, published: int) -> str:
    """The same query with a size that was ``published`` wherever it names one that ``never`` was."""

    def size_or(name: str, value: str) -> str:
        is_it = name in SIZES and _SIZE.fullmatch(value.strip()) and int(value) == never
        return str(published) if is_it else value

    return urlencode(
        [
            (name, size_or(name, value))
            for name in dict.fromkeys((*NAMES, *SIZES))
            for value in parameters.getlist(name)
            if value
        ]
    )


def _period(first: str | None, last: str | None) -> tuple[str, str] | None:
    """A year stands for its months; one end alone is the whole period."""
    given: Sequence[str] = [end for end in (first, last) if end is not None]
    if not given:
        return None
    first, last = given[0], given[-1]
    return (
        f"{first}-01" if _YEAR.fullmatch(first) else first,
        f"{last}-12" if _YEAR.fullmatch(last) else last,
    )
