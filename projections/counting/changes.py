"""What a release changed, record by record, and what each change did to every total. Pure, from public leaves alone.

The first leaf of an incident is one change, of the field ``incident``. Of every later one, each field that differs from
the leaf before is a change. The fields change one after the other, in the order of ``FIELDS``, and the effect of a
change is what the totals are after it less what they were before it: so the effects of all changes between two sizes
sum to the difference of the two counts.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from projections.counting.contribution import contribution
from projections.counting.disclosure import FACETS, NOTHING, Bounds, Disclosure, Facet, NexusScope
from projections.counting.query import Unit
from registry.log.canonical import JSON, encode

FIELDS: Final = ("class", "status", "merged_into", "certainty", "disputed", *FACETS, "waived")
"""In the order in which they are said to change."""

WHOLE: Final = "incident"
"""The field of the change that shows an incident for the first time."""

SEALED: Final = "sealed"
"""The field of a change behind the seals: values that nobody sees were replaced, and totals stay as they were."""


class Effect(NamedTuple):
    """What a change added to a total; negative where it took away. Totals that did not move are not listed."""

    unit: Unit
    nexus: NexusScope
    bounds: Bounds


class Change(NamedTuple):
    """One field of one leaf. A code is shown as it is, anything else as canonical JSON; None: nothing is shown."""

    field: str
    old: str | None
    new: str | None
    reason: str | None
    effects: tuple[Effect, ...]


def changes(before: Disclosure | None, after: Disclosure) -> tuple[Change, ...]:
    """What the leaf ``after`` changed of the same incident's leaf ``before``; None: there was none."""
    if before is None:
        return (Change(WHOLE, None, _text(_whole(after)), after.reason, _effects(None, after)),)
    found = tuple(_field_by_field(before, after))
    if found or not _sealed_anew(before, after):
        return found
    return (Change(SEALED, None, None, after.reason, ()),)


def _field_by_field(before: Disclosure, after: Disclosure) -> Iterator[Change]:
    standing = before
    for name in FIELDS:
        old, new = _value(before, name), _value(after, name)
        reached = _with(standing, after, name)
        if old != new:
            effects = _effects(standing, reached)
            yield Change(name, _text(old), _text(new), after.reason, effects)
        standing = reached


def _with(standing: Disclosure, after: Disclosure, name: str) -> Disclosure:
    """The same, but for one field. Only status, certainty and tally decide what an incident adds to the totals."""
    match name:
        case "status":
            return standing._replace(status=after.status, merged_into=after.merged_into)
        case "certainty":
            return standing._replace(certainty=after.certainty)
        case "tally":
            return standing._replace(tally=after.tally)
        case _:
            return standing


def _effects(before: Disclosure | None, after: Disclosure) -> tuple[Effect, ...]:
    found = []
    for nexus in NexusScope:
        now = contribution(after, nexus)
        then = dict.fromkeys(Unit, NOTHING) if before is None else contribution(before, nexus)
        for unit in Unit:
            moved = Bounds(*(new - old for new, old in zip(now[unit], then[unit], strict=True)))
            if moved != NOTHING:
                found.append(Effect(unit, nexus, moved))
    return tuple(found)


def _value(disclosure: Disclosure, name: str) -> JSON:
    match name:
        case "class":
            return disclosure.incident_class.value
        case "status":
            return disclosure.status.value
        case "merged_into":
            return disclosure.merged_into
        case "certainty":
            return disclosure.certainty.value
        case "disputed":
            return disclosure.disputed
        case "waived":
            return list(disclosure.waived) or None
        case _:
            facet = disclosure.facets[name]
            return None if facet.sealed else facet.value


def _whole(disclosure: Disclosure) -> dict[str, JSON]:
    """Everything that a first leaf shows."""
    shown = {name: _value(disclosure, name) for name in FIELDS}
    return {name: value for name, value in shown.items() if value is not None}


def _text(value: JSON) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return encode(value).decode()


def _sealed_anew(before: Disclosure, after: Disclosure) -> bool:
    """Whether a facet that is sealed in both leaves is sealed by another commitment."""
    return any(_is_other_seal(before.facets[name], after.facets[name]) for name in FACETS)


def _is_other_seal(before: Facet, after: Facet) -> bool:
    return before.sealed and after.sealed and before.commitment != after.commitment
