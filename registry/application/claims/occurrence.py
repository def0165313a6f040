"""From the claims in a draft to the value objects of the domain: codes checked against each other, words set aside."""

from datetime import date
from uuid import UUID

from registry.application.claims.days import CLOCK_TOLERANCE
from registry.application.claims.students import identify
from registry.application.drafts import ReportedVictimDraft, WhenDraft, WhereDraft
from registry.application.execution.unit import Unit
from registry.domain.assignment import Assignment
from registry.domain.claims import ONE, Victim, When, Where
from registry.domain.codes import DatePrecision, Outcome, PlacePrecision
from registry.domain.event import NOTHING_PRIVATE, Private
from registry.domain.site import Site
from registry.errors import InvalidInput


def when(unit: Unit, draft: WhenDraft | None, field: str = "when") -> When | None:
    """Raises InvalidInput for an interval that is reversed, in the future, or wider than its precision says."""
    if draft is None:
        return None
    if draft.earliest is not None and draft.earliest > draft.latest:
        raise InvalidInput(
            f"{field}.latest",
            "La fecha final es anterior a la inicial. Compruebe que día y mes no estén invertidos.",
            "The latest date is before the earliest. Check that day and month are not swapped.",
        )
    today = (unit.act.at + CLOCK_TOLERANCE).date()
    # A period under way ends after today, this year's at its end at the latest.
    if (draft.earliest or draft.latest) > today or draft.latest > date(today.year, 12, 31):
        raise InvalidInput(
            f"{field}.{'earliest' if draft.earliest else 'latest'}",
            "La fecha está en el futuro. Compruebe el año, y que día y mes no estén invertidos.",
            "The date is in the future. Check the year, and that day and month are not swapped.",
        )
    if not _fits(draft):
        raise InvalidInput(
            f"{field}.precision",
            f"El intervalo no es de precisión {draft.precision}. Corrija las fechas, o use INTERVAL.",
            f"The interval is not of precision {draft.precision}. Correct the dates, or use INTERVAL.",
        )
    return When(earliest=draft.earliest, latest=draft.latest, precision=draft.precision)


def _fits(draft: WhenDraft) -> bool:
    """Whether the interval lies within one period of its precision; only an INTERVAL has an open start."""
    first, last = draft.earliest, draft.latest
    if draft.precision is DatePrecision.INTERVAL:
        return True
    if first is None:
        return False
    match draft.precision:
        case DatePrecision.TIME | DatePrecision.DAY:
            return first == last
        case DatePrecision.WEEK:
            return (last - first).days < 7
        case DatePrecision.MONTH:
            return (first.year, first.month) == (last.year, last.month)
        case DatePrecision.QUARTER:
            return (first.year, (first.month - 1) // 3) == (last.year, (last.month - 1) // 3)
        case DatePrecision.YEAR:
            return first.year == last.year


async def where(unit: Unit, draft: WhereDraft, field: str = "where", *, on: WhenDraft | None = None) -> Where:
    """The codes known, each consistent with the others, and the municipality there ``on`` that date (None: ever).

    Raises InvalidInput naming the code that is not.
    """
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
        if draft.site is None:
            earliest, latest = (on.earliest, on.latest) if on else (None, unit.act.at.date())
            (await unit.municipalities()).check(cvegeo, earliest, latest, field=f"{field}.cvegeo")
    finer = {
        PlacePrecision.COUNTRY: state or cvegeo,
        PlacePrecision.STATE: cvegeo,
        PlacePrecision.MUNICIPALITY: draft.site,
        PlacePrecision.LOCALITY: draft.site,
        PlacePrecision.SITE: None,
    }[draft.precision]
    if finer is not None:
        raise InvalidInput(
            f"{field}.precision",
            f"Hay un código más fino que la precisión {draft.precision}. Quite el código o indique su precisión.",
            f"There is a code finer than precision {draft.precision}. Remove the code or give its precision.",
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


async def victim(
    unit: Unit, draft: ReportedVictimDraft, prefix: str, *, person: str | None = None
) -> tuple[Victim, Private]:
    """A victim in codes, and the private values of the person, if known: the event covers whom it is about.

    ``person``: whom the caller has found it to be. Raises InvalidInput naming what contradicts what, behind
    ``prefix``.
    """
    private: Private = NOTHING_PRIVATE if person is None else {f"person:{person}": {}}
    if draft.student is not None:
        student, private = identify(unit, draft.student, f"{prefix}student")
        person = _same(person, student, f"{prefix}student")
    if draft.assignment is not None:
        student = await _assigned(unit, draft.assignment, f"{prefix}assignment")
        person = _same(person, student, f"{prefix}assignment")
        private = {f"person:{student}": {}, **private}
    count = draft.count or ONE
    if person is not None and count != ONE:
        raise InvalidInput(
            f"{prefix}count",
            "Una persona identificada es exactamente una víctima. Quite el conteo o la identificación.",
            "An identified person is exactly one victim. Remove the count or the identification.",
        )
    if draft.manner is not None and draft.outcome is not Outcome.KILLED:
        raise InvalidInput(
            f"{prefix}manner",
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


def _same(known: str | None, named: str, field: str) -> str:
    if known not in (None, named):
        raise InvalidInput(
            field,
            "Es otra persona que la indicada en otro campo de la misma víctima. Deje solo el campo que corresponde.",
            "This is another person than another field of the same victim names. Leave only the field that is right.",
        )
    return named


async def _assigned(unit: Unit, assignment_id: UUID, field: str) -> str:
    """The student of an assignment that the caller may see."""
    assignment = await unit.find(Assignment, assignment_id)
    if assignment is None or not (unit.actor.sees_all or assignment.institution == unit.actor.institution):
        raise InvalidInput(
            field,
            "No existe esa asignación entre las que su clave puede ver. Compruebe el identificador.",
            "There is no such assignment among those that your key may see. Check the id.",
        )
    return assignment.student
