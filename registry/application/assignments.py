"""Assignments: an institution keeps those of its own students."""

from uuid import UUID

from registry.application import references
from registry.application.drafts import AssignmentDraft, EndDraft, RelocationDraft
from registry.application.people import identify
from registry.application.unit import Decision, Unit
from registry.domain.assignment import Assignment
from registry.domain.incident import Incident
from registry.domain.site import Site
from registry.errors import InvalidInput, NotFound


def register(draft: AssignmentDraft) -> Decision:
    """A student's year of service at a site."""

    async def decide(unit: Unit) -> Assignment:
        person, identity = identify(unit, draft.student, "student")
        await _site(unit, "site", draft.site)
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
            )
        )

    return decide


def relocate(assignment_id: UUID, draft: RelocationDraft) -> Decision:
    """The student goes on at another site, from a day on, for a reason."""

    async def decide(unit: Unit) -> Assignment:
        assignment = await _own(unit, assignment_id)
        await _site(unit, "to", draft.to)
        trigger = (
            await references.find(unit, Incident, draft.trigger_incident, "trigger_incident")
            if draft.trigger_incident
            else None
        )
        assignment.relocate(
            unit.act,
            to=draft.to,
            effective=draft.effective,
            reason=draft.reason,
            trigger_incident=trigger.id if trigger else None,
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


async def _own(unit: Unit, assignment_id: UUID) -> Assignment:
    """Another institution's assignment is as if it did not exist."""
    assignment = await unit.target(Assignment, assignment_id)
    if assignment.institution != unit.institution:
        raise NotFound(
            "No existe esa asignación entre las de su institución. Compruebe el identificador.",
            "Your institution has no such assignment. Check the id.",
        )
    return assignment


async def _site(unit: Unit, field: str, site_id: UUID) -> Site:
    site = await unit.find(Site, site_id)
    if site is None:
        raise InvalidInput(
            field,
            "No existe esa sede. Regístrela primero o corrija el identificador.",
            "There is no such site. Register it first or correct the id.",
        )
    return site
