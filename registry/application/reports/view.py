"""What a reader sees of a report beside what it says now: what it said before, and what reviewers decided about it."""

from typing import Any, cast
from uuid import UUID

import msgspec

from registry.application.execution.application import Application
from registry.application.execution.unit import Actor
from registry.domain.incident import Incident
from registry.domain.report import Report
from registry.log.canonical import JSON


def body(report: Report) -> dict[str, JSON]:
    """A report in codes, under the names in which it is sent, each amendment with the values that it replaced."""
    if report.report is None:
        return {"quarter": report.quarter, "withdrawn": _code(report.withdrawn)}
    said = {
        name: value for name, value in msgspec.to_builtins(report.report).items() if name not in _ENVELOPE
    }
    state: dict[str, Any] = {
        **said,
        "class": _code(report.report_class),
        "amendments": msgspec.to_builtins(report.amendments),
        "withdrawn": _code(report.withdrawn),
        "triage": _code(report.triage),
        "waiting": report.waiting,
        "attachments": msgspec.to_builtins(report.evidence),
    }
    return cast("dict[str, JSON]", state)


async def links(app: Application, actor: Actor, report: Report) -> dict[str, JSON]:
    """The incidents that it is linked to, and those that it is not about.

    Verifiers and analysts see all of them, its institution those that a release has made public.
    """
    if report.report is None:
        return {}
    return {
        "incidents": await _known(app, actor, report.incidents),
        "rejected": await _known(app, actor, report.rejected),
    }


async def _known(app: Application, actor: Actor, incidents: frozenset[UUID]) -> list[JSON]:
    known: list[JSON] = []
    for incident_id in sorted(incidents):
        if not actor.sees_all:
            incident = await app.load(Incident, incident_id)
            if incident is None or incident.disclosure is None:
                continue
        known.append(str(incident_id))
    return known


def _code(code: str | None) -> str | None:
    return None if code is None else str(code)


_ENVELOPE = frozenset({"stream", "version", "event_id", "by"})
