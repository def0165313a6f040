"""Incidents: what verifiers decide about an occurrence, and what is shown of it. Later decisions: ``revisions``."""

from registry.application.incidents.decisions import (
    link_report,
    open_incident,
    record_finding,
    record_victim,
    reinstate,
    retract,
    set_certainty,
    update_outcome,
)

__all__ = [
    "link_report",
    "open_incident",
    "record_finding",
    "record_victim",
    "reinstate",
    "retract",
    "set_certainty",
    "update_outcome",
]
