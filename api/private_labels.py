"""What the codes of private facets are called, for people to read: Spanish first, English second."""

from collections.abc import Mapping
from typing import Final

from api import labels
from registry.text import Text

OUTCOMES: Final[Mapping[str, Text]] = {
    "NONE": Text("Sin daño", "Unharmed"),
    "PSYCHOLOGICAL": Text("Daño psicológico", "Psychological harm"),
    "MINOR": Text("Lesiones leves", "Minor injuries"),
    "MODERATE": Text("Lesiones moderadas", "Moderate injuries"),
    "SEVERE": Text("Lesiones graves", "Severe injuries"),
    "MISSING": Text("Desaparición", "Missing"),
    "KILLED": Text("Muerte", "Killed"),
}

MANNERS: Final[Mapping[str, Text]] = {
    "HOMICIDE": Text("Homicidio", "Homicide"),
    "FEMINICIDE": Text("Feminicidio", "Feminicide"),
    "SUICIDE_REPORTED": Text("Reportada como suicidio", "Reported as suicide"),
    "ACCIDENT": Text("Accidente", "Accident"),
    "UNDETERMINED": Text("No determinada", "Undetermined"),
    "DISPUTED": Text("En disputa", "Disputed"),
}

MEANS: Final[Mapping[str, Text]] = {
    "FIREARM": Text("Arma de fuego", "Firearm"),
    "BLADE": Text("Arma blanca", "Blade"),
    "BLUNT": Text("Objeto contundente", "Blunt object"),
    "BODILY": Text("Fuerza física", "Bodily force"),
    "VEHICLE": Text("Vehículo", "Vehicle"),
    "EXPLOSIVE": Text("Explosivo", "Explosive"),
    "FIRE": Text("Fuego", "Fire"),
    "STRANGULATION": Text("Estrangulamiento", "Strangulation"),
    "NONE": Text("Sin medio", "No means"),
}

PERPETRATORS: Final[Mapping[str, Text]] = {
    "ORGANISED_CRIME": Text("Delincuencia organizada", "Organised crime"),
    "COMMON_CRIME": Text("Delincuencia común", "Common crime"),
    "COMMUNITY_MEMBER": Text("Integrante de la comunidad", "Member of the community"),
    "PATIENT_OR_RELATIVE": Text("Paciente o familiar", "Patient or relative"),
    "COWORKER_OR_SUPERVISOR": Text("Compañero o superior", "Coworker or supervisor"),
    "SECURITY_FORCE": Text("Fuerza de seguridad", "Security force"),
    "OTHER_AUTHORITY": Text("Otra autoridad", "Other authority"),
    "ACQUAINTANCE": Text("Persona conocida", "Acquaintance"),
}

NEXUS: Final[Mapping[str, Text]] = {
    "ON_DUTY_AT_SITE": Text("En servicio, en la unidad", "On duty at the site"),
    "ON_DUTY_TRANSFER": Text("En servicio, en traslado", "On duty, in transfer"),
    "LIVING_QUARTERS": Text("En la vivienda de la unidad", "In the living quarters"),
    "COMMUTE": Text("En el trayecto", "Commuting"),
    "OFF_DUTY_SAME_MUNICIPALITY": Text("Fuera de servicio, en el municipio", "Off duty, in the municipality"),
    "OFF_DUTY_ELSEWHERE": Text("Fuera de servicio, en otra parte", "Off duty, elsewhere"),
}

ROLES: Final[Mapping[str, Text]] = {
    "PASANTE_MEDICINE": Text("Pasante de medicina", "Medical student in social service"),
    "PASANTE_OTHER": Text("Pasante de otra carrera", "Student of another career in social service"),
    "INTERN": Text("Médico interno", "Intern"),
    "STAFF": Text("Personal de salud", "Health staff"),
    "PATIENT": Text("Paciente", "Patient"),
    "FAMILY": Text("Familiar", "Family"),
    "OTHER": Text("Otra persona", "Somebody else"),
}

NOT_APPLICABLE: Final = Text("No aplica", "Not applicable")
NOT_REPORTED: Final = Text("La fuente no lo dice", "Not reported")

_NAMED: Final[Mapping[str, Mapping[str, Text]]] = {
    "OUTCOME": OUTCOMES,
    "MANNER": MANNERS,
    "MEANS": MEANS,
    "PERPETRATOR": PERPETRATORS,
    "NEXUS": NEXUS,
    "ROLE": ROLES,
    "SCOPE": labels.NEXUS,
}


def quarter(value: str) -> Text:
    """``2026-Q1`` as people write it."""
    year, _, number = value.partition("-Q")
    return Text(f"Trimestre {number} de {year}", f"Quarter {number} of {year}")


def cell(dimension: str, value: str) -> Text:
    """The label of a value in one dimension; plaza types, promotions and ids without a name are their own."""
    if value == "UNKNOWN":
        return labels.unknown(dimension)
    if value == "NOT_REPORTED":
        return NOT_REPORTED
    if value == "NOT_APPLICABLE":
        return NOT_APPLICABLE
    if dimension == "QUARTER":
        return quarter(value)
    return _NAMED[dimension][value] if dimension in _NAMED else labels.cell(dimension, value)
