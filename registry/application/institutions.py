"""Institutions enter the register by its operator's decision."""

from registry.application.drafts import InstitutionDraft
from registry.application.sealing import nfc_text
from registry.application.unit import Decision, Unit
from registry.domain.institution import Institution


def register(draft: InstitutionDraft) -> Decision:
    """A new institution, readable by all."""

    async def decide(unit: Unit) -> Institution:
        return unit.add(
            Institution.register(unit.act, name=nfc_text(draft.name), kind=draft.kind, state=draft.state)
        )

    return decide
