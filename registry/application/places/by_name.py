"""Places as lists name them, in imports: a municipality by its name, a site by its CLUES or its sender's id.

A name that is not certain is never guessed: the error of its field has the choices. The codes are found while the
decision is made, so a row is recognised by what its sender wrote, whatever catalogue is adopted later.
"""

from datetime import date
from typing import Annotated, Final
from uuid import UUID

import msgspec

from registry.application.drafts import (
    NO_CONTROLS,
    Reference,
    ReportDraft,
    WhenDraft,
    WhereDraft,
)
from registry.application.execution.unit import Unit
from registry.application.places.sites import by_clues
from registry.catalogs.places import Choice, Resolved
from registry.catalogs.states import BY_CODE
from registry.domain.site import Site
from registry.errors import InvalidInput
from registry.text import Text

PlaceName = Annotated[str, msgspec.Meta(min_length=1, max_length=300, pattern=NO_CONTROLS)]

MOST_CHOICES: Final = 12
"""That an error lists: several dozen municipalities share some names."""


class WhereNamed(WhereDraft, frozen=True, kw_only=True):
    """A place whose municipality may be named (``place``: "Pueblo Nuevo, Durango"), and whose site by its code."""

    site: Reference | None = None  # type: ignore[assignment]
    place: PlaceName | None = None


class ReportNamingPlaces(ReportDraft, frozen=True, kw_only=True):
    """A report as lists have it."""

    where: WhereNamed | list[WhereNamed] | None = None  # type: ignore[assignment]


async def with_codes(unit: Unit, draft: ReportDraft) -> ReportDraft:
    """The draft with the codes of what it names. Raises InvalidInput, naming the field, with the choices."""
    if not isinstance(draft, ReportNamingPlaces):
        return draft
    where: WhereDraft | list[WhereDraft] | None = None
    if isinstance(draft.where, list):
        where = [
            await _coded(unit, place, f"where[{number}]", draft.when)
            for number, place in enumerate(draft.where)
        ]
    elif draft.where is not None:
        where = await _coded(unit, draft.where, "where", draft.when)
    fields = {name: getattr(draft, name) for name in ReportDraft.__struct_fields__}
    return ReportDraft(**{**fields, "where": where})


async def find_site(unit: Unit, reference: Reference, field: str, on: date) -> UUID:
    """A site by our id; by any CLUES that it has or had; else by the id that whoever registered it gave it.

    Sites are public. A CLUES that was not the site's on that day is accepted with a warning. Raises InvalidInput for
    a name that no site has, or several.
    """
    if isinstance(reference, UUID):
        return reference
    name = reference.source_record_id
    # Codes first: no two sites have one, and most lists have them, so that a row asks the store once.
    coded = {} if reference.institution else await by_clues(unit.store, [name])
    streams = coded.values() or [
        stream
        for institution, stream in await unit.store.source_records_named(name)
        if reference.institution in (None, institution)
    ]
    found = [site for stream in dict.fromkeys(streams) if (site := await unit.find(Site, stream)) is not None]
    if len(found) != 1:
        raise InvalidInput(
            field,
            "No hay una sola sede registrada con esa clave. Compruebe la CLUES, o use el identificador de la sede.",
            "There is no single site registered under that code. Check the CLUES, or use the site's id.",
        )
    (site,) = found
    valid = site.clues_on(on)
    if name in coded and valid is not None and valid != name:
        unit.warn(
            field,
            [
                Text(
                    f"En esa fecha la clave de la sede era {valid}. Compruebe que sea la misma unidad.",
                    f"On that date the code of the site was {valid}. Check that it is the same clinic.",
                )
            ],
        )
    return site.id


async def _coded(unit: Unit, named: WhereNamed, field: str, when: WhenDraft | None) -> WhereDraft:
    cvegeo = named.cvegeo
    if named.place is not None:
        if cvegeo is not None:
            raise InvalidInput(
                f"{field}.place",
                "El municipio viene por nombre y por clave. Deje uno de los dos.",
                "The municipality is given by name and by code. Keep one of them.",
            )
        cvegeo = await _municipality(unit, named.place, named.state, f"{field}.place", when)
    day = when.latest if when else unit.act.at.date()
    return WhereDraft(
        state=named.state,
        cvegeo=cvegeo,
        site=None if named.site is None else await find_site(unit, named.site, f"{field}.site", day),
        precision=named.precision,
        wording=named.wording,
    )


async def _municipality(unit: Unit, name: str, state: str | None, field: str, when: WhenDraft | None) -> str:
    if not (await unit.municipalities()).vintages:
        raise InvalidInput(
            field,
            "Este registro aún no tiene catálogo de municipios, así que no reconoce nombres. Escriba la clave de cinco "
            "dígitos en where.cvegeo, o pida a quien lo opera que lo cargue.",
            "This register has no catalogue of municipalities yet, so it knows no names. Write the five-digit code "
            "into where.cvegeo, or ask its operator to load one.",
        )
    on = when.latest if when and when.earliest == when.latest else None
    found = (await unit.places()).resolve(name, state, on)
    if isinstance(found, Resolved):
        return found.cvegeo
    if not found.items:
        raise InvalidInput(
            field,
            "Ningún municipio se llama así ni parecido en esa fecha. Escriba «municipio, estado», o su clave en "
            "where.cvegeo.",
            "No municipality has that name, or one like it, at that date. Write “municipality, state”, or its code "
            "into where.cvegeo.",
        )
    listed = "; ".join(_shown(choice) for choice in found.items[:MOST_CHOICES])
    more = "; …" if len(found.items) > MOST_CHOICES else ""
    raise InvalidInput(
        field,
        f"No es seguro cuál municipio es. Puede ser: {listed}{more}. Escriba el nombre exacto con su estado, o la "
        "clave en where.cvegeo.",
        f"Which municipality is meant is not certain. It may be: {listed}{more}. Write the exact name with its "
        "state, or the code into where.cvegeo.",
    )


def _shown(choice: Choice) -> str:
    return f"{choice.cvegeo} {choice.name} ({BY_CODE[choice.state].name})"
