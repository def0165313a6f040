"""Events to bytes and back: the library's ``Mapper`` contract, for registered names only.

The library's ``resolve_topic`` imports whatever module a stored topic names; here a name is looked up in a closed
table, and an unknown one is refused.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent

from registry.domain.assignment import Assignment
from registry.domain.assignment_events import (
    AssignmentCorrected,
    AssignmentEnded,
    AssignmentRegistered,
    AssignmentRelocated,
    AssignmentResumed,
    AssignmentStarted,
    AssignmentSuspended,
    RelocationDecided,
    RelocationRequested,
)
from registry.domain.event import ENVELOPE, Aggregate, Event
from registry.domain.incident import Incident
from registry.domain.incident_events import (
    CertaintySet,
    DisputeResolved,
    FindingRecorded,
    IncidentCorrected,
    IncidentDisclosed,
    IncidentDisputed,
    IncidentMerged,
    IncidentOpened,
    IncidentReinstated,
    IncidentRetracted,
    IncidentSplit,
    OutcomeUpdated,
    ReportLinked,
    ReportUnlinked,
    VictimRecorded,
)
from registry.domain.institution import Institution, InstitutionRegistered, InstitutionRenamed
from registry.domain.register import (
    CatalogAdopted,
    DefinitionAdopted,
    PolicyAdopted,
    Register,
    ReleasePublished,
    SubjectErased,
)
from registry.domain.report import Report
from registry.domain.report_events import (
    AttackReported,
    EvidenceAttached,
    MatchRejected,
    NilReported,
    RelocationReported,
    ReportAmended,
    ReportTriaged,
    ReportWithdrawn,
    ThreatReported,
)
from registry.domain.site import (
    ConditionsRecorded,
    Site,
    SiteRecoded,
    SiteRegistered,
    SiteReopened,
    SiteSuspended,
)
from registry.errors import UnknownEvent
from registry.log.canonical import JSON, encode, encode_checked

STREAMS: dict[type[Aggregate], tuple[type[Event], ...]] = {
    Institution: (InstitutionRegistered, InstitutionRenamed),
    Site: (SiteRegistered, SiteRecoded, ConditionsRecorded, SiteSuspended, SiteReopened),
    Assignment: (
        AssignmentRegistered,
        AssignmentStarted,
        AssignmentSuspended,
        AssignmentResumed,
        RelocationRequested,
        RelocationDecided,
        AssignmentRelocated,
        AssignmentEnded,
        AssignmentCorrected,
    ),
    Report: (
        ThreatReported,
        AttackReported,
        RelocationReported,
        NilReported,
        ReportAmended,
        ReportWithdrawn,
        ReportTriaged,
        MatchRejected,
        EvidenceAttached,
    ),
    Incident: (
        IncidentOpened,
        ReportLinked,
        ReportUnlinked,
        FindingRecorded,
        VictimRecorded,
        OutcomeUpdated,
        CertaintySet,
        IncidentDisputed,
        DisputeResolved,
        IncidentCorrected,
        IncidentRetracted,
        IncidentReinstated,
        IncidentMerged,
        IncidentSplit,
        IncidentDisclosed,
    ),
    Register: (DefinitionAdopted, PolicyAdopted, CatalogAdopted, ReleasePublished, SubjectErased),
}
"""Which events each kind of stream holds."""

EVENTS: dict[str, type[Event]] = {event.TOPIC: event for events in STREAMS.values() for event in events}
AGGREGATES: dict[str, type[Aggregate]] = {
    event.TOPIC: aggregate for aggregate, events in STREAMS.items() for event in events
}
"""The kind of stream that an event of this name belongs to."""

NIL_REPORT = "nil_report"
"""The kind of record of a nil report: a stream like any report's, kept apart wherever people look."""


class _StoredVersion(msgspec.Struct):
    class_version: int = 1


def _reader(event_type: type[Event]) -> Callable[[bytes], Event]:
    """How the stored forms of one type are read, all its versions; one that never changed without asking."""
    read_newest = msgspec.json.Decoder(event_type).decode
    newest = event_type.class_version
    if newest == 1:
        return read_newest

    def read(state: bytes) -> Event:
        version = msgspec.json.decode(state, type=_StoredVersion).class_version
        if version == newest:
            return read_newest(state)
        if version > newest:
            raise UnknownEvent(f"{event_type.TOPIC} (v{version})")
        fields: dict[str, Any] = msgspec.json.decode(state)
        for older in range(version, newest):
            getattr(event_type, f"upcast_v{older}_v{older + 1}")(fields)
        return msgspec.convert(fields, event_type)

    return read


class _Readers(dict[str, Callable[[bytes], Event]]):
    """How the events of each name are read."""

    def __missing__(self, topic: str) -> Callable[[bytes], Event]:
        raise UnknownEvent(topic)


_READERS = _Readers({topic: _reader(event) for topic, event in EVENTS.items()})


def noun_of(topic: str) -> str:
    """The kind of record that a stream is whose first event has this name."""
    return NIL_REPORT if topic == NilReported.TOPIC else AGGREGATES[topic].NOUN


def encode_event(event: Event, *, checked: bool = False) -> bytes:
    """The stored form: canonical JSON of all fields, with ``class_version`` from the second version on.

    ``checked``: canonical JSON has accepted the event's ``content`` already.
    Raises ValueError for an event that would not read back as itself: stored, it would stop every reader for ever.
    """
    if checked and event.class_version == 1:
        state = encode_checked(event)
    else:
        fields = msgspec.to_builtins(event)
        if event.class_version > 1:
            fields["class_version"] = event.class_version
        state = encode(fields)
    try:
        if decode_event(event.TOPIC, state) == event:
            return state
    except (msgspec.ValidationError, UnknownEvent) as error:
        raise ValueError(
            f"{event.TOPIC} does not decode again: its fields hold what their types forbid"
        ) from error
    raise ValueError(f"{event.TOPIC} does not decode to itself")


def decode_event(topic: str, state: bytes) -> Event:
    """The event of a stored name and form, upcast to the version of this program.

    Raises UnknownEvent for a name, or a version, that this program does not know.
    """
    return _READERS[topic](state)


def decode_events(stored: Iterable[tuple[str, bytes]]) -> list[Event]:
    """The events of stored names and forms, as ``decode_event`` reads each."""
    return [_READERS[topic](state) for topic, state in stored]


def content(event: Event, private: dict[str, JSON]) -> dict[str, JSON]:
    """The value that an entry leaf commits to: the whole event, private values included."""
    fields = msgspec.to_builtins(event)
    return {
        "by": fields["by"],
        "data": {name: value for name, value in fields.items() if name not in ENVELOPE},
        "private": private,
        "recorded": fields["recorded"],
        "stream": fields["stream"],
        "type": event.TOPIC,
        "version": fields["version"],
    }


class EventMapper(Mapper[UUID]):
    """The library's mapper over this module's table."""

    def __init__(self) -> None:
        super().__init__(transcoder=JSONTranscoder())

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=domain_event.TOPIC,
            state=encode_event(domain_event),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Event:
        return decode_event(stored_event.topic, stored_event.state)
