"""What the parameters of operations mean, where the operation itself does not say it."""

from collections.abc import Mapping
from typing import Any, Final

_MEANINGS: Final[Mapping[str, str]] = {
    "after": "Dónde sigue: el «next» de la página anterior. · Where to go on: the “next” of the page before.",
    "clues": "La CLUES de la clínica, la de hoy o una anterior. · The CLUES of the clinic, today's or a former one.",
    "lang": "El idioma de la plantilla. · The language of the template.",
    "limit": "Cuántos, a lo más. · How many, at most.",
    "mode": "Qué se guarda: nada, cada fila que se acepta, o todas o ninguna. · "
    "What is stored: nothing, every row that is accepted, or all or none.",
    "name": "El nombre del lugar, como se escriba. · The name of the place, however it is written.",
    "on": "Solo lo que pudo existir ese día. · Only what there may have been on that day.",
    "on_change": "Qué se hace con una fila que ya se guardó con otro contenido. · What is done with a row that was "
    "stored before with other content.",
    "overdue": "Solo las que pasaron de su plazo. · Only those past their time limit.",
    "person": "El seudónimo de una persona. · The pseudonym of a person.",
    "record": "El registro que se leyó. · The record that was read.",
    "records": "Qué contiene el archivo. · What the file holds.",
    "report": "El reporte cuyas coincidencias se buscan. · The report whose matches are looked for.",
    "source_record_id": "El número propio de quien lo envió. · The sender's own id of it.",
    "state": "El estado, por nombre o código. · The state, by name or code.",
    "updated_after": "Solo lo que cambió después de ese momento. · Only what changed after that time.",
}


def explain(document: Mapping[str, Any]) -> None:
    """Puts them into an OpenAPI document, as ``Spanish · English``."""
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query" and "description" not in parameter:
                    parameter["description"] = _MEANINGS[parameter["name"]]
