"""``/v1/webhooks``: an institution's own endpoints."""

from typing import Annotated, Final, TypeVar
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from api.auth.guard import requires
from api.delivery.webhooks.drafts import (
    AttemptPage,
    AttemptView,
    NothingDraft,
    WebhookDraft,
    WebhookPage,
    WebhookReplayDraft,
    WebhookSecretView,
    WebhookView,
    view_of,
)
from api.delivery.webhooks.registrations import MOST_ATTEMPTS, Registrations
from api.delivery.webhooks.repeats import Answered, Database, Repeats
from api.delivery.webhooks.testing import Testing
from api.language import language_of
from api.rest import answers
from api.rest.bodies import check_media_type, decode, read_body
from api.rest.documentation import document_change, document_deletion, document_read
from api.rest.headers import idempotency_key
from api.rest.writing import fingerprint
from api.services import Services
from api.streams.envelope import Envelope
from api.streams.following import Following
from registry.application.execution.unit import Actor

ALL: Final = "/v1/webhooks"
ONE: Final = f"{ALL}/{{id}}"
TEST: Final = f"{ONE}/test"
ROTATE: Final = f"{ONE}/rotate"
REPLAY: Final = f"{ONE}/replay"
ATTEMPTS: Final = f"{ONE}/attempts"

T = TypeVar("T")


class _Desk:
    """What all endpoints need, put together once."""

    def __init__(self, services: Services, following: Following) -> None:
        master, clock = services.application.master, services.application.clock
        networks, source = services.settings.webhook_networks, Envelope(services.log_keys.origin).source
        self.registrations = Registrations(services.pool, master, following, networks, clock)
        self.testing = Testing(self.registrations, networks, clock, source)
        self.repeats = Repeats(services.pool, master)
        self._limit = services.settings.body_limit

    async def body_of(self, request: Request, draft: type[T]) -> tuple[T, bytes]:
        """The draft, and what an Idempotency-Key stands for."""
        check_media_type(request)
        body = await read_body(request, self._limit)
        return decode(body or b"{}", draft), fingerprint(request, body)


def build_router(services: Services, following: Following) -> APIRouter:
    """The endpoints of webhooks over one running register."""
    router, desk = APIRouter(), _Desk(services, following)
    _add_registering(router, desk)
    _add_acting(router, desk)
    return router


def _add_registering(router: APIRouter, desk: _Desk) -> None:
    @router.post(
        ALL,
        **document_change(
            ALL, WebhookDraft, WebhookSecretView, "Registrar un destino · Register an endpoint"
        ),
    )
    async def register(request: Request, actor: Annotated[Actor, Depends(requires("POST", ALL))]) -> Response:
        key = idempotency_key(request)
        draft, sent = await desk.body_of(request, WebhookDraft)
        size = await desk.registrations.size(actor)

        async def act(connection: Database) -> Answered:
            return await desk.registrations.register(connection, actor, draft, size)

        return _answer(await desk.repeats.at_once(desk.repeats.of(actor, key, sent), act))

    @router.get(ALL, **document_read("Listar destinos · List endpoints", ALL, WebhookPage))
    async def page(
        request: Request,
        actor: Annotated[Actor, Depends(requires("GET", ALL))],
        after: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        found, following_ = await desk.registrations.page(actor, after, limit)
        language = language_of(request)
        views = [view_of(endpoint, secrets, language) for endpoint, secrets in found]
        return answers.plain(WebhookPage(items=views, next=following_))

    @router.get(ONE, **document_read("Leer un destino · Read an endpoint", ALL, WebhookView))
    async def one(
        request: Request,
        id: UUID,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("GET", ONE))],
    ) -> Response:
        return answers.plain(view_of(*await desk.registrations.find(actor, id), language_of(request)))

    @router.delete(ONE, **document_deletion(ONE, "Borrar un destino · Delete an endpoint"))
    async def remove(
        id: UUID,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("DELETE", ONE))],
    ) -> Response:
        await desk.registrations.remove(actor, id)
        return Response(status_code=204, headers={"Cache-Control": "private, no-store"})

    @router.get(
        ATTEMPTS, **document_read("Ver los últimos intentos · See the last attempts", ALL, AttemptPage)
    )
    async def attempts(
        request: Request,
        id: UUID,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("GET", ATTEMPTS))],
        after: Annotated[int, Query(ge=0, le=answers.LAST_POSITION)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_ATTEMPTS)] = MOST_ATTEMPTS,
    ) -> Response:
        found, following_ = await desk.registrations.attempts(actor, id, after, limit)
        language = language_of(request)
        return answers.plain(AttemptPage(items=[one.view(language) for one in found], next=following_))


def _add_acting(router: APIRouter, desk: _Desk) -> None:
    @router.post(TEST, **document_change(TEST, NothingDraft, AttemptView, "Probar ahora · Try it now"))
    async def test(
        request: Request,
        id: UUID,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("POST", TEST))],
    ) -> Response:
        key = idempotency_key(request)
        _, sent = await desk.body_of(request, NothingDraft)
        endpoint, secrets = await desk.registrations.find(actor, id)

        async def act(_: Database) -> Answered:
            return await desk.testing.test(endpoint, secrets, language_of(request))

        return _answer(await desk.repeats.slowly(desk.repeats.of(actor, key, sent), act))

    @router.post(
        ROTATE,
        **document_change(ROTATE, NothingDraft, WebhookSecretView, "Cambiar secretos · Rotate secrets"),
    )
    async def rotate(
        request: Request,
        id: UUID,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("POST", ROTATE))],
    ) -> Response:
        key = idempotency_key(request)
        _, sent = await desk.body_of(request, NothingDraft)

        async def act(connection: Database) -> Answered:
            return await desk.registrations.rotate(connection, actor, id)

        return _answer(await desk.repeats.at_once(desk.repeats.of(actor, key, sent), act))

    @router.post(
        REPLAY,
        **document_change(
            REPLAY,
            WebhookReplayDraft,
            WebhookView,
            "Entregar de nuevo desde una posición, o reanudar · Deliver again from a position, or resume",
        ),
    )
    async def replay(
        request: Request,
        id: UUID,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("POST", REPLAY))],
    ) -> Response:
        key = idempotency_key(request)
        draft, sent = await desk.body_of(request, WebhookReplayDraft)
        size = await desk.registrations.size(actor)

        async def act(connection: Database) -> Answered:
            return await desk.registrations.replay(connection, actor, id, draft, size, language_of(request))

        return _answer(await desk.repeats.at_once(desk.repeats.of(actor, key, sent), act))


def _answer(answered: Answered) -> Response:
    return answers.made(msgspec.Raw(answered.body), f"{ALL}/{answered.webhook}", replayed=answered.replayed)
