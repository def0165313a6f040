"""Sites from a catalogue of establishments: one site for each, under all of its codes, whatever file names it.

All establishments of a file become sites at once, not each when somebody first refers to it: events of sites are open
leaves, and a site that appears in the log on the day of a report would tell where it happened.
"""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from registry.application.execution.application import Application
from registry.application.execution.sealing import nfc_text
from registry.application.execution.unit import OPERATOR, Unit, WriteOptions
from registry.application.places.sites import by_clues
from registry.catalogs.defects import Defect, doubt, note
from registry.catalogs.establishments import Establishment
from registry.catalogs.municipalities import Municipalities
from registry.catalogs.reading import Row
from registry.catalogs.spelling import folded
from registry.domain.event import Aggregate
from registry.domain.register import REGISTER_ID, Register
from registry.domain.site import Site
from registry.errors import RuleViolated

GROUP: Final = 1_000
"""Establishments in one transaction: with an old and a new code, the 2,000 events of a commit of the store."""


class SitesTaken(msgspec.Struct):
    """How many sites were made, got another code, or were there as they are; and what is to be looked at."""

    registered: int = 0
    recoded: int = 0
    unchanged: int = 0
    defects: list[Defect] = msgspec.field(default_factory=list)

    def add(self, other: "SitesTaken") -> None:
        """Counts another group, too."""
        self.registered += other.registered
        self.recoded += other.recoded
        self.unchanged += other.unchanged
        self.defects += other.defects


async def take_sites(
    app: Application, rows: Sequence[Row[Establishment]], day: date, *, dry_run: bool = False
) -> SitesTaken:
    """Registers what is not a site yet, and gives sites their new codes, from ``day`` on unless the row tells when.

    Each group of rows is stored whole or not at all; repeated after a crash, it finishes what is missing.
    """
    taken = SitesTaken()
    for start in range(0, len(rows), GROUP):
        group = _Group(rows[start : start + GROUP], day)
        if dry_run:
            await group.decide(app.unit(OPERATOR))
        else:
            await app.execute(OPERATOR, group.decide, WriteOptions())
        taken.add(group.taken)
    return taken


class _Found(NamedTuple):
    """A row, and the sites that hold its codes."""

    row: Row[Establishment]
    sites: list[Site]


class _Group:
    """One decision about some rows; decided anew, it counts anew."""

    def __init__(self, rows: Sequence[Row[Establishment]], day: date) -> None:
        self._rows = rows
        self._day = day
        self.taken = SitesTaken()

    async def decide(self, unit: Unit) -> Aggregate:
        """The first site that changes, else the register."""
        self.taken = SitesTaken()
        held = await by_clues(unit.store, {code for row in self._rows for code in row.entry.codes})
        ids = list(dict.fromkeys(held.values()))
        sites = dict(zip(ids, await asyncio.gather(*(unit.get(Site, one) for one in ids)), strict=True))
        municipalities = await unit.municipalities()
        first: Site | None = None
        for row in self._rows:
            changed = self._decide(unit, _Found(row, _of(row.entry, held, sites)), municipalities)
            if changed is not None:
                first = first or changed
                for code in row.entry.codes:
                    held[code] = changed.id
                sites[changed.id] = changed
        return first or await unit.find(Register, REGISTER_ID) or Register(id=REGISTER_ID)

    def _decide(self, unit: Unit, found: _Found, municipalities: Municipalities) -> Site | None:
        """The site that is made or changed."""
        row, sites = found
        match sites:
            case []:
                return self._register(unit, row, municipalities)
            case [site]:
                return self._keep(unit, row, site)
            case _:
                named = " · ".join(str(site.id) for site in sites)
                self.taken.defects.append(
                    doubt(
                        row.number,
                        row.entry.clues,
                        "two-sites",
                        f"Su clave anterior y la actual son de dos sedes: {named}. Ninguna cambia.",
                        f"Its former and its present code are of two sites: {named}. Neither changes.",
                    )
                )
                return None

    def _register(self, unit: Unit, row: Row[Establishment], municipalities: Municipalities) -> Site | None:
        entry = row.entry
        if not (entry.name and entry.cvegeo and municipalities.known(entry.cvegeo, self._day, self._day)):
            self.taken.defects.append(
                doubt(
                    row.number,
                    entry.clues,
                    "no-site",
                    "No se registró como sede: falta su nombre o un municipio del catálogo.",
                    "Not registered as a site: its name, or a municipality of the catalogue, is missing.",
                )
            )
            return None
        site = Site.register(
            unit.act,
            name=nfc_text(entry.name),
            cvegeo=entry.cvegeo,
            clues=entry.codes[0],
            level=entry.level,
            plaza_types=(),
            contact=None,
        )
        if entry.former_clues is not None:
            site.recode(unit.act, clues=entry.clues, valid_from=entry.valid_from or self._day)
        self.taken.registered += 1
        return unit.add(site)

    def _keep(self, unit: Unit, row: Row[Establishment], site: Site) -> Site | None:
        entry = row.entry
        self._compare(row, site)
        codes = [code.clues for code in site.codes]
        if entry.clues in codes:
            self.taken.unchanged += 1
            if entry.former_clues is not None and entry.former_clues not in codes:
                self._code_left_out(row, entry.former_clues)
            return None
        try:
            site.recode(unit.act, clues=entry.clues, valid_from=entry.valid_from or self._day)
        except RuleViolated:
            self.taken.unchanged += 1
            self._code_left_out(row, entry.clues)
            return None
        self.taken.recoded += 1
        self.taken.defects.append(
            note(
                row.number,
                entry.clues,
                "recoded",
                f"La sede {site.id} recibió esta clave; antes {codes[-1] if codes else '—'}.",
                f"Site {site.id} was given this code; formerly {codes[-1] if codes else '—'}.",
            )
        )
        return site

    def _code_left_out(self, row: Row[Establishment], code: str) -> None:
        self.taken.defects.append(
            doubt(
                row.number,
                row.entry.clues,
                "code-left-out",
                f"La clave {code} no se agregó a la sede: otra posterior ya está registrada.",
                f"Code {code} was not added to the site: a later one is recorded already.",
            )
        )

    def _compare(self, row: Row[Establishment], site: Site) -> None:
        entry = row.entry
        if entry.name and folded(entry.name) != folded(site.name):
            self.taken.defects.append(
                doubt(
                    row.number,
                    entry.clues,
                    "site-name-differs",
                    f"La sede se llama {site.name}; aquí, {entry.name}.",
                    f"The site's name is {site.name}; here, {entry.name}.",
                )
            )
        if entry.cvegeo and entry.cvegeo != site.cvegeo:
            self.taken.defects.append(
                doubt(
                    row.number,
                    entry.clues,
                    "site-municipality-differs",
                    f"El municipio de la sede es {site.cvegeo}; aquí, {entry.cvegeo}.",
                    f"The site's municipality is {site.cvegeo}; here, {entry.cvegeo}.",
                )
            )


def _of(entry: Establishment, held: dict[str, UUID], sites: dict[UUID, Site]) -> list[Site]:
    """The sites that hold one of its codes, each once."""
    return [sites[one] for one in dict.fromkeys(held[code] for code in entry.codes if code in held)]
