"""After any commands, reports and incidents agree on their links, and no incident claims more than its sources hold."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from random import Random
from typing import Any
from uuid import UUID

import pytest

from registry.application import incidents, reports
from registry.application.drafts import (
    AmendmentDraft,
    CertaintyDraft,
    IncidentDraft,
    LinkDraft,
    MatchRejectionDraft,
    MergeDraft,
    ReportDraft,
    RetractionDraft,
    SplitDraft,
    TriageDraft,
    WhenDraft,
    WhereDraft,
    WithdrawalDraft,
)
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor, Decision, WriteOptions
from registry.application.incidents import revisions
from registry.application.reports import triage
from registry.application.reports.linking import linked_report
from registry.domain.certainty import supported
from registry.domain.codes import (
    Certainty,
    CertaintyBasis,
    CorrectionReason,
    DatePrecision,
    Directness,
    IncidentClass,
    InstitutionKind,
    PlacePrecision,
    ReportClass,
    SourceType,
    TriageDecision,
)
from registry.domain.incident import Incident
from registry.domain.report import Report
from registry.errors import InvalidInput, NotFound, RuleViolated
from tests.integration.conftest import new_institution

Command = tuple[Actor, Decision, Callable[[UUID], None]]
"""Who, what, and what to do with the id of the record that it made or changed."""

WHY = CorrectionReason.NEW_EVIDENCE


class Commands:
    """Draws commands about a few reports and incidents; remembers what came of them by id."""

    def __init__(self, random: Random, reporting: list[Actor], reviewing: list[Actor]) -> None:
        self._random, self._reporting, self._reviewing = random, reporting, reviewing
        self.reports: dict[UUID, Actor] = {}
        self.incidents: list[UUID] = []

    def draw(self) -> Command:
        """Any command, also such as must be refused."""
        kind = self._random.choice(
            [self._submit] * 5
            + [self._amend] * 3
            + [self._open] * 6
            + [self._triage] * 6
            + [self._certainty] * 5
            + [self._link, self._withdraw, self._merge, self._merge, self._reject, self._retract]
            + [self._split] * 8
        )
        return kind()

    def _submit(self) -> Command:
        actor = self._random.choice(self._reporting)
        return actor, reports.submit(ReportDraft(**self._said())), lambda made: self._keep(made, actor)

    def _amend(self) -> Command:
        report = self._report()
        draft = AmendmentDraft(reason=WHY, **self._said())
        return self.reports.get(report, self._reporting[0]), reports.amend(report, draft), _nothing

    def _withdraw(self) -> Command:
        report = self._report()
        decision = reports.withdraw(report, WithdrawalDraft(reason=WHY))
        return self.reports.get(report, self._reporting[0]), decision, _nothing

    def _open(self) -> Command:
        some = self._random.sample(list(self.reports), min(len(self.reports), self._random.randint(1, 3)))
        level = self._random.choice([None, Certainty.POSSIBLE, Certainty.PROBABLE])
        draft = IncidentDraft(
            class_=IncidentClass.ATTACK,
            reports=list(some),
            certainty=CertaintyDraft(level=level) if level else None,
        )
        return self._reviewer(), incidents.open_incident(draft), self.incidents.append

    def _link(self) -> Command:
        named: dict[str, Any] = self._random.choice(
            [{"report": self._report()}, {"remove": self._report(), "reason": WHY}]
        )
        return self._reviewer(), incidents.link_report(self._incident(), LinkDraft(**named)), _nothing

    def _triage(self) -> Command:
        draft = TriageDraft(
            decision=self._random.choice([TriageDecision.LINK, *TriageDecision]),
            incident=self._random.choice([None, self._incident(), self._incident()]),
            reason=self._random.choice([None, WHY]),
        )
        return self._reviewer(), triage.triage(self._report(), draft), _nothing

    def _reject(self) -> Command:
        draft = MatchRejectionDraft(incident=self._incident())
        return self._reviewer(), triage.reject_match(self._report(), draft), _nothing

    def _certainty(self) -> Command:
        draft = CertaintyDraft(
            level=self._random.choice([Certainty.POSSIBLE, Certainty.PROBABLE, Certainty.CONFIRMED]),
            basis=self._random.choice(
                [(CertaintyBasis.OFFICIAL_DOCUMENT,), (CertaintyBasis.SEALED_EVIDENCE,)]
            ),
        )
        return self._reviewer(), incidents.set_certainty(self._incident(), draft), _nothing

    def _merge(self) -> Command:
        return (
            self._reviewer(),
            revisions.merge(self._incident(), MergeDraft(into=self._incident())),
            _nothing,
        )

    def _split(self) -> Command:
        draft = SplitDraft(reports=[self._report()], reason=WHY)
        return self._reviewer(), revisions.split(self._incident(), draft), self.incidents.append

    def _retract(self) -> Command:
        draft = RetractionDraft(reason=WHY)
        return self._reviewer(), incidents.retract(self._incident(), draft), _nothing

    def _said(self) -> dict[str, Any]:
        day = date(2026, 1, self._random.choice([5, 5, 6]))
        return {
            "class_": ReportClass.ATTACK,
            "source_type": SourceType.PRESS,
            "directness": self._random.choice(list(Directness)),
            "derived_from": self._random.choice([None, None, self._report()]) if self.reports else None,
            "when": WhenDraft(earliest=day, latest=day, precision=DatePrecision.DAY),
            "where": WhereDraft(
                cvegeo=self._random.choice(["16012", "16012", "16053"]), precision=PlacePrecision.MUNICIPALITY
            ),
        }

    def _keep(self, report: UUID, actor: Actor) -> None:
        self.reports[report] = actor

    def _report(self) -> UUID:
        return self._random.choice(list(self.reports) or [UUID(int=1, version=4)])

    def _incident(self) -> UUID:
        return self._random.choice(self.incidents or [UUID(int=2, version=4)])

    def _reviewer(self) -> Actor:
        return self._random.choice(self._reviewing)


def _nothing(_: UUID) -> None:
    """What was changed is known already."""


@pytest.mark.parametrize("seed", [1, 2])
async def test_reports_and_incidents_agree_after_any_commands(app: Application, seed: int) -> None:
    reporting = [
        await new_institution(app, "Universidad", InstitutionKind.UNIVERSITY, {"reports:write"})
        for _ in range(3)
    ]
    reviewing = [
        await new_institution(app, "Observatorio", InstitutionKind.ASSOCIATION, {"incidents:verify"})
        for _ in range(3)
    ]
    commands = Commands(Random(seed), reporting, reviewing)
    done: set[str] = set()
    for _ in range(600):
        actor, decision, keep = commands.draw()
        with suppress(RuleViolated, InvalidInput, NotFound):
            keep((await app.execute(actor, decision, WriteOptions())).id)
            done.add(decision.__qualname__.partition(".")[0])
    assert done >= {
        "amend",
        "withdraw",
        "triage",
        "merge",
        "split",
        "set_certainty",
        "reject_match",
        "retract",
    }
    await _agree(app, commands)


async def _agree(app: Application, commands: Commands) -> None:
    said = {report: await app.load(Report, report) for report in commands.reports}
    linked: dict[UUID, set[UUID]] = {}
    for report_id, report in said.items():
        assert report is not None
        assert len(report.incidents) <= 1
        assert not report.incidents & report.rejected
        for incident_id in report.incidents:
            linked.setdefault(incident_id, set()).add(report_id)
    for incident_id in commands.incidents:
        incident = await app.load(Incident, incident_id)
        assert incident is not None
        if incident.merged_into is not None:
            assert incident_id not in linked
            continue
        assert {one.report for one in incident.reports} == linked.get(incident_id, set())
        assert set(incident.reports) == {
            linked_report(_known(said[one.report]), "") for one in incident.reports
        }
        if incident.certainty is not None:
            held = supported(incident.reports, incident.basis, incident.incident_class)
            assert incident.certainty.rank <= held.rank


def _known(report: Report | None) -> Report:
    assert report is not None
    return report
