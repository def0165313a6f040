"""From the claims in a draft to the value objects of the domain: codes checked against each other, words set aside."""

from datetime import timedelta

from registry.application.drafts import VictimDraft, WhenDraft, WhereDraft
from registry.application.people import identify
from registry.application.unit import Unit
from registry.domain.assignment import Assignment
from registry.domain.claims import ONE, Victim, When, Where
from registry.domain.codes import Outcome, PlacePrecision
from registry.domain.event import NOTHING_PRIVATE, Private
from registry.domain.site import Site
from registry.errors import InvalidInput

CLOCK_TOLERANCE = timedelta(days=1)
"""Civil dates are those of the place: in UTC they may be a day ahead."""


def when(unit: Unit, draft: WhenDraft | None, field: str = "when") -> When | None:
    """Raises InvalidInput for an interval that ends before it starts, or starts in the future."""
    if draft is None:
        return None
    if draft.earliest is not None and draft.earliest > draft.latest:
        raise InvalidInput(
            f"{field}.latest",
            "La fecha final es anterior a la inicial. Compruebe que día y mes no estén invertidos.",
            "The latest date is before the earliest. Check that day and month are not swapped.",
        )
    starts = draft.earliest or draft.latest
    if starts > (unit.act.at + CLOCK_TOLERANCE).date():
        raise InvalidInput(
            f"{field}.earliest",
            "La fecha está en el futuro. Compruebe el año, y que día y mes no estén invertidos.",
            "The date is in the future. Check the year, and that day and month are not swapped.",
        )
    return When(earliest=draft.earliest, latest=draft.latest, precision=draft.precision)


async def where(unit: Unit, draft: WhereDraft, field: str = "where") -> Where:
    """The codes known, each consistent with the others. Raises InvalidInput naming the one that is not."""
    state, cvegeo = draft.state, draft.cvegeo
    if draft.site is not None:
        site = await unit.find(Site, draft.site)
        if site is None:
            raise InvalidInput(
                f"{field}.site",
                "No existe esa sede. Regístrela primero o deje el campo vacío.",
                "There is no such site. Register it first or leave the field out.",
            )
        cvegeo = cvegeo or site.cvegeo
        if cvegeo != site.cvegeo:
            raise InvalidInput(
                f"{field}.cvegeo",
                "El municipio no es el de la sede. Corrija uno de los dos o deje solo la sede.",
                "The municipality is not that of the site. Correct one of them or give the site only.",
            )
    if cvegeo is not None:
        state = state or cvegeo[:2]
        if state != cvegeo[:2]:
            raise InvalidInput(
                f"{field}.cvegeo",
                "El municipio no pertenece a ese estado: sus dos primeros dígitos son los del estado.",
                "The municipality is not in that state: its first two digits are those of the state.",
            )
    needed = {
        PlacePrecision.SITE: state,
        PlacePrecision.LOCALITY: state,
        PlacePrecision.MUNICIPALITY: cvegeo,
        PlacePrecision.STATE: state,
        PlacePrecision.COUNTRY: "MX",
    }[draft.precision]
    if needed is None:
        raise InvalidInput(
            f"{field}.precision",
            f"La precisión {draft.precision} requiere el código del lugar. Agregue el código o baje la precisión.",
            f"Precision {draft.precision} needs the code of the place. Add the code or lower the precision.",
        )
    return Where(state=state, cvegeo=cvegeo, site=draft.site, precision=draft.precision)


async def victim(unit: Unit, draft: VictimDraft, field: str) -> tuple[Victim, Private]:
    """A victim in codes, and the identity if one was given. Raises InvalidInput naming what contradicts what."""
    person: str | None = None
    private: Private = NOTHING_PRIVATE
    if draft.student is not None:
        person, private = identify(unit, draft.student, f"{field}.student")
    if draft.assignment is not None:
        assignment = await unit.find(Assignment, draft.assignment)
        if assignment is None:
            raise InvalidInput(
                f"{field}.assignment",
                "No existe esa asignación. Compruebe el identificador.",
                "There is no such assignment. Check the id.",
            )
        person = person or assignment.student
    count = draft.count or ONE
    if person is not None and count != ONE:
        raise InvalidInput(
            f"{field}.count",
            "Una persona identificada es exactamente una víctima. Quite el conteo o la identificación.",
            "An identified person is exactly one victim. Remove the count or the identification.",
        )
    if draft.manner is not None and draft.outcome is not Outcome.KILLED:
        raise InvalidInput(
            f"{field}.manner",
            "La forma de muerte solo acompaña al desenlace KILLED.",
            "The manner of death only goes with outcome KILLED.",
        )
    return (
        Victim(
            role=draft.role,
            sex=draft.sex,
            outcome=draft.outcome,
            nexus=draft.nexus,
            count=count,
            manner=draft.manner,
            person=person,
            assignment=draft.assignment,
        ),
        private,
    )
