"""Corrections of a year of service: one field of what one event said, with its old and its new value. Pure.

A correction names the event by its version (1 is the registration) and the field as it is sent. Without a new value
for its date, a fact did not happen at all. What follows from the facts follows anew.
"""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from registry.domain.codes import (
    AssignmentEnd,
    PlazaType,
    RelocationDecision,
    RelocationReason,
    RelocationRequester,
    SuspensionReason,
)
from registry.domain.service import (
    DATED_BY,
    REGISTRATION,
    AnyFact,
    Decided,
    Ended,
    Promotion,
    Relocated,
    Requested,
    Resumed,
    SelectionRank,
    Service,
    Started,
    Suspended,
)
from registry.errors import InvalidInput, RuleViolated

_RANK: Any = SelectionRank | None

_FIELDS: dict[type[Service | AnyFact], dict[str, Any]] = {
    Service: {
        "site": UUID,
        "promotion": Promotion,
        "plaza_type": PlazaType,
        "starts": date,
        "planned_end": date,
        "selection_rank": _RANK,
    },
    Started: {"on": date},
    Suspended: {"on": date, "reason": SuspensionReason},
    Resumed: {"on": date},
    Requested: {
        "on": date,
        "by": RelocationRequester,
        "reason": RelocationReason,
        "trigger_incident": UUID | None,
    },
    Decided: {"on": date, "decision": RelocationDecision},
    Relocated: {
        "effective": date,
        "to": UUID,
        "reason": RelocationReason,
        "trigger_incident": UUID | None,
    },
    Ended: {"on": date, "reason": AssignmentEnd},
}
"""What can be corrected of each, and what the new value must be. Students are not: another person is another record."""


def value(service: Service, event: int, field: str) -> str | None:
    """What the field says now, as text. Raises InvalidInput where there is nothing of that name to correct."""
    target = _target(service, event)
    accepted = _FIELDS[type(target)]
    if field not in accepted:
        raise InvalidInput(
            "field",
            f"De ese evento se puede corregir: {', '.join(accepted)}.",
            f"Of that event, these can be corrected: {', '.join(accepted)}.",
        )
    current = msgspec.to_builtins(getattr(target, field))
    return None if current is None else str(current)


def corrected(service: Service, event: int, field: str, new: str | None) -> Service:
    """The service with the new value. Raises InvalidInput for a value that the field cannot have."""
    target = _target(service, event)
    if isinstance(target, Service):
        return msgspec.structs.replace(target, **{field: _read(type(target), field, new)})
    if new is None and field == DATED_BY[type(target)]:
        facts = tuple(fact for fact in service.facts if fact.version != event)
    else:
        changed = msgspec.structs.replace(target, **{field: _read(type(target), field, new)})
        facts = tuple(changed if fact.version == event else fact for fact in service.facts)
    return msgspec.structs.replace(service, facts=facts)


def _target(service: Service, event: int) -> Service | AnyFact:
    if event == REGISTRATION:
        return service
    for fact in service.facts:
        if fact.version == event:
            return fact
    raise RuleViolated(
        "no-such-event",
        "Esta asignación no tiene en vigor ningún hecho con esa versión. Indique la del evento que se corrige, como "
        "se lee en el registro; 1 es el alta.",
        "No fact of this version is in force in this assignment. Name the version of the event to be corrected, as "
        "it is read in the record; 1 is the registration.",
    )


def _read(target: type[Service | AnyFact], field: str, new: str | None) -> Any:
    accepted = _FIELDS[target][field]
    try:
        # All values come as text, ranks too.
        said = int(new) if accepted is _RANK and new is not None and new.isdecimal() else new
        return msgspec.convert(said, accepted)
    except msgspec.ValidationError:
        es, en = _EXPECTED.get(accepted, ("uno de sus códigos", "one of its codes"))
        raise InvalidInput("new", f"El valor nuevo debe ser {es}.", f"The new value must be {en}.") from None


_EXPECTED = {
    date: ("una fecha AAAA-MM-DD", "a date YYYY-MM-DD"),
    UUID: ("un UUID", "a UUID"),
    UUID | None: ("un UUID o null", "a UUID or null"),
    _RANK: ("un número desde 1, como texto, o null", "a number from 1 on, as text, or null"),
    Promotion: ("una promoción como 2026-1", "a promotion such as 2026-1"),
}
