"""The OpenAPI description: schemas from the drafts themselves, one synthetic example per body, every problem."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.auth.guard import SECURITY_SCHEME
from api.auth.keys import Key, KeyDraft
from api.delivery.webhooks.drafts import (
    AttemptPage,
    AttemptView,
    NothingDraft,
    WebhookDraft,
    WebhookPage,
    WebhookReplayDraft,
    WebhookSecretView,
    WebhookView,
)
from api.problems import (
    BAD_REQUEST,
    BODY_TOO_LARGE,
    ERASED,
    IDEMPOTENCY_KEY_REUSED,
    IF_MATCH_REQUIRED,
    INVALID_INPUT,
    MALFORMED_BODY,
    MEDIA_TYPE,
    MISSING_SCOPE,
    NOT_ALLOWED,
    NOT_FOUND,
    RULE_VIOLATED,
    SOURCE_RECORD_DIFFERS,
    UNAUTHENTICATED,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA_TYPE,
    VERSION_CONFLICT,
    ProblemType,
)
from api.rest.answers import EvidenceAnswer, Item, KeyAnswer, Matches, Page, Places, Queue, WriteAnswer
from api.rest.examples import EXAMPLES
from api.rest.operations import WRITES, Write, collection_of
from api.rest.parameters import explain
from api.rest.tags import described
from api.schemas import components as schemas_of
from api.streams.envelope import BATCH_MEDIA_TYPE
from api.streams.models import EventPage
from projections.site_history import SiteHistory
from projections.warnings import Warnings
from registry.application.drafts import (
    FileDraft,
    RequestAnswerDraft,
    RequestCompletionDraft,
    SubjectRequestDraft,
)
from registry.application.evidence.custody import Evidence
from registry.application.people.access import AccessAnswer
from registry.application.people.request_view import SubjectRequest
from registry.privacy.reads import PrivateRead

_REF: Final = "#/components/schemas/{name}"

_EVERY_WRITE: Final = (
    MALFORMED_BODY, BAD_REQUEST, UNAUTHENTICATED, MISSING_SCOPE, NOT_ALLOWED, RULE_VIOLATED, ERASED, BODY_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE, INVALID_INPUT, IDEMPOTENCY_KEY_REUSED, UNAVAILABLE,
)  # fmt: skip

_IDEMPOTENCY_KEY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Repetir con la misma clave y el mismo cuerpo da la primera respuesta, durante 30 días. · "
    "Repeating with the same key and body gives the first answer, for 30 days.",
}
_IF_MATCH: Final[dict[str, Any]] = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "pattern": '^"[1-9][0-9]*"$'},
    "description": "El ETag del registro tal como se leyó. · The record's ETag as it was read.",
}

_BYTES: Final = {"type": "string", "format": "binary"}

_ACCEPTED_HEADERS: Final = {
    "Location": {"schema": {"type": "string"}, "description": "El registro · The record"},
    "ETag": {"schema": {"type": "string"}, "description": "La versión del registro · The record's version"},
    "Idempotency-Replayed": {
        "schema": {"type": "string", "enum": ["true"]},
        "description": "La respuesta es la de un envío anterior · The answer is that of an earlier submission",
    },
}


class FieldProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong at one place of the body, and what would be accepted."""

    field: str
    detail: str


class ChangeProblem(msgspec.Struct, frozen=True, kw_only=True):
    """An event that changed the record since the version of If-Match, and the fields that it touched."""

    version: int
    event: str
    fields: list[str]


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Problem details (RFC 9457) with extension members. ``title`` and ``detail`` follow Accept-Language."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    rule: str | None = None
    scope: str | None = None
    existing: str | None = None
    instance: str | None = None
    version: int | None = None
    changes: list[ChangeProblem] = []
    errors: list[FieldProblem] = []


class SubjectRequestPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of requests; ``next`` is the ``after`` of the following page, null on the last."""

    items: list[SubjectRequest]
    next: UUID | None


class PrivateReads(msgspec.Struct, frozen=True, kw_only=True):
    """A page of reads; ``next`` is the ``after`` of the following page, null on the last."""

    items: list[PrivateRead]
    next: int | None


def document_write(write: Write) -> dict[str, Any]:
    """The decorator arguments of a ``POST`` that records facts."""
    kinds = list(_EVERY_WRITE)
    if write.on_record:
        kinds.append(NOT_FOUND)
    if write.conditional:
        kinds += [VERSION_CONFLICT, IF_MATCH_REQUIRED]
    responses: dict[int | str, dict[str, Any]] = {201: _accepted("Aceptado · Accepted")}
    if "source_record_id" in write.draft.__struct_fields__:
        kinds.append(SOURCE_RECORD_DIFFERS)
        responses[200] = _accepted(
            "Ya estaba registrado, con el mismo contenido · Recorded before, with the same content"
        )
    parameters = [_IDEMPOTENCY_KEY, _IF_MATCH] if write.conditional else [_IDEMPOTENCY_KEY]
    operation = _operation(write.summary, write.collection, responses, kinds)
    return _with_body(operation, _body(write.draft, EXAMPLES[write.path]), parameters)


def document_keys() -> dict[str, Any]:
    """The decorator arguments of ``POST /v1/keys``."""
    responses: dict[int | str, dict[str, Any]] = {
        201: {
            "description": "Emitida; se muestra solo ahora · Issued; shown only now",
            "content": _json(KeyAnswer),
        }
    }
    operation = _operation("Emitir una clave · Issue a key", "/v1/keys", responses, _EVERY_WRITE)
    return _with_body(operation, _body(KeyDraft, EXAMPLES["/v1/keys"]), [_IDEMPOTENCY_KEY])


def document_change(path: str, draft: type, answer: type, summary: str) -> dict[str, Any]:
    """The decorator arguments of a ``POST`` that makes or changes rows of our own, no facts."""
    responses: dict[int | str, dict[str, Any]] = {
        201: {"description": "Hecho · Done", "content": _json(answer)}
    }
    kinds = [*_EVERY_WRITE, NOT_FOUND] if "{id}" in path else list(_EVERY_WRITE)
    operation = _operation(summary, collection_of(path), responses, kinds)
    body = _body(draft, EXAMPLES[path])
    body["required"] = any(field.required for field in msgspec.structs.fields(draft))
    return _with_body(operation, body, [_IDEMPOTENCY_KEY])


def document_subject_request(path: str, draft: type, summary: str) -> dict[str, Any]:
    """The decorator arguments of a ``POST`` about a request of a data subject."""
    return document_change(path, draft, SubjectRequest, summary)


def document_deletion(path: str, summary: str) -> dict[str, Any]:
    """The decorator arguments of a ``DELETE``."""
    gone: dict[int | str, dict[str, Any]] = {204: {"description": "Borrado · Deleted"}}
    operation = _operation(summary, collection_of(path), gone, (UNAUTHENTICATED, MISSING_SCOPE, NOT_FOUND))
    return {**operation, "status_code": 204}


def document_read(summary: str, collection: str = "/v1/keys", answer: type = Key) -> dict[str, Any]:
    """The decorator arguments of a ``GET``."""
    responses: dict[int | str, dict[str, Any]] = {
        200: {"description": "Encontrado · Found", "content": _json(answer)}
    }
    return _operation(
        summary, collection, responses, (UNAUTHENTICATED, MISSING_SCOPE, NOT_FOUND, INVALID_INPUT)
    )


def document_events(summary: str) -> dict[str, Any]:
    """The decorator arguments of ``GET /v1/events``, which also answers without a key."""
    responses: dict[int | str, dict[str, Any]] = {
        200: {
            "description": "Los eventos, y desde dónde seguir · The events, and where to go on",
            "content": {
                **_json(EventPage),
                BATCH_MEDIA_TYPE: {
                    "schema": {"type": "array", "items": {"$ref": _REF.format(name="StreamEvent")}}
                },
            },
        },
        304: {"description": "Sin cambios · Not modified"},
    }
    kinds = (UNAUTHENTICATED, MISSING_SCOPE, INVALID_INPUT, UNAVAILABLE)
    operation = _operation(summary, "/v1/events", responses, kinds)
    return {**operation, "openapi_extra": {"security": [{}, {SECURITY_SCHEME: []}]}}


def document_event_stream(summary: str) -> dict[str, Any]:
    """The decorator arguments of ``GET /v1/events/stream``, which also answers without a key."""
    stream = {
        "description": "Eventos enviados por el servidor, sin fin, cada uno un StreamEvent · Server-sent events, "
        "without end, each of them a StreamEvent",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
    kinds = (UNAUTHENTICATED, MISSING_SCOPE, INVALID_INPUT, UNAVAILABLE)
    operation = _operation(summary, "/v1/events", {200: stream}, kinds)
    return {**operation, "openapi_extra": {"security": [{}, {SECURITY_SCHEME: []}]}}


def document_receipt() -> dict[str, Any]:
    """The decorator arguments of ``GET /v1/receipts/{position}``."""
    found = {
        "description": "Nota firmada · Signed note",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
    kinds = (UNAUTHENTICATED, NOT_FOUND)
    return _operation(
        "Leer un recibo propio · Read a receipt of one's own", "/v1/receipts", {200: found}, kinds
    )


def document_evidence(headers: Mapping[str, str]) -> dict[str, Any]:
    """The decorator arguments of the ``POST`` of a file; ``headers`` says which field stands in which header."""
    parameters = [_IDEMPOTENCY_KEY] + [
        {"name": header, "in": "header", "schema": {"$ref": _REF.format(name=f"FileDraft/properties/{name}")}}
        for name, header in headers.items()
        if header != "Content-Type"
    ]
    parameters += [
        {
            "name": "Content-Digest",
            "in": "header",
            "schema": {"type": "string"},
            "description": "RFC 9530: sha-256",
        },
        {
            "name": "source_record_id",
            "in": "query",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        },
    ]
    kinds = [kind for kind in _EVERY_WRITE if kind not in (MALFORMED_BODY, UNSUPPORTED_MEDIA_TYPE)]
    responses: dict[int | str, dict[str, Any]] = {
        status: {**_accepted(text), "content": _json(EvidenceAnswer)}
        for status, text in (
            (201, "Guardado · Stored"),
            (200, "Ya estaba guardado, con el mismo contenido · Stored before, with the same content"),
        )
    }
    operation = _operation(
        "Adjuntar un archivo a un reporte · Attach a file to a report",
        "/v1/evidence",
        responses,
        [*kinds, NOT_FOUND, SOURCE_RECORD_DIFFERS],
    )
    body = {"required": True, "content": {"application/octet-stream": {"schema": _BYTES}}}
    return _with_body(operation, body, parameters)


def document_evidence_file() -> dict[str, Any]:
    """The decorator arguments of ``GET /v1/evidence/{id}/file``."""
    found = {
        "description": "El archivo, siempre para guardar · The file, always to be saved",
        "content": {"application/octet-stream": {"schema": _BYTES}},
    }
    kinds = (UNAUTHENTICATED, MISSING_SCOPE, NOT_FOUND, ERASED)
    return _operation("Descargar un archivo · Download a file", "/v1/evidence", {200: found}, kinds)


_SHAPES: Final[list[Any]] = [
    SubjectRequestDraft, RequestAnswerDraft, RequestCompletionDraft, SubjectRequest, SubjectRequestPage, AccessAnswer,
    KeyDraft, Key, KeyAnswer, WriteAnswer, EvidenceAnswer, Evidence, FileDraft, Item, Page, PrivateReads, Problem,
    Matches, Queue, Places, WebhookDraft, WebhookReplayDraft, NothingDraft, WebhookView, WebhookSecretView, WebhookPage,
    AttemptView, AttemptPage,
    Warnings, SiteHistory, EventPage,
]  # fmt: skip


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the schemas that FastAPI does not know of."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=described(),
    )
    drafts: list[Any] = [write.draft for write in WRITES]
    schemas = schemas_of([*drafts, *_SHAPES], _REF)
    components = document.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **schemas}
    # FastAPI announces its own shape of a 422 wherever a path has a parameter. Nobody ever gets it.
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    for operations in document["paths"].values():
        for operation in operations.values():
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    explain(document)
    components["securitySchemes"] = {
        SECURITY_SCHEME: {"type": "http", "scheme": "bearer", "description": "cst_<env>_<secret><checksum>"}
    }
    return document


def _operation(
    summary: str, collection: str, responses: Mapping[int | str, dict[str, Any]], kinds: Iterable[ProblemType]
) -> dict[str, Any]:
    return {
        "summary": summary,
        "tags": [collection.rsplit("/", 1)[-1]],
        "responses": {**responses, **refusals(kinds)},
        "response_model": None,
        "openapi_extra": {"security": [{SECURITY_SCHEME: []}]},
    }


def _with_body(
    operation: dict[str, Any], body: dict[str, Any], parameters: list[dict[str, Any]]
) -> dict[str, Any]:
    extra = {**operation["openapi_extra"], "requestBody": body, "parameters": parameters}
    return {**operation, "status_code": 201, "openapi_extra": extra}


def refusals(kinds: Iterable[ProblemType]) -> dict[int | str, dict[str, Any]]:
    """The responses of an operation that may answer with problems of these types."""
    by_status: dict[int | str, list[ProblemType]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind)
    return {
        status: {
            "description": " / ".join(f"{kind.title.es} · {kind.title.en}" for kind in same),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": _REF.format(name="Problem")},
                    "examples": {kind.slug: {"value": _example(kind)} for kind in same},
                }
            },
        }
        for status, same in by_status.items()
    }


def _example(kind: ProblemType) -> dict[str, Any]:
    return {
        "type": kind.uri,
        "title": kind.title.es,
        "status": kind.status,
        "detail": kind.advice.es,
        "code": kind.slug,
    }


def _accepted(description: str) -> dict[str, Any]:
    return {"description": description, "headers": _ACCEPTED_HEADERS, "content": _json(WriteAnswer)}


def _body(draft: type, example: Mapping[str, Any]) -> dict[str, Any]:
    schema = {"$ref": _REF.format(name=draft.__name__)}
    return {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}


def _json(answer: type) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(name=answer.__name__)}}}
