"""Whole lives of an invented register, as stored events: every kind of stream, changes of each, releases in between.

Few streams, so that their events meet in one batch and lie in several; anything that the domain allows may follow.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from registry.domain.assignment import Assignment
from registry.domain.assignment_events import AssignmentRegistered
from registry.domain.certainty import LinkedReport
from registry.domain.claims import Victim, When, Where
from registry.domain.codes import (
    AssignmentEnd,
    Certainty,
    CorrectionReason,
    DatePrecision,
    Directness,
    IncidentClass,
    InstitutionKind,
    Nexus,
    Outcome,
    PlacePrecision,
    PlazaType,
    RelocationDecision,
    RelocationReason,
    RelocationRequester,
    ReportClass,
    Sex,
    SiteSuspensionReason,
    SourceType,
    SuspensionReason,
    TriageDecision,
    VictimRole,
)
from registry.domain.event import Act, Aggregate, By, Event
from registry.domain.incident import Incident
from registry.domain.incident_events import (
    CertaintySet,
    IncidentDisclosed,
    IncidentOpened,
    IncidentRetracted,
    VictimRecorded,
)
from registry.domain.institution import Institution, InstitutionRegistered
from registry.domain.mapper import encode_event
from registry.domain.register import REGISTER_ID, DefinitionAdopted, Register, ReleasePublished
from registry.domain.report import Report
from registry.domain.report_events import (
    AttackReported,
    EvidenceAttached,
    MatchRejected,
    NilReported,
    OccurrenceClaims,
    ReportAmended,
    ReportTriaged,
    ReportWithdrawn,
    ThreatReported,
)
from registry.domain.site import Site, SiteRegistered
from registry.errors import RegistryError
from registry.log.leaf import entry_leaf, open_leaf
from registry.log.merkle import leaf_hash
from registry.store import Recorded

A = TypeVar("A", bound=Aggregate)

_COMMITMENT = "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
_MUNICIPALITIES = ("16012", "16053", "14012")
_DAYS = 900


class Life:
    """Draws one event after another. ``events`` are stored as the writer would store them."""

    def __init__(self, random: Random, most: int = 6) -> None:
        self._random, self._most, self._ids = random, most, 0
        self._at = datetime(2023, 1, 2, tzinfo=UTC)
        self._institutions: list[Institution] = []
        self._sites: list[Site] = []
        self._assignments: list[Assignment] = []
        self._reports: list[Report] = []
        self._incidents: list[Incident] = []
        self._register = Register(id=REGISTER_ID)
        self.events: list[Recorded] = []

    def go_on(self, count: int) -> list[Recorded]:
        """The next ``count`` events."""
        first = len(self.events)
        steps: tuple[Callable[[], None], ...] = (
            self._institution,
            self._site,
            *[self._assignment] * 3,
            *[self._service] * 6,
            self._keep_site,
            self._nil,
            *[self._amendment] * 2,
            *[self._triage] * 3,
            self._withdrawal,
            self._attachment,
            *[self._report] * 4,
            *[self._incident] * 2,
            *[self._victim] * 2,
            *[self._certainty] * 4,
            self._retraction,
            *[self._disclosure] * 3,
            self._release,
            self._definition,
        )
        while len(self.events) < first + count:
            self._at += timedelta(hours=self._random.randrange(48))
            self._random.choice(steps)()
        return self.events[first:]

    def _record(self, aggregate: Aggregate, event_type: type[Event], **data: Any) -> None:
        by = By(
            institution=self._random.choice(self._institutions).id if self._institutions else None, key=None
        )
        event = aggregate.trigger(event_type, Act(by, self._at), event_id=self._id(), **data)
        leaf = (
            open_leaf(event.event_id, event.TOPIC, event.recorded.date(), event.public())
            if event.OPEN
            else entry_leaf(event.event_id, _COMMITMENT)
        )
        self.events.append(
            Recorded(
                len(self.events),
                event.event_id,
                event.originator_id,
                event.originator_version,
                event.TOPIC,
                encode_event(event),
                leaf,
                leaf_hash(leaf),
            )
        )

    def _institution(self) -> None:
        if len(self._institutions) < self._most:
            made = Institution(id=self._id())
            kind = self._random.choice([InstitutionKind.UNIVERSITY, InstitutionKind.ASSOCIATION])
            self._record(made, InstitutionRegistered, name="Institución de Ejemplo", kind=kind, state="16")
            self._institutions.append(made)

    def _site(self) -> None:
        if len(self._sites) < self._most:
            made = Site(id=self._id())
            place = self._random.choice(_MUNICIPALITIES)
            self._record(
                made, SiteRegistered, name="Clínica", cvegeo=place, clues=None, level=None, plaza_types=()
            )
            self._sites.append(made)

    def _assignment(self) -> None:
        if self._institutions and self._sites and len(self._assignments) < self._most:
            made = Assignment(id=self._id())
            starts = self._day()
            self._record(
                made,
                AssignmentRegistered,
                student=f"student-{self._random.randrange(self._most)}",
                institution=self._random.choice(self._institutions).id,
                site=self._random.choice(self._sites).id,
                promotion=f"{starts.year}-{self._random.choice('12')}",
                plaza_type=PlazaType.C,
                starts=starts,
                planned_end=starts + timedelta(days=364),
            )
            self._assignments.append(made)

    def _service(self) -> None:
        """What the domain allows of all that can happen in a year of service."""
        if not self._assignments:
            return
        draw = self._random
        one = draw.choice(self._assignments)
        day = one.service.begin + timedelta(days=draw.choice([-3, 0, 1, 30, 90, 200, 364]))
        commands: tuple[Callable[[Assignment, Act], None], ...] = (
            lambda a, act: a.start(act, on=day),
            *[lambda a, act: a.suspend(act, on=day, reason=SuspensionReason.THREAT)] * 2,
            lambda a, act: a.resume(act, on=day),
            lambda a, act: a.request_relocation(
                act,
                requester=RelocationRequester.STUDENT,
                reason=RelocationReason.THREAT,
                on=day,
                trigger_incident=None,
            ),
            lambda a, act: a.decide_relocation(
                act, request=draw.randrange(1, 9), decision=draw.choice(list(RelocationDecision)), on=day
            ),
            *[
                lambda a, act: a.relocate(
                    act,
                    to=draw.choice(self._sites).id,
                    effective=day,
                    reason=RelocationReason.THREAT,
                    trigger_incident=draw.choice([None, *(incident.id for incident in self._incidents)]),
                )
            ]
            * 4,
            lambda a, act: a.end(act, reason=draw.choice(list(AssignmentEnd)), on=day),
            *[
                lambda a, act: a.correct(
                    act,
                    event=draw.randrange(1, 9),
                    field=draw.choice(["on", "effective", "starts", "planned_end"]),
                    new=draw.choice([None, day.isoformat()]),
                    reason=CorrectionReason.DATA_ENTRY,
                )
            ]
            * 2,
        )
        self._command(one, draw.choice(commands))
        if one.service.ended and len(self._assignments) == self._most:
            self._assignments.remove(one)

    def _keep_site(self) -> None:
        if not self._sites:
            return
        day = self._day()
        commands: tuple[Callable[[Site, Act], None], ...] = (
            lambda site, act: site.recode(act, clues="MNIMB000126", valid_from=day),
            lambda site, act: site.suspend(act, reason=SiteSuspensionReason.THREAT, on=day),
            lambda site, act: site.reopen(act, on=day),
        )
        self._command(self._random.choice(self._sites), self._random.choice(commands))

    def _command(self, aggregate: A, decide: Callable[[A, Act], None]) -> None:
        """The event of a command, if the domain allows it, with an id like all others."""
        tried = aggregate.stored()
        with suppress(RegistryError):
            decide(tried, Act(By(institution=None, key=None), self._at))
        for event in tried.collect_events():
            envelope = Event.__struct_fields__
            data = {name: getattr(event, name) for name in event.__struct_fields__ if name not in envelope}
            self._record(aggregate, type(event), **data)

    def _nil(self) -> None:
        if self._institutions:
            day, made = self._day(), Report(id=self._id())
            self._record(
                made,
                NilReported,
                institution=self._random.choice(self._institutions).id,
                quarter=f"{day.year}-Q{(day.month + 2) // 3}",
            )
            if not self._random.randrange(3):
                self._record(made, ReportWithdrawn, reason=CorrectionReason.NEW_EVIDENCE)

    def _report(self) -> None:
        if self._institutions:
            made = Report(id=self._id())
            self._record(
                made,
                self._random.choice([AttackReported, ThreatReported]),
                institution=self._random.choice(self._institutions).id,
                **self._source(),
                **self._claims(),
            )
            self._reports = [*self._reports, made][-self._most :]

    def _source(self) -> dict[str, Any]:
        return {
            "source_type": SourceType.UNIVERSITY,
            "directness": Directness.DIRECT,
            "source": None,
            "derived_from": None,
        }

    def _claims(self) -> dict[str, Any]:
        latest, place = self._day(), self._random.choice(_MUNICIPALITIES)
        earliest = self._random.choice([None, latest - timedelta(days=self._random.choice([0, 40]))])
        when = When(earliest=earliest, latest=latest, precision=DatePrecision.INTERVAL)
        where = Where(state=place[:2], cvegeo=place, precision=PlacePrecision.MUNICIPALITY)
        victim = Victim(
            role=VictimRole.PASANTE_MEDICINE,
            sex=Sex.MALE,
            outcome=self._random.choice([Outcome.SEVERE, Outcome.KILLED]),
            nexus=Nexus.UNKNOWN,
            person=f"student-{self._random.randrange(self._most)}",
        )
        return {
            "when": self._random.choice([None, when]),
            "where": self._random.choice([None, where]),
            "kind": "UNKNOWN",
            "means": (),
            "perpetrator": None,
            "victims": self._random.choice([(), (victim,)]),
            "digests": self._random.choice([(), (f"digest-{self._random.randrange(3)}",)]),
            "urls": (),
        }

    def _amendment(self) -> None:
        if self._reports:
            self._record(
                self._random.choice(self._reports),
                ReportAmended,
                reason=CorrectionReason.NEW_EVIDENCE,
                **self._source(),
                claims=OccurrenceClaims(**self._claims()),
            )

    def _triage(self) -> None:
        if self._reports and self._incidents:
            report, incident = self._random.choice(self._reports), self._random.choice(self._incidents)
            if self._random.randrange(4):
                decision = self._random.choice(list(TriageDecision))
                linked = decision is TriageDecision.LINK or self._random.randrange(2)
                self._record(
                    report, ReportTriaged, decision=decision, incident=incident.id if linked else None
                )
            else:
                self._record(report, MatchRejected, incident=incident.id)

    def _withdrawal(self) -> None:
        if self._reports:
            withdrawn = self._random.choice(self._reports)
            self._record(withdrawn, ReportWithdrawn, reason=CorrectionReason.DATA_ENTRY)
            self._reports.remove(withdrawn)

    def _attachment(self) -> None:
        if self._reports:
            self._record(
                self._random.choice(self._reports),
                EvidenceAttached,
                evidence=self._id(),
                size=1,
                media_type="text/plain",
                digests=(f"digest-{self._random.randrange(3)}",),
                urls=(),
            )

    def _incident(self) -> None:
        if not self._reports:
            return
        report = self._random.choice(self._reports)
        linked = LinkedReport(
            report=report.id,
            institution=self._random.choice(self._institutions).id,
            recorded=self._at,
            report_class=ReportClass.ATTACK,
            source_type=SourceType.UNIVERSITY,
            directness=Directness.DIRECT,
            source=None,
            derived_from=None,
            when=None,
            where=None,
        )
        made = Incident(id=self._id())
        self._record(made, IncidentOpened, incident_class=IncidentClass.ATTACK, reports=(linked,))
        self._incidents = [*self._incidents, made][-self._most :]

    def _victim(self) -> None:
        if self._incidents:
            victim = Victim(
                role=VictimRole.PASANTE_MEDICINE,
                sex=Sex.FEMALE,
                outcome=Outcome.KILLED,
                nexus=Nexus.ON_DUTY_AT_SITE,
                assignment=self._random.choice([None, *(one.id for one in self._assignments)]),
            )
            self._record(self._random.choice(self._incidents), VictimRecorded, victim=victim)

    def _certainty(self) -> None:
        if self._incidents:
            level = self._random.choice([Certainty.RUMOUR, Certainty.POSSIBLE, Certainty.CONFIRMED])
            self._record(
                self._random.choice(self._incidents), CertaintySet, level=level, criteria=(), basis=()
            )

    def _retraction(self) -> None:
        if self._incidents:
            reason = self._random.choice(list(CorrectionReason))
            self._record(self._random.choice(self._incidents), IncidentRetracted, reason=reason)

    def _disclosure(self) -> None:
        if self._incidents:
            shown = self._random.choice(self._incidents)
            self._record(shown, IncidentDisclosed, disclosure=self._public(shown.id))

    def _release(self) -> None:
        self._record(
            self._register,
            ReleasePublished,
            release=self._id(),
            definition="00" * 32,
            policy="00" * 32,
            disclosed=0,
            answers=(),
            tables=(),
        )

    def _definition(self) -> None:
        self._record(self._register, DefinitionAdopted, definition="national-count/1", sha256="00" * 32)

    def _public(self, incident: UUID) -> dict[str, Any]:
        dead = [self._random.randrange(2)] * 3
        bounds = {"victims": [1, 1, 2], "deaths": dead}
        sexes = {"FEMALE": dead}
        values: dict[str, Any] = {
            "tally": {"strict": bounds, "broad": bounds},
            "year": "2023",
            "state": "16",
            "kind": "ROBBERY",
            "municipality": "16012",
            "month": "2023-04",
            "sex": {"strict": sexes, "broad": sexes} if any(dead) else "NOT_APPLICABLE",
        }
        facets = {
            name: {"value": value} if self._random.randrange(4) else {"sealed": _COMMITMENT}
            for name, value in values.items()
        }
        return {
            "incident": str(incident),
            "status": "ACTIVE",
            "merged_into": None,
            "certainty": self._random.choice(["POSSIBLE", "CONFIRMED"]),
            "disputed": False,
            "class": "ATTACK",
            "reason": None,
            "waived": [],
            "facets": facets,
        }

    def _day(self) -> date:
        return date(2023, 1, 2) + timedelta(days=self._random.randrange(_DAYS))

    def _id(self) -> UUID:
        """Never twice the same, whatever is drawn; in no order, as random ids are."""
        self._ids += 1
        return UUID(int=(self._random.getrandbits(64) << 64) + self._ids, version=4)


async def store_life(connection: Any, events: list[Recorded]) -> None:
    """Append the next events of a life, in one transaction."""
    async with connection.transaction():
        await connection.copy_records_to_table(
            "events",
            columns=["position", "event_id", "stream_id", "version", "type", "state", "leaf", "leaf_hash"],
            records=[
                (e.position, e.event_id, e.stream_id, e.version, e.type, e.state, e.leaf, e.leaf_hash)
                for e in events
            ],
        )
        await connection.execute("UPDATE head SET size = $1", events[-1].position + 1)
