"""Assignments: an institution keeps those of its own students, from registration to end."""

from datetime import date
from uuid import UUID

from registry.application.claims import references
from registry.application.claims.days import must_have_come
from registry.application.claims.students import identify
from registry.application.drafts import (
    AssignmentCorrectionDraft,
    AssignmentDraft,
    EndDraft,
    Reference,
    RelocationDecisionDraft,
    RelocationDraft,
    RelocationRequestDraft,
    ResumptionDraft,
    StartDraft,
    SuspensionDraft,
)
from registry.application.execution.unit import Decision, Unit
from registry.domain.assignment import Assignment
from registry.domain.incident import Incident
from registry.domain.site import Site
from registry.errors import InvalidInput, NotFound, RuleViolated


def register(draft: AssignmentDraft) -> Decision:
    """A student's year of service at a site."""

    async def decide(unit: Unit) -> Assignment:
        person, identity = identify(unit, draft.student, "student")
        await _must_take_students(unit, "site", draft.site, draft.starts)
        return unit.add(
            Assignment.register(
                unit.act,
                student=person,
                identity=identity,
                institution=unit.institution,
                site=draft.site,
                promotion=draft.promotion,
                plaza_type=draft.plaza_type,
                starts=draft.starts,
                planned_end=draft.planned_end,
                selection_rank=draft.selection_rank,
            )
        )

    return decide


def start(assignment_id: UUID, draft: StartDraft) -> Decision:
    """The student took up service."""

    async def decide(unit: Unit) -> Assignment:
        assignment = await _own(unit, assignment_id)
        must_have_come(unit, draft.on)
        assignment.start(unit.act, on=draft.on)
        return assignment

    return decide


def suspend(assignment_id: UUID, draft: SuspensionDraft) -> Decision:
    """Service pauses; it may be announced for a day to come."""

    async def decide(unit: Unit) -> Assignment:
        assignment = await _own(unit, assignment_id)
        assignment.suspend(unit.act, on=draft.on, reason=draft.reason)
        return assignment

    return decide


def resume(assignment_id: UUID, draft: ResumptionDraft) -> Decision:
    """Service goes on."""

    async def decide(unit: Unit) -> Assignment:
        assignment = await _own(unit, assignment_id)
        assignment.resume(unit.act, on=draft.on)
        return assignment

    return decide


def request_relocation(assignment_id: UUID, draft: RelocationRequestDraft) -> Decision:
    """Somebody asks that the student change the site."""

    async def decide(unit: Unit) -> Assignment:
        assignment = await _own(unit, assignment_id)
        must_have_come(unit, draft.on)
        assignment.request_relocation(
            unit.act,
            requester=draft.by,
            reason=draft.reason,
            on=draft.on,
            trigger_incident=await _trigger(unit, draft.trigger_incident),
        )
        return assignment

    return decide


def decide_relocation(assignment_id: UUID, draft: RelocationDecisionDraft) -> Decision:
    """The answer to one request. What is granted is carried out by a relocation of its own."""

    async def decide(unit: Unit) -> Assignment:
        assignment = await _own(unit, assignment_id)
        must_have_come(unit, draft.on)
        assignment.decide_relocation(unit.act, request=draft.request, decision=draft.decision, on=draft.on)
        return assignment

    return decide


def relocate(assignment_id: UUID, draft: RelocationDraft) -> Decision:
    """The student goes on at another site, from a day on, for a reason."""

    async def decide(unit: Unit) -> Assignment:
        assignment = await _own(unit, assignment_id)
        await _must_take_students(unit, "to", draft.to, draft.effective)
        assignment.relocate(
            unit.act,
            to=draft.to,
            effective=draft.effective,
            reason=draft.reason,
            trigger_incident=await _trigger(unit, draft.trigger_incident),
            request=draft.request,
        )
        return assignment

    return decide


def end(assignment_id: UUID, draft: EndDraft) -> Decision:
    """The assignment is over."""

    async def decide(unit: Unit) -> Assignment:
        assignment = await _own(unit, assignment_id)
        assignment.end(unit.act, reason=draft.reason, on=draft.on)
        return assignment

    return decide


def correct(assignment_id: UUID, draft: AssignmentCorrectionDraft) -> Decision:
    """One field of one event was wrong. What it says now must hold like anything new."""

    async def decide(unit: Unit) -> Assignment:
        assignment = await _own(unit, assignment_id)
        assignment.correct(unit.act, event=draft.event, field=draft.field, new=draft.new, reason=draft.reason)
        if draft.field == "trigger_incident" and draft.new is not None:
            await references.find(unit, Incident, UUID(draft.new), "new")
        arrival = assignment.service.arrival(draft.event)
        if draft.field in ("site", "starts", "to", "effective") and arrival is not None:
            await _must_take_students(unit, "new", *arrival)
        return assignment

    return decide


async def _own(unit: Unit, assignment_id: UUID) -> Assignment:
    """Another institution's assignment is as if it did not exist."""
    assignment = await unit.target(Assignment, assignment_id)
    if assignment.institution != unit.institution:
        raise NotFound(
            "No existe esa asignación entre las de su institución. Compruebe el identificador.",
            "Your institution has no such assignment. Check the id.",
        )
    return assignment


async def _trigger(unit: Unit, reference: Reference | None) -> UUID | None:
    """The incident behind a move: by its id, or by the sender's own id of a record that the sender may see."""
    if reference is None:
        return None
    return (await references.find(unit, Incident, reference, "trigger_incident")).id


async def _must_take_students(unit: Unit, field: str, site_id: UUID, day: date) -> None:
    """Raises InvalidInput for a site that does not exist, RuleViolated for one that is suspended on that day."""
    site = await unit.find(Site, site_id)
    if site is None:
        raise InvalidInput(
            field,
            "No existe esa sede. Regístrela primero o corrija el identificador.",
            "There is no such site. Register it first or correct the id.",
        )
    if site.closed_on(day):
        raise RuleViolated(
            "site-suspended",
            f"La sede está suspendida el {day} y no recibe pasantes. Elija otra sede, o pida a la secretaría de salud "
            "que registre su reapertura.",
            f"The site is suspended on {day} and takes no students. Choose another site, or ask the ministry of health "
            "to record its reopening.",
        )
