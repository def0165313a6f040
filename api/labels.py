"""What the codes are called, for people to read: Spanish first, English second.

The codes themselves are the interface; a label may be reworded at any time.
"""

from collections.abc import Mapping

from registry.catalogs import states
from registry.text import Text

_UNKNOWN = Text("Se desconoce", "Unknown")
_NOT_REPORTED = Text("La fuente no lo dice", "Not reported")

INVENTED = Text(
    "Demostración: todas las personas y todos los hechos de este registro son inventados.",
    "Demonstration: all people and all events in this register are invented.",
)
"""What pages and files of a demonstration begin with."""

CLASSES: Mapping[str, Text] = {
    "THREAT": Text("Amenaza", "Threat"),
    "ATTACK": Text("Ataque", "Attack"),
}

KINDS: Mapping[str, Text] = {
    "VERBAL": Text("Amenaza verbal", "Verbal threat"),
    "MESSAGE": Text("Amenaza por mensaje", "Threat by message"),
    "WRITTEN": Text("Amenaza por escrito", "Written threat"),
    "SURVEILLANCE": Text("Vigilancia", "Surveillance"),
    "ARMED_INTIMIDATION": Text("Intimidación con armas", "Armed intimidation"),
    "ORDER_TO_LEAVE": Text("Orden de irse", "Order to leave"),
    "AGAINST_FAMILY": Text("Amenaza contra la familia", "Threat against the family"),
    "LYNCHING_THREAT": Text("Amenaza de linchamiento", "Threat of lynching"),
    "PHYSICAL_ASSAULT": Text("Agresión física", "Physical assault"),
    "ARMED_ATTACK": Text("Ataque armado", "Armed attack"),
    "ABDUCTION": Text("Privación de la libertad", "Abduction"),
    "COERCED_CARE": Text("Atención médica bajo coacción", "Coerced care"),
    "SEXUAL_VIOLENCE": Text("Violencia sexual", "Sexual violence"),
    "HARASSMENT": Text("Hostigamiento", "Harassment"),
    "EXTORTION": Text("Extorsión", "Extortion"),
    "ROBBERY": Text("Robo", "Robbery"),
    "SITE_ATTACK": Text("Ataque a la unidad de salud", "Attack on the health unit"),
    "OBSTRUCTION": Text("Obstrucción de la atención", "Obstruction of care"),
    "DISAPPEARANCE": Text("Desaparición", "Disappearance"),
    "DEATH_UNDETERMINED": Text("Muerte por causa no determinada", "Death of undetermined cause"),
    "NOT_REPORTED": _NOT_REPORTED,
}

CERTAINTIES: Mapping[str, Text] = {
    "RUMOUR": Text("Rumor", "Rumour"),
    "POSSIBLE": Text("Posible", "Possible"),
    "PROBABLE": Text("Probable", "Probable"),
    "CONFIRMED": Text("Confirmado", "Confirmed"),
    "REFUTED": Text("Refutado", "Refuted"),
}

SEXES: Mapping[str, Text] = {
    "FEMALE": Text("Mujer", "Female"),
    "MALE": Text("Hombre", "Male"),
    "OTHER": Text("Otro", "Other"),
    "NOT_REPORTED": _NOT_REPORTED,
}

UNITS: Mapping[str, Text] = {
    "INCIDENTS": Text("incidentes", "incidents"),
    "VICTIMISATIONS": Text("victimizaciones", "victimisations"),
    "DEATHS": Text("muertes", "deaths"),
}

NEXUS: Mapping[str, Text] = {
    "STRICT": Text(
        "en servicio, traslado, vivienda o trayecto", "on duty, in transfer, in quarters or commuting"
    ),
    "BROAD": Text("en servicio o fuera de él", "on or off duty"),
}

EXCLUSIONS: Mapping[str, Text] = {
    "RETRACTED": Text("Retirado por quien lo dictaminó", "Retracted"),
    "MERGED": Text("Unido a otro incidente", "Merged into another incident"),
    "REFUTED": Text("Refutado", "Refuted"),
    "RUMOUR": Text("Solo rumor", "Rumour only"),
    "NO_IN_SCOPE_VICTIM": Text(
        "Sin víctima que sea pasante de medicina con ese vínculo",
        "No victim in medical social service with that link",
    ),
    "UNDISCLOSED": Text(
        "No puede decidirse: lo que se filtra aún no es público",
        "Undecided: what is filtered by is not public yet",
    ),
    "UNKNOWN": Text("No puede decidirse: se desconoce", "Undecided: it is not known"),
    "NOT_REPORTED": Text("No puede decidirse: la fuente no lo dice", "Undecided: the source does not say"),
}

STATUSES: Mapping[str, Text] = {
    "ACTIVE": Text("Vigente", "Stands"),
    "MERGED": Text("Unido a otro incidente", "Merged into another incident"),
    "RETRACTED": Text("Retirado", "Retracted"),
    "REFUTED": Text("Refutado", "Refuted"),
}

REASONS: Mapping[str, Text] = {
    "DATA_ENTRY": Text("error de captura", "error of data entry"),
    "NEW_EVIDENCE": Text("pruebas nuevas", "new evidence"),
    "DUPLICATE": Text("duplicado", "duplicate"),
    "OUT_OF_SCOPE": Text("fuera del alcance", "out of scope"),
    "MISIDENTIFICATION": Text("identificación equivocada", "misidentification"),
    "RECLASSIFICATION": Text("reclasificación", "reclassification"),
    "CODEBOOK_CHANGE": Text("cambio de los códigos", "change of the codebook"),
    "LEGAL_ORDER": Text("orden legal", "legal order"),
    "PROTECTED": Text("motivo protegido", "protected reason"),
}
"""Why something was corrected, as leaves say it."""

FIELDS: Mapping[str, Text] = {
    "incident": Text("Aparece por primera vez", "Appears for the first time"),
    "class": Text("Clase", "Class"),
    "status": Text("Situación", "Standing"),
    "merged_into": Text("Unido a", "Merged into"),
    "certainty": Text("Certeza", "Certainty"),
    "disputed": Text("En disputa", "Disputed"),
    "tally": Text("Personas afectadas", "People affected"),
    "year": Text("Año", "Year"),
    "state": Text("Estado", "State"),
    "kind": Text("Tipo", "Kind"),
    "municipality": Text("Municipio", "Municipality"),
    "month": Text("Mes", "Month"),
    "sex": Text("Sexo de las personas muertas", "Sex of the dead"),
    "waived": Text("Abierto por exención", "Open by exemption"),
    "sealed": Text("Corregido sin hacerse público", "Corrected without becoming public"),
}
"""What a release may change of an incident (``projections.counting.changes``)."""

DIMENSIONS: Mapping[str, Text] = {
    "CLASS": FIELDS["class"],
    "KIND": FIELDS["kind"],
    "YEAR": FIELDS["year"],
    "MONTH": FIELDS["month"],
    "STATE": FIELDS["state"],
    "MUNICIPALITY": FIELDS["municipality"],
    "CERTAINTY": FIELDS["certainty"],
    "SEX": FIELDS["sex"],
}

UNKNOWN_CELL: Mapping[str, Text] = {
    "YEAR": Text("Año desconocido", "Year unknown"),
    "MONTH": Text("Mes desconocido", "Month unknown"),
    "STATE": Text("Estado desconocido", "State unknown"),
    "MUNICIPALITY": Text("Municipio desconocido", "Municipality unknown"),
    "KIND": Text("Tipo desconocido", "Kind unknown"),
    "SEX": Text("Sexo desconocido", "Sex unknown"),
}

UNDISCLOSED_CELL = Text("Aún no es público", "Not public yet")

MONTHS: tuple[Text, ...] = (
    Text("enero", "January"),
    Text("febrero", "February"),
    Text("marzo", "March"),
    Text("abril", "April"),
    Text("mayo", "May"),
    Text("junio", "June"),
    Text("julio", "July"),
    Text("agosto", "August"),
    Text("septiembre", "September"),
    Text("octubre", "October"),
    Text("noviembre", "November"),
    Text("diciembre", "December"),
)


def unknown(dimension: str) -> Text:
    """The label of what nobody knows."""
    return UNKNOWN_CELL.get(dimension, _UNKNOWN)


def month(value: str) -> Text:
    """``2020-04`` as people write it."""
    year, _, number = value.partition("-")
    name = MONTHS[int(number) - 1]
    return Text(f"{name.es} de {year}", f"{name.en} {year}")


def state(code: str) -> Text:
    """A state's name, the same in both languages."""
    name = states.BY_CODE[code].name
    return Text(name, name)


def municipality(code: str) -> Text:
    """A municipality by its code and state: its name belongs to the catalogue that the operator loads."""
    name = states.BY_CODE[code[:2]].name if code[:2] in states.BY_CODE else ""
    return Text(f"Municipio {code} ({name})", f"Municipality {code} ({name})")


_NAMED: Mapping[str, Mapping[str, Text]] = {
    "CLASS": CLASSES,
    "KIND": KINDS,
    "CERTAINTY": CERTAINTIES,
    "SEX": SEXES,
}
_WRITTEN = {"MONTH": month, "STATE": state, "MUNICIPALITY": municipality}


def cell(dimension: str, value: str) -> Text:
    """The label of a known value; a year is its own."""
    if dimension in _WRITTEN:
        return _WRITTEN[dimension](value)
    return _NAMED[dimension][value] if dimension in _NAMED else Text(value, value)
