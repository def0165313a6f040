"""How an incident is shown to those who may read it: what holds now, and how it came to that."""

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from registry.domain.event import Event
from registry.domain.incident import Incident
from registry.domain.incident_events import (
    FINDINGS,
    CertaintySet,
    DisputeResolved,
    FindingRecorded,
    IncidentCorrected,
    IncidentDisputed,
    IncidentReinstated,
    IncidentRetracted,
    OutcomeUpdated,
    ReportUnlinked,
)
from registry.log.canonical import JSON

_HISTORY: dict[type[Event], str] = {
    FindingRecorded: "findings",
    OutcomeUpdated: "outcomes",
    CertaintySet: "certainties",
    IncidentCorrected: "corrections",
    ReportUnlinked: "unlinked",
    IncidentRetracted: "retractions",
    IncidentReinstated: "reinstatements",
}
"""Under which name the events of a type are listed. Disputes are listed with their resolution."""


def body(incident: Incident, events: Sequence[Event]) -> dict[str, JSON]:
    """The incident in codes, under the names in which it is sent, and its history from all of its events.

    An entry of the history names the event's version, under which the private words that came with it are found.
    """
    history: dict[str, list[dict[str, Any]]] = {name: [] for name in _HISTORY.values()}
    for event in events:
        if type(event) in _HISTORY:
            history[_HISTORY[type(event)]].append(_entry(event))
    return cast(
        "dict[str, JSON]",
        {
            "class": incident.incident_class.value,
            "status": incident.status.value,
            "disputed": incident.disputed,
            "merged_into": None if incident.merged_into is None else str(incident.merged_into),
            "split_from": None if incident.split_from is None else str(incident.split_from),
            "retracted": None if incident.retracted is None else incident.retracted.value,
            **{
                name: msgspec.to_builtins(getattr(incident, name))
                for name in (
                    "certainty",
                    "criteria",
                    "basis",
                    "when",
                    "where",
                    "kind",
                    "means",
                    "perpetrator",
                )
            },
            "already_public": incident.already_public,
            "family_agrees": incident.family_agrees,
            "family_objects": incident.family_objects,
            "reports": msgspec.to_builtins(incident.reports),
            "victims": [
                {"number": number, **msgspec.to_builtins(victim)}
                for number, victim in enumerate(incident.victims, 1)
            ],
            "disputes": _disputes(incident, events),
            **history,
        },
    )


def _entry(event: Event) -> dict[str, Any]:
    """One event of the history: when, by whom, and what it says."""
    fields = msgspec.to_builtins(event)
    said = {
        name: value
        for name, value in fields.items()
        if name not in {"stream", "version", "event_id", "recorded", "by"}
    }
    if isinstance(event, FindingRecorded):
        (found,) = event.touched()
        value = said[found]
        said = {name: one for name, one in said.items() if name not in FINDINGS}
        said |= {"field": found, "value": value}
    return {
        "version": fields["version"],
        "recorded": fields["recorded"],
        "institution": fields["by"]["institution"],
        **said,
    }


def _disputes(incident: Incident, events: Sequence[Event]) -> list[dict[str, Any]]:
    raised = [_entry(event) for event in events if isinstance(event, IncidentDisputed)]
    resolved = {event.dispute: _entry(event) for event in events if isinstance(event, DisputeResolved)}
    return [
        {
            "number": number,
            **dispute,
            "open": incident.disputes[number - 1].decision is None,
            "resolution": resolved.get(number),
        }
        for number, dispute in enumerate(raised, 1)
    ]
