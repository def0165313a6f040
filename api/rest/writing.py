"""``POST`` under ``/v1``: from the raw body to the use case, the same way for every endpoint."""

from collections.abc import Iterable
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from api.auth.guard import requires
from api.language import language_of
from api.rest import answers
from api.rest.bodies import check_media_type, content_of, decode, read_body
from api.rest.documentation import document_write
from api.rest.headers import expected_version, idempotency_key
from api.rest.operations import Write
from api.services import services_of
from registry.application.execution.unit import Actor, WriteOptions


def build_router(writes: Iterable[Write]) -> APIRouter:
    """One endpoint per operation."""
    router = APIRouter()
    for write in writes:
        (_add_on_record if write.on_record else _add)(router, write)
    return router


def fingerprint(request: Request, body: bytes) -> bytes:
    """What an Idempotency-Key stands for: this body at this address. The same words about another record differ."""
    return f"{request.method} {request.url.path}\n".encode() + body


def _add(router: APIRouter, write: Write) -> None:
    caller = Depends(requires("POST", write.path))

    async def endpoint(request: Request, actor: Actor = caller) -> Response:
        return await _perform(write, request, actor)

    router.post(write.path, **document_write(write))(endpoint)


def _add_on_record(router: APIRouter, write: Write) -> None:
    caller = Depends(requires("POST", write.path))

    async def endpoint(request: Request, id: UUID, actor: Actor = caller) -> Response:  # noqa: A002 - the path says id
        return await _perform(write, request, actor, id)

    router.post(write.path, **document_write(write))(endpoint)


async def _perform(write: Write, request: Request, actor: Actor, *record: UUID) -> Response:
    services = services_of(request)
    check_media_type(request)
    key = idempotency_key(request)
    expected = expected_version(request) if write.conditional else None
    body = await read_body(request, services.settings.body_limit)
    draft = decode(body, write.draft)
    options = WriteOptions(
        idempotency_key=key,
        body=fingerprint(request, body),
        expected_version=expected,
        source_record_id=getattr(draft, "source_record_id", None),
        # The same words about another record are another fact.
        content=b"".join(target.bytes for target in record) + content_of(draft),
    )
    accepted = await services.application.execute(actor, write.decide(*record, draft), options)
    language = language_of(request)
    return answers.accepted(accepted.seen_by(actor), write.collection, language)
