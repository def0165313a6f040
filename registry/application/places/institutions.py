"""Institutions enter the register, and change their names, by its operator's decision."""

from uuid import UUID

from registry.application.drafts import InstitutionDraft, InstitutionNameDraft
from registry.application.execution.sealing import nfc_text
from registry.application.execution.unit import Decision, Unit
from registry.domain.institution import Institution


def register(draft: InstitutionDraft) -> Decision:
    """A new institution, readable by all."""

    async def decide(unit: Unit) -> Institution:
        return unit.add(
            Institution.register(unit.act, name=nfc_text(draft.name), kind=draft.kind, state=draft.state)
        )

    return decide


def rename(institution_id: UUID, draft: InstitutionNameDraft) -> Decision:
    """Another name from now on, readable by all. Keys, records and what they count stay those of the institution."""

    async def decide(unit: Unit) -> Institution:
        institution = await unit.target(Institution, institution_id)
        institution.rename(unit.act, name=nfc_text(draft.name))
        return institution

    return decide
