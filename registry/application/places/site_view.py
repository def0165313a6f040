"""What reading shows of a site: the history that its events tell, under the names as sent."""

from datetime import date
from typing import Any

import msgspec

from registry.application.execution.unit import Actor
from registry.domain.site import Site

_PLACES_STUDENTS = "assignments:write"
"""Who sends students to sites sees in what state they are; so do those who see all records."""


def body(site: Site, actor: Actor, today: date) -> dict[str, Any]:
    """Codes with their validity to everybody; conditions and suspensions to whoever sends students there."""
    ends = [*(code.valid_from for code in site.codes[1:]), None]
    shown = {
        "registered_by": msgspec.to_builtins(site.registered_by),
        "name": site.name,
        "cvegeo": site.cvegeo,
        "level": msgspec.to_builtins(site.level),
        "plaza_types": msgspec.to_builtins(site.plaza_types),
        "clues": site.clues_on(today),
        "codes": [
            {
                "clues": code.clues,
                "valid_from": msgspec.to_builtins(code.valid_from),
                "valid_until": msgspec.to_builtins(end),
            }
            for code, end in zip(site.codes, ends, strict=False)
        ],
    }
    if actor.sees_all or _PLACES_STUDENTS in actor.scopes:
        shown["suspended"] = site.closed_on(today)
        shown["suspensions"] = msgspec.to_builtins(site.closures)
        shown["conditions"] = msgspec.to_builtins(sorted(site.conditions, key=lambda found: found.on))
    return shown
