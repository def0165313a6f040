"""Stored events: names are stable, unknown ones are refused, every event survives the way to bytes and back."""

from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
import pytest
from eventsourcing.domain import CollectEventsProtocol, DomainEventProtocol
from eventsourcing.persistence import StoredEvent

from registry.domain import mapper
from registry.domain.codes import InstitutionKind
from registry.domain.event import Act, By, Event
from registry.domain.institution import Institution, InstitutionRegistered
from registry.domain.mapper import EVENTS, EventMapper, decode_event, encode_event, noun_of
from registry.errors import UnknownEvent
from registry.log.canonical import encode

ACT = Act(By(institution=None, key=None), datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC))

NAMES = {
    "assignment.corrected",
    "assignment.ended",
    "assignment.registered",
    "assignment.relocated",
    "assignment.relocation_decided",
    "assignment.relocation_requested",
    "assignment.resumed",
    "assignment.started",
    "assignment.suspended",
    "attack.reported",
    "catalog.adopted",
    "definition.adopted",
    "incident.certainty_set",
    "incident.corrected",
    "incident.disclosed",
    "incident.dispute_resolved",
    "incident.disputed",
    "incident.finding_recorded",
    "incident.merged",
    "incident.opened",
    "incident.outcome_updated",
    "incident.reinstated",
    "incident.report_linked",
    "incident.report_unlinked",
    "incident.retracted",
    "incident.split",
    "incident.victim_recorded",
    "institution.registered",
    "institution.renamed",
    "nil.reported",
    "policy.adopted",
    "release.published",
    "relocation.reported",
    "report.amended",
    "report.evidence_attached",
    "report.match_rejected",
    "report.triaged",
    "report.withdrawn",
    "site.conditions_recorded",
    "site.recoded",
    "site.registered",
    "site.reopened",
    "site.suspended",
    "subject.erased",
    "threat.reported",
}


def registered() -> InstitutionRegistered:
    institution = Institution.register(ACT, name="Universidad Ñ", kind=InstitutionKind.UNIVERSITY, state="09")
    event = institution.pending[0].event
    assert isinstance(event, InstitutionRegistered)
    return event


def test_the_names_on_the_wire_are_these_for_ever() -> None:
    assert set(EVENTS) == NAMES


def test_the_open_events_are_these_and_no_others() -> None:
    assert {name for name, event in EVENTS.items() if event.OPEN} == {
        "catalog.adopted",
        "definition.adopted",
        "incident.disclosed",
        "institution.registered",
        "institution.renamed",
        "policy.adopted",
        "release.published",
        "site.recoded",
        "site.registered",
    }


def test_an_event_survives_the_way_to_bytes_and_back() -> None:
    event = registered()
    assert decode_event(event.TOPIC, encode_event(event)) == event
    assert encode_event(event, checked=True) == encode_event(event)


def test_the_mapper_fulfils_the_contract_of_the_library() -> None:
    event = registered()
    assert isinstance(event, DomainEventProtocol)
    assert isinstance(Institution.new(), CollectEventsProtocol)
    stored = EventMapper().to_stored_event(event)
    assert stored.topic == "institution.registered"
    assert EventMapper().to_domain_event(stored) == event


@pytest.mark.parametrize(
    "topic", ["os:system", "institution.forgotten", "registry.domain.institution:Institution"]
)
def test_an_unknown_name_is_refused_and_never_imported(topic: str) -> None:
    with pytest.raises(UnknownEvent):
        EventMapper().to_domain_event(StoredEvent(UUID(int=1), 1, topic, b"{}"))


def test_older_versions_are_brought_up_and_newer_ones_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Measured(Event, frozen=True, kw_only=True):
        TOPIC: ClassVar[str] = "site.measured"
        class_version: ClassVar[int] = 3
        metres: int

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["metres"] = state.pop("kilometres") * 1000

        @staticmethod
        def upcast_v2_v3(state: dict[str, Any]) -> None:
            state["metres"] += 1

    monkeypatch.setitem(mapper._READERS, Measured.TOPIC, mapper._reader(Measured))
    envelope = {
        name: value
        for name, value in msgspec.to_builtins(registered()).items()
        if name in {"stream", "version", "event_id", "recorded", "by"}
    }
    first = decode_event(Measured.TOPIC, encode({**envelope, "kilometres": 2}))
    assert isinstance(first, Measured)
    assert first.metres == 2001
    second = decode_event(Measured.TOPIC, encode({**envelope, "class_version": 2, "metres": 5}))
    assert isinstance(second, Measured)
    assert second.metres == 6
    assert decode_event(Measured.TOPIC, encode_event(first)) == first
    with pytest.raises(UnknownEvent):
        decode_event(Measured.TOPIC, encode({**envelope, "class_version": 4, "metres": 5}))


def test_every_name_belongs_to_one_kind_of_record() -> None:
    assert noun_of("nil.reported") == "nil_report"
    assert noun_of("attack.reported") == "report"


def test_an_event_that_would_not_read_back_is_never_encoded() -> None:
    event = registered()
    for spoilt in (
        msgspec.structs.replace(event, name=5),  # what a type checker forbids and a mistake may do
        msgspec.structs.replace(event, state=("09",)),
    ):
        with pytest.raises(ValueError, match="does not decode"):
            encode_event(spoilt)
