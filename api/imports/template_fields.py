"""What a university's or a ministry's list is made of: the fields of each kind of record, by the names people use.

Templates are made from this, files without a profile are read by it, and profiles are suggested by it. Which codes a
field takes is asked of its draft, so that none of the three can drift from what the register accepts.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from api import labels
from api.imports.dates import fold
from api.imports.explaining import codes_at
from api.imports.fields import OWN_ID, Field
from api.imports.paths import parse_path
from api.imports.records import KINDS, Records
from api.imports.report_fields import REPORT_FIELDS
from registry.catalogs.states import STATES
from registry.domain.codes import AttackKind, ThreatKind
from registry.text import Text

FIELDS: Final[Mapping[Records, tuple[Field, ...]]] = {
    Records.ASSIGNMENTS: (
        OWN_ID,
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
        OWN_ID,
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
    Records.REPORTS: REPORT_FIELDS,
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
