"""Invented institutions and clinics, and students who serve there. The municipalities' codes are real, nothing else."""

from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Final, NamedTuple

from api.demo.plan import MONTHS, month
from registry.application.drafts import InstitutionDraft, SiteDraft, Student
from registry.catalogs.clues import check_digit
from registry.catalogs.states import STATES
from registry.disclosure.promotions import end_of
from registry.domain.codes import InstitutionKind, PlazaType, Sex, SiteLevel

UNIVERSITIES: Final = (
    ("Universidad Imaginaria del Norte", "08"),
    ("Universidad de los Volcanes Dormidos", "21"),
    ("Instituto Ficticio de Ciencias Médicas", "09"),
    ("Universidad Inventada del Golfo", "30"),
    ("Universidad de la Sierra Supuesta", "20"),
    ("Escuela Ejemplar de Medicina", "14"),
    ("Universidad Simulada del Bajío", "11"),
    ("Universidad Hipotética del Pacífico", "25"),
    ("Colegio Médico de Muestra", "31"),
    ("Universidad Sintética de Michoacán", "16"),
)
"""Names, and states in which they sit, of universities that do not exist."""

MINISTRY: Final = "institution/ministry"
REVIEWERS: Final = ("institution/reviewer-1", "institution/reviewer-2")

MUNICIPALITIES: Final = ("002", "003")
"""The numbers that municipalities have in every state."""

CROWDED: Final = frozenset({"16002", "12002", "25002", "30003"})
"""Where enough students serve at once for a municipality and a month to open."""

_SITES_WHERE_CROWDED: Final = 3
_STUDENTS: Final = 2
_STUDENTS_WHERE_CROWDED: Final = 14
"""Students of each promotion in a municipality."""

_CLINICS: Final = (
    "Centro de Salud Ensayo",
    "Unidad Médica Modelo",
    "Casa de Salud Ficción",
    "Clínica Rural Maqueta",
)
_PLAZAS: Final = (PlazaType.A, PlazaType.B, PlazaType.C, PlazaType.C, PlazaType.CC)


class Clinic(NamedTuple):
    """A site, by the name of the write that registers it."""

    name: str
    draft: SiteDraft


class Placement(NamedTuple):
    """A student's year. ``name`` is that of the assignment."""

    name: str
    university: str
    student: Student
    sex: Sex
    promotion: str
    plaza: PlazaType
    clinic: Clinic
    starts: date
    ends: date

    def serves(self, day: date) -> bool:
        return self.starts <= day <= self.ends

    @property
    def cvegeo(self) -> str:
        return self.clinic.draft.cvegeo


def institutions() -> Iterator[tuple[str, InstitutionDraft]]:
    """All institutions of the plan, by name."""
    for number, (name, state) in enumerate(UNIVERSITIES, 1):
        yield (
            f"institution/university-{number}",
            InstitutionDraft(name=name, kind=InstitutionKind.UNIVERSITY, state=state),
        )
    yield (
        MINISTRY,
        InstitutionDraft(
            name="Secretaría de Salud de Ejemplo", kind=InstitutionKind.MINISTRY_HEALTH, state="09"
        ),
    )
    for name, title in zip(REVIEWERS, ("Observatorio Imaginario A", "Asociación de Prueba B"), strict=True):
        yield name, InstitutionDraft(name=title, kind=InstitutionKind.ASSOCIATION, state="09")


def universities() -> list[str]:
    """The names of the writes that register the universities."""
    return [f"institution/university-{number}" for number in range(1, len(UNIVERSITIES) + 1)]


def clinics(chance: Random) -> list[Clinic]:
    """At least two in every state. Half have a CLUES, of an institution ``XXX`` that the catalogue does not know."""
    found: list[Clinic] = []
    for state in STATES:
        for municipality in MUNICIPALITIES:
            cvegeo = state.code + municipality
            for number in range(1, (_SITES_WHERE_CROWDED if cvegeo in CROWDED else 1) + 1):
                code = f"{state.clues}XXX{len(found) + 1:05d}"
                draft = SiteDraft(
                    name=f"{chance.choice(_CLINICS)} {cvegeo}-{number}",
                    cvegeo=cvegeo,
                    clues=f"{code}{check_digit(code)}" if len(found) % 2 else None,
                    level=SiteLevel.FIRST,
                    plaza_types=[PlazaType.B, PlazaType.C],
                )
                found.append(Clinic(f"site/{cvegeo}-{number}", draft))
    return found


def placements(begin: date, sites: list[Clinic], chance: Random) -> list[Placement]:
    """The students of every promotion that serves during the plan."""
    found: list[Placement] = []
    by_municipality: dict[str, list[Clinic]] = {}
    for clinic in sites:
        by_municipality.setdefault(clinic.draft.cvegeo, []).append(clinic)
    for promotion, starts in _promotions(begin):
        for cvegeo, here in by_municipality.items():
            for _ in range(_STUDENTS_WHERE_CROWDED if cvegeo in CROWDED else _STUDENTS):
                found.append(_placement(len(found) + 1, promotion, starts, chance.choice(here), chance))
    return found


def _promotions(begin: date) -> Iterator[tuple[str, date]]:
    """Those that serve in the plan's first month or begin within the plan, with their first days."""
    for number in range(-11, MONTHS):
        first = month(begin, number)
        if first.month in (2, 8):
            yield f"{first.year}-{1 if first.month == 2 else 2}", first


def _placement(number: int, promotion: str, starts: date, clinic: Clinic, chance: Random) -> Placement:
    sex = chance.choices((Sex.FEMALE, Sex.MALE), (58, 42))[0]
    if chance.random() < 0.3:
        student = Student(curp=_curp(number, sex))
    else:
        student = Student(internal_id=f"DEMO-{promotion}-{number:05d}")
    return Placement(
        name=f"assignment/{promotion}-{number:05d}",
        university=chance.choice(universities()),
        student=student,
        sex=sex,
        promotion=promotion,
        plaza=chance.choice(_PLAZAS),
        clinic=clinic,
        starts=starts,
        ends=end_of(promotion),
    )


def _curp(number: int, sex: Sex) -> str:
    """A CURP of nobody: without initials (XXXX), born abroad (NE), on a day that only tells it from others."""
    day = date.fromordinal(date(1999, 1, 1).toordinal() + number % 1000)
    return f"XXXX{day:%y%m%d}{'M' if sex is Sex.FEMALE else 'H'}NEXXX{'ABCDEFGHIJ'[number // 1000 % 10]}{number % 10}"


class People:
    """Students who can still be named as victims."""

    def __init__(self, students: list[Placement], chance: Random) -> None:
        self._free = list(students)
        chance.shuffle(self._free)

    def serving(self, day: date, place: str = "") -> Placement:
        """Somebody serving that day, in a municipality, or a state, whose code begins so; each only once."""
        number = next(
            number
            for number, one in enumerate(self._free)
            if one.serves(day) and one.cvegeo.startswith(place)
        )
        return self._free.pop(number)
