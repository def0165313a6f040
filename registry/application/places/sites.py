"""Sites enter the register and are kept up to date by whoever runs clinics; their contact stays private."""

from collections.abc import Iterable
from typing import cast
from uuid import UUID

import msgspec

from registry.application.claims.days import must_have_come
from registry.application.drafts import (
    ConditionsDraft,
    ReopeningDraft,
    SiteCodeDraft,
    SiteDraft,
    SiteSuspensionDraft,
)
from registry.application.execution.sealing import nfc_text
from registry.application.execution.unit import Decision, Unit
from registry.catalogs import clues
from registry.domain.codes import InstitutionKind
from registry.domain.institution import Institution
from registry.domain.site import Site, code_name
from registry.errors import NotAllowed, RuleViolated
from registry.log.canonical import JSON
from registry.store import EventStore


def register(draft: SiteDraft) -> Decision:
    """A new site, readable by all but for its contact; registered by the operator or a ministry of health.

    Raises NotAllowed for anybody else, InvalidInput for a CLUES that cannot be.
    """

    async def decide(unit: Unit) -> Site:
        await _must_keep_sites(unit)
        today = unit.act.at.date()
        (await unit.municipalities()).check(draft.cvegeo, today, today, field="cvegeo")
        if draft.clues is not None:
            unit.warn("clues", clues.check(draft.clues, draft.cvegeo).warnings)
            await _must_be_free(unit, draft.clues)
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
        unit.warn("clues", clues.check(draft.clues, site.cvegeo).warnings)
        await _must_be_free(unit, draft.clues, site)
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


async def by_clues(store: EventStore, codes: Iterable[str]) -> dict[str, UUID]:
    """CLUES, of whatever time, to site; those of no site are left out."""
    names = {code_name(code): code for code in codes}
    return {names[name]: site for name, site in (await store.holders(list(names))).items()}


async def _must_be_free(unit: Unit, code: str, but_for: Site | None = None) -> None:
    """Raises RuleViolated if the code is, or was, another site's."""
    held = await by_clues(unit.store, [code])
    holders = {*held.values(), *(site.id for site in unit.loaded(Site) if code_name(code) in site.exclusive)}
    for holder in holders:
        if but_for is None or holder != but_for.id:
            raise RuleViolated(
                "clues-of-one-site",
                f"Esa CLUES es, o fue, de la sede {holder}. Use esa sede; si cambió de clave, registre la nueva en "
                "ella.",
                f"That CLUES is, or was, the one of site {holder}. Use that site; if its code changed, record the new "
                "one there.",
            )


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
