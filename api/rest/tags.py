"""What the operations are grouped by, in the order in which people come to them: OpenAPI's tags, Spanish · English."""

from typing import Final

TAGS: Final = (
    ("reports", "Reportes: lo que dijo una fuente · Reports: what one source said"),
    ("nil-reports", "Trimestres sin incidentes conocidos · Quarters without known incidents"),
    (
        "evidence",
        "Archivos que respaldan un reporte, y su custodia · Files that back a report, and their custody",
    ),
    ("imports", "Importar muchos registros de una vez · Import many records at once"),
    (
        "assignments",
        "Asignaciones: el año de servicio de un pasante · Assignments: a student's year of service",
    ),
    ("sites", "Sedes: las unidades de salud · Sites: the health units"),
    ("places", "Municipios por su nombre · Municipalities by their name"),
    ("triage-queue", "Reportes que esperan clasificación · Reports that wait for triage"),
    ("matches", "De qué puede tratar un reporte · What a report may be about"),
    ("incidents", "Incidentes: lo que se dictaminó · Incidents: what was adjudicated"),
    ("events", "Eventos: todo, en el orden de la bitácora · Events: everything, in the order of the log"),
    ("webhooks", "Webhooks: que el registro le avise · Webhooks: be told by the register"),
    ("log", "La bitácora: puntos de control, hojas y pruebas · The log: checkpoints, leaves and proofs"),
    ("receipts", "Recibos de lo enviado · Receipts of what was sent"),
    ("subject-requests", "Solicitudes sobre datos propios · Requests about one's own data"),
    ("private-reads", "Quién leyó lo que no es público · Who read what is not public"),
    (
        "institutions",
        "Instituciones: quien reporta y quien verifica · Institutions: who reports and who verifies",
    ),
    ("keys", "Claves de acceso · Access keys"),
    ("problems", "Tipos de problema · Problem types"),
    ("operation", "El estado del servicio · The state of the service"),
)


def described() -> list[dict[str, str]]:
    """OpenAPI's Tag Objects."""
    return [{"name": name, "description": text} for name, text in TAGS]
