"""``/v1/subject-requests``: what people ask about their own data. Rows of our own: the answer is the request itself."""

from typing import Annotated, Final, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from api.auth.guard import requires
from api.rest import answers
from api.rest.bodies import check_media_type, decode, read_body
from api.rest.documentation import SubjectRequestPage, document_read, document_subject_request
from api.rest.headers import idempotency_key
from api.rest.writing import fingerprint
from api.services import Services
from registry.application.drafts import RequestAnswerDraft, RequestCompletionDraft, SubjectRequestDraft
from registry.application.execution.unit import Actor
from registry.application.people.access import AccessAnswer
from registry.application.people.erasure import PSEUDONYM
from registry.application.people.request_view import SubjectRequest
from registry.application.people.requests import SubjectRequests

ALL: Final = "/v1/subject-requests"
ONE: Final = f"{ALL}/{{id}}"
ANSWER: Final = f"{ONE}/answer"
COMPLETION: Final = f"{ONE}/completion"
DATA: Final = f"{ONE}/data"

T = TypeVar("T")


def build_router(services: Services) -> APIRouter:
    """The endpoints of requests over one running register."""
    router = APIRouter()
    requests = SubjectRequests(services.application, services.pool)

    async def body_of(request: Request, draft: type[T]) -> tuple[T, bytes]:
        check_media_type(request)
        body = await read_body(request, services.settings.body_limit)
        return decode(body, draft), fingerprint(request, body)

    @router.post(
        ALL,
        **document_subject_request(ALL, SubjectRequestDraft, "Registrar una solicitud · Register a request"),
    )
    async def receive(request: Request, actor: Annotated[Actor, Depends(requires("POST", ALL))]) -> Response:
        key = idempotency_key(request)
        draft, sent = await body_of(request, SubjectRequestDraft)
        found, replayed = await requests.receive(actor, draft, key, sent)
        return _changed(found, replayed=replayed)

    @router.post(
        ANSWER,
        **document_subject_request(ANSWER, RequestAnswerDraft, "Responder una solicitud · Answer a request"),
    )
    async def answer(
        request: Request,
        id: UUID,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("POST", ANSWER))],
    ) -> Response:
        draft, _ = await body_of(request, RequestAnswerDraft)
        found, replayed = await requests.answer(actor, id, draft)
        return _changed(found, replayed=replayed)

    @router.post(
        COMPLETION,
        **document_subject_request(
            COMPLETION, RequestCompletionDraft, "Cumplir una solicitud · Carry out a request"
        ),
    )
    async def complete(
        request: Request,
        id: UUID,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("POST", COMPLETION))],
    ) -> Response:
        draft, _ = await body_of(request, RequestCompletionDraft)
        found, replayed = await requests.complete(actor, id, draft)
        return _changed(found, replayed=replayed)

    @router.get(ALL, **document_read("Listar solicitudes · List requests", ALL, SubjectRequestPage))
    async def page(
        actor: Annotated[Actor, Depends(requires("GET", ALL))],
        person: Annotated[str | None, Query(pattern=f"^{PSEUDONYM}$")] = None,
        overdue: bool = False,
        after: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        found, following = await requests.page(
            actor, person=person, overdue=overdue, after=after, limit=limit
        )
        return answers.plain(SubjectRequestPage(items=found, next=following))

    @router.get(ONE, **document_read("Leer una solicitud · Read a request", ALL, SubjectRequest))
    async def one(
        id: UUID,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("GET", ONE))],
    ) -> Response:
        return answers.plain(await requests.view(actor, id))

    @router.get(DATA, **document_read("Reunir los datos · Collect the data", ALL, AccessAnswer))
    async def data(
        id: UUID,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("GET", DATA))],
    ) -> Response:
        return answers.plain(await requests.access(actor, id))

    return router


def _changed(found: SubjectRequest, *, replayed: bool) -> Response:
    return answers.made(found, f"{ALL}/{found.id}", replayed=replayed)
