"""Random commands on assignments and sites."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from registry.application import assignments
from registry.application import drafts as d
from registry.application.execution.unit import Decision
from registry.application.places import sites
from registry.domain.codes import (
    AssignmentEnd,
    PlazaType,
    RelocationDecision,
    RelocationReason,
    RelocationRequester,
    SiteSuspensionReason,
    SuspensionReason,
)
from tests.integration.machine.stepping import START, WHY, Stepping, numbers, strangers, submitters


class Serving(Stepping):
    """Students' service, and the sites where it is."""

    @property
    def today(self) -> date:
        return START + timedelta(days=self.model.day)

    @precondition(lambda self: len(self.ids["assignment"]) < 2)
    @rule(who=submitters, site=st.integers(0, 1))
    def assign(self, who: str, site: int) -> None:
        draft = d.AssignmentDraft(
            student=d.Student(internal_id="EJEMPLO-1"),
            site=self.ids["site"][site],
            promotion="2025-2",
            plaza_type=PlazaType.C,
            starts=START,
            planned_end=START + timedelta(days=364),
        )
        self.step(who, lambda model: model.assign(who, site), assignments.register(draft), "assignment")

    @precondition(lambda self: self.ids["assignment"])
    @rule(
        number=numbers,
        stranger=strangers,
        what=st.sampled_from(["suspend", "resume", "start", *["ask_to_move"] * 3, "end", "end", "undo_end"]),
        trigger=st.none() | numbers,
    )
    def serve(self, number: int, stranger: str | None, what: str, trigger: int | None) -> None:
        a, assignment = self.pick("assignment", number)
        served = self.model.assignments[a]
        who = stranger or served.institution
        ended = served.ended
        if what == "undo_end" and ended is None:
            return
        day = self.today
        decisions: dict[str, Callable[[], Decision]] = {
            "start": lambda: assignments.start(assignment, d.StartDraft(on=day)),
            "suspend": lambda: assignments.suspend(
                assignment, d.SuspensionDraft(on=day, reason=SuspensionReason.THREAT)
            ),
            "resume": lambda: assignments.resume(assignment, d.ResumptionDraft(on=day)),
            "ask_to_move": lambda: assignments.request_relocation(
                assignment,
                d.RelocationRequestDraft(
                    by=RelocationRequester.STUDENT,
                    reason=RelocationReason.THREAT,
                    on=day,
                    trigger_incident=None if trigger is None else self.incident(trigger)[1],
                ),
            ),
            "end": lambda: assignments.end(assignment, d.EndDraft(reason=AssignmentEnd.COMPLETED, on=day)),
            "undo_end": lambda: assignments.correct(
                assignment,
                d.AssignmentCorrectionDraft(event=ended or 1, field="on", new=None, reason=WHY),
            ),
        }
        self.step(who, lambda model: getattr(model, what)(who, a), decisions[what]())

    def request(self, a: int, number: int) -> int:
        """The version of one of its requests; of none that there is while it has none."""
        made = sorted(self.model.assignments[a].requests)
        return made[number % len(made)] if made else number

    @precondition(lambda self: self.ids["assignment"])
    @rule(
        number=numbers, request=st.integers(1, 6), decision=st.sampled_from(["GRANTED", "GRANTED", "DENIED"])
    )
    def answer_request(self, number: int, request: int, decision: Any) -> None:
        a, assignment = self.pick("assignment", number)
        who, request = self.model.assignments[a].institution, self.request(a, request)
        draft = d.RelocationDecisionDraft(
            request=request, decision=RelocationDecision(decision), on=self.today
        )
        self.step(
            who,
            lambda model: model.answer(who, a, request, decision),
            assignments.decide_relocation(assignment, draft),
        )

    @precondition(lambda self: self.ids["assignment"])
    @rule(number=numbers, to=st.integers(0, 1), request=st.none() | st.integers(1, 6))
    def move(self, number: int, to: int, request: int | None) -> None:
        a, assignment = self.pick("assignment", number)
        who = self.model.assignments[a].institution
        request = None if request is None else self.request(a, request)
        draft = d.RelocationDraft(
            to=self.ids["site"][to], effective=self.today, reason=RelocationReason.THREAT, request=request
        )
        self.step(who, lambda model: model.move(who, a, to, request), assignments.relocate(assignment, draft))

    @rule(site=st.integers(0, 1), closes=st.booleans())
    def keep_site(self, site: int, closes: bool) -> None:
        kept = self.ids["site"][site]
        if closes:
            closing = d.SiteSuspensionDraft(reason=SiteSuspensionReason.THREAT, on=self.today)
            self.step(None, lambda model: model.close(site), sites.suspend(kept, closing))
        else:
            opening = d.ReopeningDraft(on=self.today)
            self.step(None, lambda model: model.reopen(site), sites.reopen(kept, opening))
