"""Sites enter the register; their contact stays private."""

from typing import cast

import msgspec

from registry.application.drafts import SiteDraft
from registry.application.sealing import nfc_text
from registry.application.unit import Decision, Unit
from registry.catalogs import clues
from registry.domain.site import Site
from registry.log.canonical import JSON


def register(draft: SiteDraft) -> Decision:
    """A new site, readable by all but for its contact. Raises InvalidInput for a CLUES that cannot be."""

    async def decide(unit: Unit) -> Site:
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
