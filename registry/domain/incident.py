"""Incidents: the adjudicated occurrence, the only thing that public counts are made from.

Reviewers of other institutions than the reporting ones decide. What it rests on is in ``incident_sources``.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from registry.domain import incident_rules as rules
from registry.domain.claims import NOBODY, Contradiction, Perpetrator, Range, Victim, When, Where, without
from registry.domain.codes import (
    CertaintyBasis,
    CorrectionReason,
    DisputeGround,
    DisputeOutcome,
    IncidentClass,
    Manner,
    Means,
    Outcome,
)
from registry.domain.event import NOTHING_PRIVATE, Act, Private
from registry.domain.incident_events import (
    FINDINGS,
    CorrectedField,
    DisputeResolved,
    FindingRecorded,
    IncidentCorrected,
    IncidentDisclosed,
    IncidentDisputed,
    IncidentMerged,
    IncidentReinstated,
    IncidentRetracted,
    IncidentSplit,
    OutcomeUpdated,
    ReportUnlinked,
    VictimRecorded,
)
from registry.domain.incident_sources import SourcedIncident
from registry.errors import InvalidInput
from registry.log.canonical import JSON


class Incident(SourcedIncident, kw_only=True):
    """One occurrence, and what may be decided about it."""

    def record_finding(
        self,
        act: Act,
        *,
        when: When | None = None,
        where: Where | None = None,
        kind: str | None = None,
        means: tuple[Means, ...] | None = None,
        perpetrator: Perpetrator | None = None,
        already_public: bool | None = None,
        family_agrees: bool | None = None,
        basis: tuple[CertaintyBasis, ...] = (),
        reports: tuple[UUID, ...] = (),
        private: Private = NOTHING_PRIVATE,
    ) -> None:
        self._must_be_open(act)
        found: dict[str, Any] = {
            "when": when,
            "where": where,
            "kind": kind,
            "means": means,
            "perpetrator": perpetrator,
            "already_public": already_public,
            "family_agrees": family_agrees,
        }
        if sum(value is not None for value in found.values()) != 1:
            names = ", ".join(FINDINGS)
            raise InvalidInput(
                "",
                f"Cada hallazgo lleva exactamente uno de: {names}.",
                f"Each finding holds exactly one of: {names}.",
            )
        if family_agrees and self.family_objects:
            raise rules.family_objects()
        rules.must_fit(kind, self.incident_class)
        if any(self.linked(report) is None for report in reports):
            raise rules.not_linked()
        self.trigger(FindingRecorded, act, private=private, basis=basis, reports=reports, **found)

    def hold_closed(self, act: Act) -> None:
        """A person it is about, or the family, objects: what they may keep closed stays closed.

        A consequence of their request, on which the register acts itself: reviewers neither decide it nor take it back.
        """
        if self.merged_into is None and not self.family_objects:
            closed: dict[str, Any] = {**dict.fromkeys(FINDINGS), "family_agrees": False}
            self.trigger(FindingRecorded, act, basis=(), reports=(), **closed)

    def record_victim(self, act: Act, victim: Victim, *, private: Private = NOTHING_PRIVATE) -> None:
        self._must_be_open(act)
        self._must_be_new(victim)
        self.trigger(VictimRecorded, act, private={**_covers(victim), **private}, victim=victim)

    def update_outcome(
        self,
        act: Act,
        *,
        victim: int,
        outcome: Outcome,
        manner: Manner | None,
        count: Range | None,
        known_on: date,
    ) -> None:
        """``count``: of how many of several alike; None for all of them."""
        self._must_be_open(act)
        known = self.victim(victim)
        if known.count == NOBODY or count == NOBODY:
            raise rules.nobody_left()
        if known.outcome is Outcome.KILLED and outcome is not Outcome.KILLED:
            raise rules.killed_already()
        if (known.outcome, known.manner) == (outcome, manner):
            raise rules.nothing_changes()
        rules.must_be_of_the_dead(outcome, manner)
        if count is not None:
            try:
                without(known.count, count)
            except Contradiction as error:
                raise InvalidInput("count", error.text.es, error.text.en) from error
        self.trigger(
            OutcomeUpdated,
            act,
            private=_covers(known),
            victim=victim,
            outcome=outcome,
            manner=manner,
            count=None if count == known.count else count,
            known_on=known_on,
        )

    def dispute(self, act: Act, ground: DisputeGround, *, private: Private = NOTHING_PRIVATE) -> None:
        """Any institution may, also one that has reported: it decides nothing."""
        self._must_be_in_force()
        for earlier in self.disputes:
            if (earlier.institution, earlier.ground, earlier.decision) == (act.by.institution, ground, None):
                raise rules.disputed_already()
        self.trigger(IncidentDisputed, act, private=private, ground=ground)

    def resolve_dispute(
        self, act: Act, dispute: int, decision: DisputeOutcome, *, private: Private = NOTHING_PRIVATE
    ) -> None:
        self._must_be_open(act)
        if not 1 <= dispute <= len(self.disputes):
            raise InvalidInput(
                "dispute",
                "No hay disputa con ese número. Lea el incidente para ver las que hay.",
                "There is no dispute of that number. Read the incident to see those that there are.",
            )
        disputed = self.disputes[dispute - 1]
        if disputed.decision is not None:
            raise rules.dispute_closed()
        if disputed.institution == act.by.institution:
            raise rules.own_dispute()
        self.trigger(DisputeResolved, act, private=private, dispute=dispute, decision=decision)

    def correct(
        self,
        act: Act,
        new: Mapping[CorrectedField, Any],
        *,
        victim: int | None = None,
        reason: CorrectionReason,
        private: Private = NOTHING_PRIVATE,
    ) -> None:
        """What should have been recorded, by field; under ``victim`` the one of that number, whole.

        What is recorded so already stays as it is; nothing else to correct is refused.
        """
        self._must_be_open(act)
        incident_class = new.get("class", self.incident_class)
        rules.must_fit(new.get("kind", self.kind), incident_class)
        old: dict[CorrectedField, Any] = {field: self._recorded(field, victim) for field in new}
        changed = [field for field in new if new[field] != old[field]]
        if not changed:
            raise rules.nothing_changes()
        for field in changed:
            about = {}
            if field == "victim":
                self._must_be_new(new[field], besides=victim)
                about = {**_covers(old[field]), **_covers(new[field])}
            self.trigger(
                IncidentCorrected,
                act,
                private={**about, **private},
                field=field,
                victim=victim if field == "victim" else None,
                old=msgspec.to_builtins(old[field]),
                new=msgspec.to_builtins(new[field]),
                reason=reason,
            )
        if "class" in changed:
            self._hold_to_the_facts(act)

    def retract(self, act: Act, reason: CorrectionReason) -> None:
        self._must_be_open(act)
        self.trigger(IncidentRetracted, act, reason=reason)

    def reinstate(self, act: Act, reason: CorrectionReason) -> None:
        """Takes back a retraction; another institution than the one that retracted."""
        self._four_eyes(act, *self.reports)
        self._must_not_be_merged()
        if self.retracted is None:
            raise rules.not_retracted()
        if self.retracted_by == act.by.institution:
            raise rules.own_retraction()
        self.trigger(IncidentReinstated, act, reason=reason)

    def merge(self, act: Act, into: "Incident", reason: CorrectionReason) -> None:
        """The reports move to ``into``, victims and findings do not: they would count twice. Stored in one write."""
        self._must_be_open(act)
        if into.id == self.id:
            raise rules.merge_with_itself()
        if not into.stands:
            raise rules.merge_target_gone(into.id)
        if self.ever_possible and not into.ever_possible:
            raise rules.merge_target_undisclosed(into.id)
        if into.incident_class is not self.incident_class:
            raise rules.merge_class_differs()
        if not self.reports:
            raise rules.merge_without_reports()
        if self.disputed:
            raise rules.dispute_open()
        # Both streams change whatever is merged, so that of two merges that would make a circle one comes too late.
        for report in self.reports:
            into.link_report(act, report)
        self.trigger(IncidentMerged, act, into=into.id, reason=reason)

    def split(
        self,
        act: Act,
        *,
        incident_class: IncidentClass,
        reports: Sequence[UUID],
        victims: Sequence[int],
        reason: CorrectionReason,
    ) -> "Incident":
        """Another incident with some of the reports, and the victims of some numbers. Stored in one write."""
        self._must_be_open(act)
        moving = [one for one in self.reports if one.report in reports]
        if len(moving) != len(set(reports)):
            raise rules.not_linked()
        if len(moving) == len(self.reports):
            raise rules.split_takes_all()
        moved = {number: self.victim(number) for number in sorted(set(victims))}
        if any(victim.count == NOBODY for victim in moved.values()):
            raise rules.nobody_left()
        part = Incident.open(act, incident_class=incident_class, reports=moving)
        part.trigger(IncidentSplit, act, from_=self.id, reason=reason)
        for report in moving:
            self.trigger(ReportUnlinked, act, report=report.report, reason=reason)
        for number, victim in moved.items():
            part.record_victim(act, victim)
            gone = msgspec.structs.replace(victim, count=NOBODY)
            self.correct(act, {"victim": gone}, victim=number, reason=reason)
        self._hold_to_the_facts(act)
        return part

    def disclose(
        self,
        act: Act,
        *,
        event_id: UUID,
        disclosure: dict[str, JSON],
        facets: dict[str, JSON],
        commitment_keys: Mapping[str, bytes],
    ) -> None:
        """Releases only. ``facets`` are all values, the sealed ones included, which stay private."""
        self.trigger(
            IncidentDisclosed,
            act,
            event_id=event_id,
            private={self.subject: {"facets": facets}},
            commitment_keys=commitment_keys,
            disclosure=disclosure,
        )

    def victim(self, number: int) -> Victim:
        """The victim of a number. Raises InvalidInput if there is none."""
        if not 1 <= number <= len(self.victims):
            raise InvalidInput(
                "victim",
                "No hay víctima con ese número. Lea el incidente para ver las que hay.",
                "There is no victim of that number. Read the incident to see those that there are.",
            )
        return self.victims[number - 1]

    def _must_be_new(self, victim: Victim, besides: int | None = None) -> None:
        """A person is a victim once; the record that is being corrected does not count."""
        if victim.count == NOBODY:
            return
        for number, known in enumerate(self.victims, 1):
            if number != besides and known.person == victim.person is not None and known.count != NOBODY:
                raise rules.victim_known()

    def _recorded(self, field: CorrectedField, victim: int | None) -> Any:
        if field == "victim":
            return self.victim(victim or 0)
        return self.incident_class if field == "class" else getattr(self, field)


def _covers(victim: Victim) -> Private:
    """Whose erasure makes it impossible to open what an event commits to about a victim."""
    return {} if victim.person is None else {f"person:{victim.person}": {}}
