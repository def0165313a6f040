"""What a university's or a ministry's list is made of: the fields of each kind of record, by the names people use.

Templates are made from this, files without a profile are read by it, and profiles are suggested by it. Which codes a
field takes is asked of its draft, so that none of the three can drift from what the register accepts.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from api import labels
from api.imports.dates import fold
from api.imports.explaining import codes_at
from api.imports.paths import parse_path
from api.imports.records import KINDS, Records
from registry.catalogs.states import STATES
from registry.domain.codes import AttackKind, ThreatKind
from registry.text import Text


class Field(NamedTuple):
    """``path`` in the record, its heading, what to write there, and other headings that people give it, folded.

    ``day``: a civil date. ``required``: a row without it is refused.
    """

    path: str
    heading: Text
    note: Text
    synonyms: tuple[str, ...] = ()
    day: bool = False
    required: bool = False


_OWN_ID: Final = Field(
    "source_record_id",
    Text("Folio", "Record id"),
    Text(
        "Su propio número de registro, distinto en cada fila: con él, enviar dos veces no duplica nada.",
        "Your own record number, another in each row: by it, sending twice doubles nothing.",
    ),
    ("id", "no", "num", "numero", "clave", "registro", "folio interno", "attack id", "case id", "record"),
    required=True,
)

FIELDS: Final[Mapping[Records, tuple[Field, ...]]] = {
    Records.ASSIGNMENTS: (
        _OWN_ID,
        Field(
            "student.curp",
            Text("CURP", "CURP"),
            Text(
                "CURP o matrícula, una de las dos. Se guarda cifrada.", "CURP or student number, one of them."
            ),
            ("curp del pasante",),
        ),
        Field(
            "student.internal_id",
            Text("Matrícula", "Student number"),
            Text("Si no hay CURP. Se guarda cifrada.", "Where there is no CURP. Stored encrypted."),
            ("numero de cuenta", "no de cuenta", "boleta", "expediente", "alumno", "student", "student id"),
        ),
        Field(
            "site.source_record_id",
            Text("CLUES de la sede", "CLUES of the site"),
            Text(
                "La actual o una anterior de la misma unidad.", "Its present code, or one that it had before."
            ),
            ("clues", "sede", "clave clues", "unidad", "clinica", "centro de salud", "site", "clinic"),
            required=True,
        ),
        Field(
            "promotion",
            Text("Promoción", "Promotion"),
            Text("AAAA-1 (febrero) o AAAA-2 (agosto).", "YYYY-1 (February) or YYYY-2 (August)."),
            ("generacion", "periodo", "cohorte", "cohort", "term"),
            required=True,
        ),
        Field(
            "plaza_type",
            Text("Tipo de plaza", "Type of place"),
            Text("Elija de la lista.", "Choose from the list."),
            ("plaza", "tipo", "modalidad", "categoria", "type"),
            required=True,
        ),
        Field(
            "starts",
            Text("Inicio", "Starts"),
            Text("Primer día, como fecha.", "First day, as a date."),
            ("fecha de inicio", "fecha inicio", "start", "start date", "inicio del servicio"),
            day=True,
            required=True,
        ),
        Field(
            "planned_end",
            Text("Término previsto", "Planned end"),
            Text("Último día previsto, como fecha.", "Last day as planned, as a date."),
            ("termino", "fecha de termino", "fin", "fecha fin", "end", "end date", "conclusion"),
            day=True,
            required=True,
        ),
        Field(
            "selection_rank",
            Text("Lugar de elección", "Selection rank"),
            Text(
                "Si se eligió por promedio: el lugar, desde 1.",
                "Where places were chosen by grades: whose turn it was, from 1.",
            ),
            ("lugar", "prelacion", "orden de eleccion", "numero de eleccion", "rank", "selection order"),
        ),
    ),
    Records.RELOCATIONS: (
        _OWN_ID,
        Field(
            "assignment.source_record_id",
            Text("Folio de la asignación", "Record id of the assignment"),
            Text(
                "El folio con que se registró la asignación.",
                "The id under which the assignment was registered.",
            ),
            ("asignacion", "assignment", "folio asignacion"),
            required=True,
        ),
        Field(
            "to.source_record_id",
            Text("CLUES de la sede nueva", "CLUES of the new site"),
            Text(
                "La actual o una anterior de la misma unidad.", "Its present code, or one that it had before."
            ),
            ("sede nueva", "nueva sede", "destino", "a", "to", "new site", "clues destino"),
            required=True,
        ),
        Field(
            "effective",
            Text("A partir de", "Effective"),
            Text("Primer día en la sede nueva, como fecha.", "First day at the new site, as a date."),
            ("fecha", "fecha de cambio", "desde", "date", "vigencia"),
            day=True,
            required=True,
        ),
        Field(
            "reason",
            Text("Motivo", "Reason"),
            Text("Elija de la lista.", "Choose from the list."),
            ("causa", "razon", "why"),
            required=True,
        ),
        Field(
            "trigger_incident.source_record_id",
            Text("Folio del incidente", "Record id of the incident"),
            Text("Si un incidente lo motivó y lo conoce.", "If an incident led to it, and you know it."),
            ("incidente", "incident"),
        ),
    ),
    Records.REPORTS: (
        _OWN_ID,
        Field(
            "class",
            Text("Clase", "Class"),
            Text("Amenaza o ataque. Elija de la lista.", "Threat or attack. Choose from the list."),
            ("tipo de evento", "clasificacion", "class"),
            required=True,
        ),
        Field(
            "source_type",
            Text("Tipo de fuente", "Type of source"),
            Text("Quién lo dice. Elija de la lista.", "Who says it. Choose from the list."),
            ("fuente", "source type", "origen"),
            required=True,
        ),
        Field(
            "directness",
            Text("Fuente directa", "Directness"),
            Text(
                "DIRECT si nombra a un testigo o un documento.", "DIRECT if it names a witness or a document."
            ),
            ("directa", "direct"),
        ),
        Field(
            "source_name",
            Text("Nombre de la fuente", "Name of the source"),
            Text("Por ejemplo, el medio. Se guarda cifrado.", "The outlet, for example. Stored encrypted."),
            ("medio", "outlet", "source", "periodico", "source office"),
        ),
        Field(
            "kind",
            Text("Tipo de agresión", "Kind"),
            Text("Según la clase. Elija de la lista.", "As the class has them. Choose from the list."),
            ("tipo", "agresion", "delito", "attack type", "incident", "hecho"),
        ),
        Field(
            "means[0]",
            Text("Medio empleado", "Means"),
            Text("Elija de la lista.", "Choose from the list."),
            ("arma", "weapon", "medios"),
        ),
        Field(
            "when.earliest",
            Text("Fecha desde", "Earliest date"),
            Text(
                "Como fecha; si se sabe el día, el mismo en ambas.",
                "As a date; the same in both if the day is known.",
            ),
            (
                "fecha",
                "fecha del hecho",
                "fecha inicio",
                "date",
                "attack date",
                "date start",
                "fecha de los hechos",
            ),
            day=True,
        ),
        Field(
            "when.latest",
            Text("Fecha hasta", "Latest date"),
            Text("Como fecha.", "As a date."),
            ("fecha fin", "fecha final", "date end", "hasta"),
            day=True,
        ),
        Field(
            "when.precision",
            Text("Precisión de la fecha", "Precision of the date"),
            Text(
                "DAY si se sabe el día. Elija de la lista.", "DAY if the day is known. Choose from the list."
            ),
            ("precision fecha", "date prec", "date precision"),
        ),
        Field(
            "where.state",
            Text("Estado", "State"),
            Text("Clave de dos cifras. Elija de la lista.", "Two digits. Choose from the list."),
            ("entidad", "entidad federativa", "state", "adm 1", "cve ent", "clave entidad"),
        ),
        Field(
            "where.place",
            Text("Municipio", "Municipality"),
            Text(
                "Por su nombre, con el estado aquí o en su columna: Pueblo Nuevo, Durango.",
                "By its name, with the state here or in its column: Pueblo Nuevo, Durango.",
            ),
            ("nombre del municipio", "nom mun", "municipality", "lugar", "place", "adm 2"),
        ),
        Field(
            "where.cvegeo",
            Text("Municipio (cvegeo)", "Municipality (cvegeo)"),
            Text(
                "En vez del nombre: cinco cifras, como texto: 01001.",
                "Instead of the name: five digits, as text: 01001.",
            ),
            ("cvegeo", "cve geo", "clave municipio", "clave del municipio", "cve mun"),
        ),
        Field(
            "where.site.source_record_id",
            Text("CLUES de la unidad", "CLUES of the clinic"),
            Text("Si ocurrió en una. La actual o una anterior.", "If it happened in one. Present or former."),
            ("clues", "clave clues", "unidad", "clinica", "centro de salud", "sede", "site", "clinic"),
        ),
        Field(
            "where.precision",
            Text("Precisión del lugar", "Precision of the place"),
            Text(
                "Lo más fino que se conoce. Elija de la lista.",
                "The finest that is known. Choose from the list.",
            ),
            ("where prec", "precision lugar"),
        ),
        Field(
            "perpetrator.group",
            Text("Responsable", "Perpetrator"),
            Text(
                "Un grupo, nunca una persona. Elija de la lista.",
                "A group, never a person. Choose from the list.",
            ),
            ("agresor", "perpetrador", "perpetrator"),
        ),
        Field(
            "perpetrator.basis",
            Text("Base de la atribución", "Basis of the attribution"),
            Text("Con el responsable. Elija de la lista.", "With the perpetrator. Choose from the list."),
            ("base",),
        ),
        Field(
            "victims[0].role",
            Text("Víctima", "Victim"),
            Text(
                "PASANTE_MEDICINE si lo era. Elija de la lista.",
                "PASANTE_MEDICINE if so. Choose from the list.",
            ),
            ("rol", "role", "victim", "cargo"),
        ),
        Field(
            "victims[0].student.curp",
            Text("CURP de la víctima", "CURP of the victim"),
            Text(
                "Si era pasante. CURP o matrícula, una de las dos. Se guarda cifrada.",
                "Of a student. CURP or student number, one of them. Stored encrypted.",
            ),
            ("curp",),
        ),
        Field(
            "victims[0].student.internal_id",
            Text("Matrícula de la víctima", "Student number of the victim"),
            Text("Si no hay CURP. Se guarda cifrada.", "Where there is no CURP. Stored encrypted."),
            ("matricula", "numero de cuenta", "boleta", "student number"),
        ),
        Field(
            "victims[0].sex",
            Text("Sexo", "Sex"),
            Text("Elija de la lista.", "Choose from the list."),
            ("genero", "gender", "sex"),
        ),
        Field(
            "victims[0].outcome",
            Text("Consecuencia", "Outcome"),
            Text("La más grave. Elija de la lista.", "The gravest. Choose from the list."),
            ("desenlace", "resultado", "outcome", "lesion"),
        ),
        Field(
            "victims[0].nexus",
            Text("Vínculo con el servicio", "Link to the service"),
            Text("Dónde y en qué momento. Elija de la lista.", "Where and when. Choose from the list."),
            ("vinculo", "nexus", "nexo"),
        ),
        Field(
            "victims[0].count.low",
            Text("Víctimas, mínimo", "Victims, at least"),
            Text(
                "Si fueron varias: mínimo, mejor y máximo.", "If there were several: lowest, best, highest."
            ),
            ("minimo", "low"),
        ),
        Field(
            "victims[0].count.best",
            Text("Víctimas, mejor cifra", "Victims, best figure"),
            Text("Entre el mínimo y el máximo.", "Between the two."),
            ("victimas", "best", "numero de victimas"),
        ),
        Field(
            "victims[0].count.high",
            Text("Víctimas, máximo", "Victims, at most"),
            Text("Si no se sabe, la mejor cifra.", "If unknown, the best figure."),
            ("maximo", "high"),
        ),
        Field(
            "narrative",
            Text("Relato", "Narrative"),
            Text("Con sus palabras. Se guarda cifrado.", "In your own words. Stored encrypted."),
            ("descripcion", "narrativa", "hechos", "description", "observaciones", "notas"),
        ),
        Field(
            "evidence[0].source_url",
            Text("Enlace", "Link"),
            Text(
                "Dirección del documento o la nota. Se guarda cifrada.", "Address of the document or article."
            ),
            ("url", "liga", "link", "enlaces"),
        ),
    ),
}
"""Incidents are adjudicated from reports, not kept in lists: they have no template."""

_STATE_LABELS: Final = {state.code: Text(state.name, state.name) for state in STATES}

_LABELS: Final[Mapping[str, Mapping[str, Text]]] = {
    "class": labels.CLASSES,
    "kind": labels.KINDS,
    "victims[0].sex": labels.SEXES,
    "where.state": _STATE_LABELS,
}


def codes_of(records: Records, field: Field) -> tuple[tuple[str, Text | None], ...]:
    """The codes that a field takes, with what they are called, where they have a name."""
    known = _LABELS.get(field.path, {})
    return tuple((code, known.get(code)) for code in _codes(records, field.path))


def _codes(records: Records, path: str) -> tuple[str, ...]:
    if path == "kind":
        return (*ThreatKind, *AttackKind, "UNKNOWN", "NOT_REPORTED")
    if path == "where.state":
        return tuple(_STATE_LABELS)
    if path == "class":
        return ("THREAT", "ATTACK")
    for draft in reversed(KINDS[records].drafts):
        if found := codes_at(draft, parse_path(path)):
            return found
    return ()


@lru_cache(maxsize=8)
def paths_by_heading(records: Records) -> Mapping[str, str]:
    """The headings of the templates, folded, in both languages → the fields that they stand for."""
    return {
        fold(heading): field.path
        for field in FIELDS.get(records, ())
        for heading in (field.heading.es, field.heading.en)
    }
