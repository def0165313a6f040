"""Sites enter the register and are kept up to date by whoever runs clinics; their contact stays private."""

from typing import cast
from uuid import UUID

import msgspec

from registry.application.days import must_have_come
from registry.application.drafts import (
    ConditionsDraft,
    ReopeningDraft,
    SiteCodeDraft,
    SiteDraft,
    SiteSuspensionDraft,
)
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


def recode(site_id: UUID, draft: SiteCodeDraft) -> Decision:
    """Another CLUES from a day on, readable by all. Raises InvalidInput for one that cannot be."""

    async def decide(unit: Unit) -> Site:
        site = await _kept(unit, site_id)
        clues.check(draft.clues, site.cvegeo)
        site.recode(unit.act, clues=draft.clues, valid_from=draft.valid_from)
        return site

    return decide


def record_conditions(site_id: UUID, draft: ConditionsDraft) -> Decision:
    """How students live and work there, as found on a day."""

    async def decide(unit: Unit) -> Site:
        site = await _kept(unit, site_id)
        must_have_come(unit, draft.on)
        site.record_conditions(
            unit.act,
            connectivity=draft.connectivity,
            staff_alone=draft.staff_alone,
            supervision=draft.supervision,
            on=draft.on,
        )
        return site

    return decide


def suspend(site_id: UUID, draft: SiteSuspensionDraft) -> Decision:
    """A plaza removed: nobody is assigned or relocated there from that day on. Who is there already is not moved."""

    async def decide(unit: Unit) -> Site:
        site = await _kept(unit, site_id)
        site.suspend(unit.act, reason=draft.reason, on=draft.on)
        return site

    return decide


def reopen(site_id: UUID, draft: ReopeningDraft) -> Decision:
    """Students may be sent there again."""

    async def decide(unit: Unit) -> Site:
        site = await _kept(unit, site_id)
        site.reopen(unit.act, on=draft.on)
        return site

    return decide


async def _kept(unit: Unit, site_id: UUID) -> Site:
    """The site, for whoever keeps sites."""
    site = await unit.target(Site, site_id)
    await _must_keep_sites(unit)
    return site


async def _must_keep_sites(unit: Unit) -> None:
    """The operator, or an institution that runs clinics."""
    if unit.actor.institution is None:
        return
    institution = await unit.get(Institution, unit.actor.institution)
    if institution.kind is not InstitutionKind.MINISTRY_HEALTH:
        raise NotAllowed(
            "Las sedes las registra y actualiza la secretaría de salud o quien opera el registro. Pídaselo a ellos.",
            "Sites are registered and kept by a ministry of health or by the operator of the register. Ask them.",
        )
