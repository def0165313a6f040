"""Sites enter the register; their contact stays private."""

from typing import cast

import msgspec

from registry.application.drafts import SiteDraft
from registry.application.sealing import nfc_text
from registry.application.unit import Decision, Unit
from registry.catalogs import clues
from registry.domain.codes import InstitutionKind
from registry.domain.institution import Institution
from registry.domain.site import Site
from registry.errors import NotAllowed
from registry.log.canonical import JSON


def register(draft: SiteDraft) -> Decision:
    """A new site, readable by all but for its contact; registered by the operator or a ministry of health.

    Raises NotAllowed for anybody else, InvalidInput for a CLUES that cannot be.
    """

    async def decide(unit: Unit) -> Site:
        await _must_keep_sites(unit)
        if draft.clues is not None:
            clues.check(draft.clues, draft.cvegeo)
        contact = cast("dict[str, JSON]", msgspec.to_builtins(draft.contact)) if draft.contact else None
        return unit.add(
            Site.register(
                unit.act,
                name=nfc_text(draft.name),
                cvegeo=draft.cvegeo,
                clues=draft.clues,
                level=draft.level,
                plaza_types=tuple(draft.plaza_types),
                contact=contact,
            )
        )

    return decide


async def _must_keep_sites(unit: Unit) -> None:
    """The operator, or an institution that runs clinics."""
    if unit.actor.institution is None:
        return
    institution = await unit.get(Institution, unit.actor.institution)
    if institution.kind is not InstitutionKind.MINISTRY_HEALTH:
        raise NotAllowed(
            "Las sedes las registra la secretaría de salud o quien opera el registro. Pídales que registren la suya.",
            "Sites are registered by a ministry of health or by the operator of the register. Ask them for yours.",
        )
