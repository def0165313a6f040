"""``/v1/evidence``: files attached to reports come in as they are and go out as attachments, never as pages.

What describes a file stands in headers beside its bytes: addresses (URLs) end up in the logs of whatever lies between.
"""

import base64
import re
from typing import Annotated, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.auth.guard import requires
from api.problems import BAD_REQUEST, INVALID_INPUT, FieldError, Problem
from api.rest import answers
from api.rest.bodies import content_of, explain, limited
from api.rest.documentation import document_evidence, document_evidence_file, document_read
from api.rest.headers import idempotency_key
from api.rest.writing import fingerprint
from api.services import Services
from registry.application.drafts import FileDraft
from registry.application.evidence.custody import Custody, Evidence
from registry.application.evidence.intake import Attaching, Received
from registry.application.execution.unit import Actor, WriteOptions
from registry.store.files import Files
from registry.text import Text

ATTACH: Final = "/v1/reports/{id}/evidence"
ONE: Final = "/v1/evidence/{id}"
FILE: Final = "/v1/evidence/{id}/file"

DESCRIBED_BY: Final = {
    "source_url": "Evidence-Source-URL",
    "acquired_at": "Evidence-Acquired-At",
    "method": "Evidence-Method",
    "media_type": "Content-Type",
}
"""The header in which each field of the description is sent; ``source_record_id`` is a parameter of the address."""

EXTENSIONS: Final = {
    "application/pdf": "pdf",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "text/plain": "txt",
    "video/mp4": "mp4",
}
"""Types under which a file is served; every other is served as bytes. None of them runs anything by itself."""

# Whatever the file is: saved, not shown; not guessed at; and, shown against all this, without scripts or an origin.
_NEVER_INLINE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}

# RFC 9530 section 2, with the one algorithm that evidence is kept by (RFC 8941: bytes in base64 between colons).
_SHA_256: Final = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):")


def build_router(services: Services) -> APIRouter:
    """The endpoints of evidence over one running register."""
    router = APIRouter()
    files = Files(services.pool)
    attaching = Attaching(services.application, files)
    custody = Custody(services.application, files)

    @router.post(ATTACH, **document_evidence(DESCRIBED_BY))
    async def attach(
        request: Request,
        id: UUID,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("POST", ATTACH))],
    ) -> Response:
        key = idempotency_key(request)
        declared = _declared_digest(request)
        draft = _describe(request)

        def check(received: Received) -> WriteOptions:
            if received.size == 0:
                raise Problem(INVALID_INPUT, errors=[_EMPTY])
            if declared is not None and declared != received.digest:
                raise Problem(INVALID_INPUT, errors=[_OTHER_DIGEST])
            content = content_of(draft) + received.digest.encode()
            return WriteOptions(
                idempotency_key=key,
                body=fingerprint(request, content),
                source_record_id=draft.source_record_id,
                content=id.bytes + content,
            )

        limit = services.settings.evidence_limit
        attached = await attaching.attach(actor, id, draft, limited(request, limit), check)
        return answers.attached(attached.accepted.seen_by(actor), attached.evidence)

    @router.get(
        ONE,
        **document_read(
            "Leer la custodia de un archivo · Read the custody of a file", "/v1/evidence", Evidence
        ),
    )
    async def one(
        id: UUID,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("GET", ONE))],
    ) -> Response:
        return answers.plain(await custody.describe(actor, id))

    @router.get(FILE, **document_evidence_file())
    async def file(
        id: UUID,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("GET", FILE))],
    ) -> Response:
        attached, chunks = await custody.serve(actor, id)
        known = attached.media_type in EXTENSIONS
        return StreamingResponse(
            chunks,
            media_type=attached.media_type if known else "application/octet-stream",
            headers={
                **_NEVER_INLINE,
                "Content-Length": str(attached.size),
                "Content-Disposition": f'attachment; filename="{id}.{EXTENSIONS.get(attached.media_type, "bin")}"',
            },
        )

    return router


def _describe(request: Request) -> FileDraft:
    """What stands beside the file. Raises Problem: 422 naming the headers that cannot be accepted."""
    given = {name: request.headers.get(header) for name, header in DESCRIBED_BY.items()}
    given["source_record_id"] = request.query_params.get("source_record_id")
    if given["media_type"] is not None:
        given["media_type"] = given["media_type"].partition(";")[0].strip().lower()
    described = {name: value for name, value in given.items() if value is not None}
    try:
        return msgspec.convert(described, FileDraft)
    except msgspec.ValidationError:
        errors = [FieldError(_place(error.field), error.text) for error in explain(described, FileDraft)]
        raise Problem(INVALID_INPUT, errors=errors) from None


def _place(field: str) -> str:
    return f"header.{DESCRIBED_BY[field]}" if field in DESCRIBED_BY else f"query.{field}"


def _declared_digest(request: Request) -> str | None:
    """The SHA-256 (hex) in ``Content-Digest``, None without the header. Raises Problem: 400 without a SHA-256 in it."""
    value = request.headers.get("content-digest")
    if value is None:
        return None
    found = _SHA_256.search(value)
    if found is None:
        text = Text("Se acepta sha-256=:<base64>: (RFC 9530).", "Accepted is sha-256=:<base64>: (RFC 9530).")
        raise Problem(BAD_REQUEST, errors=[FieldError("header.Content-Digest", text)])
    return base64.b64decode(found[1]).hex()


_EMPTY: Final = FieldError(
    "body",
    Text(
        "El archivo llegó vacío, y un archivo vacío no documenta nada. Compruebe el archivo y envíelo de nuevo.",
        "The file arrived empty, and an empty file documents nothing. Check the file and send it again.",
    ),
)

_OTHER_DIGEST: Final = FieldError(
    "header.Content-Digest",
    Text(
        "El archivo recibido tiene otro resumen SHA-256 que el declarado. Compruebe el archivo y envíelo de nuevo.",
        "The file that arrived has another SHA-256 digest than the one declared. Check the file and send it again.",
    ),
)
