"""What stands beside every table that is taken away: what was asked, by which definition, as of when, how to check it.

The members are those of a Frictionless Tabular Data Resource (specs.frictionlessdata.io, 1.0), which allows more: the
question, the total, the definition, the checkpoint, the certificate and the citation.
"""

from typing import Any

from api.counts.answer import Answer
from api.web.downloads.contents import Content
from api.web.figures import figure
from api.web.visit import Visit
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.mirror.description import LICENCE, schema
from registry.log.lines import write_base64


def describe(visit: Visit, answer: Answer, content: Content, link: str) -> dict[str, Any]:
    """``link``: the address of the CSV for ever.

    ``certificate`` is of the count that was asked for; of a list of incidents, of the count that follows from them.
    """
    shown = figure(visit, answer)
    checkpoint = answer.checkpoint
    return {
        "profile": "tabular-data-resource",
        "name": content.name,
        "title": content.about.in_(visit.language),
        "description": visit.warned(shown.sentence),
        "path": link,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "unit": answer.query.unit.value,
        "nexus": answer.query.nexus.value,
        "question": answer.query.canonical(),
        "total": {
            **answer.counted.bounds._asdict(),
            "disputed": answer.counted.disputed,
            "excluded": [
                {"reason": item.reason.value, "incidents": item.incidents} for item in answer.counted.excluded
            ],
            "waiting": answer.waiting,
        },
        "definition": {"id": DEFINITION_ID, "sha256": definition_sha256()},
        "asOf": {
            "origin": answer.backing.origin,
            "size": checkpoint.size,
            "root": write_base64(checkpoint.root),
            "publishedAt": checkpoint.published_at.isoformat(timespec="seconds"),
        },
        "certificate": answer.certificate(),
        "citation": shown.citation,
        "page": shown.base + shown.link,
        "verify": list(shown.commands),
        "licenses": [LICENCE],
        "schema": schema(content.columns),
    }
