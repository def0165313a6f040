"""What releases changed, in words: each change with its record, its reason and what it did to the headline."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from api import labels
from api.web.figures import value_label
from api.web.texts import Texts
from api.web.visit import Visit
from projections.counting.changes import SEALED, WHOLE, Effect
from projections.counting.disclosure import FACETS, NexusScope
from projections.models.changes import RecordedChange

_CODED: Final = frozenset({"class", "kind", "year", "month", "state", "municipality", "certainty"})
"""The fields whose values are codes of the dimension of the same name."""


class ChangeLine(NamedTuple):
    """``effects``: what it added to each total of the headline, in words; none where no total moved."""

    position: int
    day: date
    incident: str
    link: str
    field: str
    old: str | None
    new: str | None
    reason: str | None
    effects: tuple[str, ...]


def line(visit: Visit, recorded: RecordedChange) -> ChangeLine:
    """A change, to be read."""
    change, words = recorded.change, visit.texts
    return ChangeLine(
        position=recorded.place.position,
        day=recorded.recorded,
        incident=str(recorded.incident),
        link=visit.incident(recorded.incident),
        field=labels.FIELDS[change.field].in_(words.language),
        old=_side(change.field, change.old, words),
        new=_side(change.field, change.new, words),
        reason=None if change.reason is None else labels.REASONS[change.reason].in_(words.language),
        effects=tuple(_effects(change.effects, words)),
    )


def _side(field: str, text: str | None, words: Texts) -> str | None:
    """What stood before a change, or behind it; None where that is nothing. A facet that is not open has a value."""
    if text is None:
        return labels.UNDISCLOSED_CELL.in_(words.language) if field in FACETS else None
    return value(field, text, words)


def value(field: str, text: str, words: Texts) -> str:
    """What a change shows of a field, as people read it."""
    language = words.language
    if field in _CODED:
        return value_label(field.upper(), text).in_(language)
    match field:
        case "status":
            return labels.STATUSES[text].in_(language)
        case "disputed":
            return words.gettext("sí") if text == "true" else words.gettext("no")
        case "tally":
            return tally(json.loads(text), words)
        case "sex":
            return sexes(text, words)
        case "waived":
            return ", ".join(labels.FIELDS[name].in_(language) for name in json.loads(text))
        case _ if field == WHOLE:
            return "; ".join(_shown(json.loads(text), words))
        case _ if field == SEALED:
            return ""
        case _:
            return text


def tally(found: Mapping[str, Any], words: Texts) -> str:
    """The people of the headline, and those beyond it where there are more."""
    strict, broad = _people(found["strict"], words), _people(found["broad"], words)
    if strict == broad:
        return strict
    return words.gettext("%(strict)s; también fuera del servicio: %(broad)s") % {
        "strict": strict,
        "broad": broad,
    }


def sexes(text: str, words: Texts) -> str:
    """The sex of the dead of any link; nobody died where it does not apply."""
    if text == "NOT_APPLICABLE":
        return words.gettext("No hubo muertes")
    return ", ".join(
        f"{value_label('SEX', sex).in_(words.language)}: {words.interval(bounds)}"
        for sex, bounds in json.loads(text)["broad"].items()
    )


def _people(scope: Mapping[str, list[int]], words: Texts) -> str:
    return words.gettext("víctimas: %(victims)s, muertes: %(deaths)s") % {
        "victims": words.interval(scope["victims"]),
        "deaths": words.interval(scope["deaths"]),
    }


def _shown(fields: Mapping[str, Any], words: Texts) -> Iterator[str]:
    """What a first leaf shows; that it stands undisputed goes without saying."""
    for name, found in fields.items():
        if (name, found) in (("status", "ACTIVE"), ("disputed", False)) or name in ("tally", "sex", "waived"):
            continue
        text = found if isinstance(found, str) else json.dumps(found)
        yield f"{labels.FIELDS[name].in_(words.language)}: {value(name, text, words)}"
    if "tally" in fields:
        yield tally(fields["tally"], words)


def _effects(effects: tuple[Effect, ...], words: Texts) -> Iterator[str]:
    for effect in effects:
        if effect.nexus is NexusScope.STRICT:
            unit = labels.UNITS[effect.unit].in_(words.language)
            moved = " / ".join(words.signed(number) for number in effect.bounds)
            yield f"{unit}: {moved}"
