"""What is sent about webhooks, and what is answered."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from api.delivery.webhooks.endpoints import Endpoint, Reason, Secret
from api.delivery.webhooks.outcomes import FAILURES, NOT_ACCEPTED, Failure, is_accepted
from registry.application.drafts import NO_CONTROLS
from registry.log.canonical import MAX_INTEGER
from registry.text import Language, Text

Url = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000, pattern=NO_CONTROLS)]
EventType = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=NO_CONTROLS)]


class WebhookDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new endpoint. ``types`` are names of events as streams have them; without any, all."""

    url: Url
    types: list[EventType] = []


class WebhookReplayDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``after`` is the first position to deliver (again); without it, it goes on from where it stands."""

    after: Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)] | None = None


class NothingDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body is not needed; ``{}`` is accepted."""


class DisabledView(msgspec.Struct, frozen=True, kw_only=True):
    """Why and since when nothing is delivered. ``detail`` says what to do and follows Accept-Language."""

    reason: Reason
    since: datetime
    detail: str


class PublicKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """What verifies ``v1a`` signatures. ``retires``: when it signs no more; null for the newest."""

    key: str
    retires: datetime | None


class WebhookView(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint. Nothing before ``position`` is left to deliver; ``key`` names whose sight it has.

    ``failures`` in a row since ``failing_since``; ``next_try`` says when it is tried again.
    """

    id: UUID
    url: str
    types: list[str]
    key: UUID
    position: int
    failures: int
    failing_since: datetime | None
    next_try: datetime | None
    disabled: DisabledView | None
    public_keys: list[PublicKeyView]
    created: datetime


class WebhookSecretView(msgspec.Struct, frozen=True, kw_only=True):
    """New secrets of an endpoint: ``secret`` (``whsec_…``) is shown now and never again.

    ``public_key`` (``whpk_…``) verifies the ``v1a`` signatures. ``old_retires``: until when those before sign, too.
    """

    id: UUID
    secret: str
    public_key: str
    old_retires: datetime | None


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt. ``status`` is that of the answer; where there was none, ``failure`` says why.

    ``position`` is null for a test. ``detail`` says what to do, where it was not accepted, and follows Accept-Language.
    """

    number: int
    at: datetime
    webhook_id: UUID
    position: int | None
    status: int | None
    failure: Failure | None
    duration_ms: int
    detail: str | None


class WebhookPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of endpoints; ``next`` is the ``after`` of the following page, null on the last."""

    items: list[WebhookView]
    next: UUID | None


class AttemptPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of attempts, the oldest first; ``next`` is the ``after`` of the following page, null on the last."""

    items: list[AttemptView]
    next: int | None


DISABLED: dict[Reason, Text] = {
    Reason.GONE: Text(
        "El destino respondió 410 (ya no existe). Cuando vuelva a recibir, reanude con POST …/replay.",
        "The endpoint answered 410 (gone). When it receives again, resume with POST …/replay.",
    ),
    Reason.FAILING: Text(
        "No aceptó nada durante tres días. Corríjalo, pruébelo con POST …/test y reanude con POST …/replay: lo que "
        "falta se entrega desde su posición.",
        "It accepted nothing for three days. Mend it, try it with POST …/test and resume with POST …/replay: what is "
        "missing is delivered from its position on.",
    ),
    Reason.KEY_ENDED: Text(
        "La clave con la que se registró venció o fue revocada. Reanude con POST …/replay y una clave vigente.",
        "The key that it was registered with has expired or was revoked. Resume with POST …/replay and a key in force.",
    ),
}


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A stored attempt."""

    number: int
    at: datetime
    message: UUID
    position: int | None
    status: int | None
    failure: str | None
    milliseconds: int

    def view(self, language: Language) -> AttemptView:
        failure = None if self.failure is None else Failure(self.failure)
        text = None if is_accepted(self.status) else NOT_ACCEPTED
        if failure is not None:
            text = FAILURES[failure]
        return AttemptView(
            number=self.number,
            at=self.at,
            webhook_id=self.message,
            position=self.position,
            status=self.status,
            failure=failure,
            duration_ms=self.milliseconds,
            detail=None if text is None else text.in_(language),
        )


def view_of(endpoint: Endpoint, secrets: tuple[Secret, ...], language: Language) -> WebhookView:
    """The endpoint for its own institution."""
    disabled = None
    if endpoint.disabled is not None and endpoint.disabled_at is not None:
        disabled = DisabledView(
            reason=endpoint.disabled,
            since=endpoint.disabled_at,
            detail=DISABLED[endpoint.disabled].in_(language),
        )
    return WebhookView(
        id=endpoint.id,
        url=endpoint.url,
        types=list(endpoint.types),
        key=endpoint.key,
        position=endpoint.position,
        failures=endpoint.failures,
        failing_since=endpoint.failing_since,
        next_try=endpoint.next_try,
        disabled=disabled,
        public_keys=[PublicKeyView(key=one.secrets.public_key, retires=one.retires) for one in secrets],
        created=endpoint.created,
    )
