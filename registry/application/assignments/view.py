"""What reading shows of an assignment: the history that its events tell, under the names as sent."""

from typing import Any

import msgspec

from registry.domain.assignment import Assignment
from registry.domain.service import Service


def body(assignment: Assignment) -> dict[str, Any]:
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
