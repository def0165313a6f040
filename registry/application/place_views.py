"""What reading shows of an assignment and of a site: the history that their events tell, under the names as sent."""

from datetime import date
from typing import Any

import msgspec

from registry.application.unit import Actor
from registry.domain.assignment import Assignment
from registry.domain.service import Service
from registry.domain.site import Site

_PLACES_STUDENTS = "assignments:write"
"""Who sends students to sites sees in what state they are; so do those who see all records."""


def assignment_body(assignment: Assignment) -> dict[str, Any]:
    """Stays and suspensions end before ``until``; ``version`` is the number by which to name an event."""
    service = assignment.service
    ended = service.ended
    return {
        "student": assignment.student,
        "institution": _plain(assignment.institution),
        "site": _plain(service.last_site()),
        "promotion": service.promotion,
        "plaza_type": service.plaza_type.value,
        "starts": _plain(service.starts),
        "planned_end": _plain(service.planned_end),
        "selection_rank": service.selection_rank,
        "started": _plain(service.started.on if service.started else None),
        "ended": _plain(ended.on if ended else None),
        "end_reason": _plain(ended.reason if ended else None),
        "stays": [_plain(stay._asdict()) for stay in service.stays()],
        "suspensions": [_plain(pause._asdict()) for pause in service.suspensions()],
        "relocation_requests": _requests(service),
        "relocations": [_plain_fact(fact) for fact in service.relocations],
        "corrections": _plain(assignment.corrections),
    }


def site_body(site: Site, actor: Actor, today: date) -> dict[str, Any]:
    """Codes with their validity to everybody; conditions and suspensions to whoever sends students there."""
    ends = [*(code.valid_from for code in site.codes[1:]), None]
    body = {
        "registered_by": _plain(site.registered_by),
        "name": site.name,
        "cvegeo": site.cvegeo,
        "level": _plain(site.level),
        "plaza_types": _plain(site.plaza_types),
        "clues": site.clues_on(today),
        "codes": [
            {"clues": code.clues, "valid_from": _plain(code.valid_from), "valid_until": _plain(end)}
            for code, end in zip(site.codes, ends, strict=False)
        ],
    }
    if actor.sees_all or _PLACES_STUDENTS in actor.scopes:
        body["suspended"] = site.closed_on(today)
        body["suspensions"] = _plain(site.closures)
        body["conditions"] = _plain(sorted(site.conditions, key=lambda found: found.on))
    return body


def _requests(service: Service) -> list[dict[str, Any]]:
    return [
        {
            **_plain_fact(request.asked),
            "decision": _plain_fact(request.decided) if request.decided else None,
            "relocation": request.relocated.version if request.relocated else None,
        }
        for request in service.requests()
    ]


def _plain_fact(fact: msgspec.Struct) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(fact)
    del fields["type"]
    return fields


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)
