"""Errors as RFC 9457 problem details: stable types, texts in the caller's language, nothing of what was sent.

One table, :data:`PROBLEMS`, holds every type that this API answers; ``GET /problems/<slug>`` and docs/api.md show it.
A member of a problem never holds a value of the request: paths, codes and our own texts only.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.language import language_of
from api.rest.collections import COLLECTIONS
from api.streams.streams import StreamsFull
from registry.errors import (
    Erased,
    IdempotencyKeyReused,
    InvalidInput,
    NotAllowed,
    NotFound,
    RegistryError,
    RuleViolated,
    SourceRecordDiffers,
    StoreUnavailable,
    VersionConflict,
)
from registry.text import Language, Text

MEDIA_TYPE: Final = "application/problem+json"

# Long enough for a restart of the database, short enough for a person who waits.
RETRY_AFTER_SECONDS: Final = 5


class ProblemType(NamedTuple):
    """A documented kind of problem. ``slug`` is its stable name: the type is ``/problems/<slug>``."""

    slug: str
    status: int
    title: Text
    advice: Text

    @property
    def uri(self) -> str:
        return f"/problems/{self.slug}"


class FieldError(NamedTuple):
    """What is wrong at one place of the body: a path such as ``victims[0].count.low``, and what would be accepted."""

    field: str
    text: Text


class Problem(Exception):
    """Raised anywhere below the faces, answered as problem details.

    ``extra`` are further members (RFC 9457 section 3.2): codes, links, names and our own texts, never values of the
    request.
    """

    def __init__(
        self,
        kind: ProblemType,
        detail: Text | None = None,
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.detail = detail or kind.advice
        self.errors = tuple(errors)
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})
        super().__init__(kind.slug)


def _kind(slug: str, status: int, title: tuple[str, str], advice: tuple[str, str]) -> ProblemType:
    return ProblemType(slug, status, Text(*title), Text(*advice))


MALFORMED_BODY: Final = _kind(
    "malformed-body",
    400,
    ("El cuerpo no es JSON válido", "The body is not valid JSON"),
    (
        "Envíe un solo objeto JSON en UTF-8 (RFC 8259), sin nombres repetidos, sin NaN ni caracteres de control.",
        "Send a single JSON object in UTF-8 (RFC 8259), without repeated names, NaN or control characters.",
    ),
)
BAD_REQUEST: Final = _kind(
    "bad-request",
    400,
    ("La petición no se entiende", "The request cannot be understood"),
    ("Corrija la petición según la documentación.", "Correct the request as the documentation says."),
)
UNAUTHENTICATED: Final = _kind(
    "unauthenticated",
    401,
    ("Falta una clave válida", "A valid key is missing"),
    (
        "Envíe «Authorization: Bearer cst_…» con una clave vigente.",
        "Send “Authorization: Bearer cst_…” with a key that is in force.",
    ),
)
MISSING_SCOPE: Final = _kind(
    "missing-scope",
    403,
    ("La clave no tiene el permiso necesario", "The key lacks the scope needed"),
    (
        "Pida a quien administra el registro una clave con el permiso que nombra «scope».",
        "Ask the registry's administrator for a key with the scope that “scope” names.",
    ),
)
NOT_ALLOWED: Final = _kind(
    "not-allowed",
    403,
    ("No está permitido", "Not allowed"),
    ("Esta institución no puede hacer esto.", "This institution may not do this."),
)
NOT_FOUND: Final = _kind(
    "not-found",
    404,
    ("No existe", "Not found"),
    (
        "No existe, o esta clave no puede verlo. Revise la dirección y el identificador.",
        "It does not exist, or this key may not see it. Check the address and the id.",
    ),
)
METHOD_NOT_ALLOWED: Final = _kind(
    "method-not-allowed",
    405,
    ("Método no admitido", "Method not allowed"),
    (
        "Use uno de los métodos que nombra el encabezado Allow.",
        "Use one of the methods that the Allow header names.",
    ),
)
NOT_ACCEPTABLE: Final = _kind(
    "not-acceptable",
    406,
    ("No hay respuesta en ese formato", "There is no answer in that format"),
    (
        "Es una página para navegadores: pídala con «Accept: text/html».",
        "It is a page for browsers: ask for it with “Accept: text/html”.",
    ),
)
SOURCE_RECORD_DIFFERS: Final = _kind(
    "source-record-differs",
    409,
    ("El registro de origen ya existe con otro contenido", "The source record exists with other content"),
    (
        "Nada se sobrescribe. Compare con el registro que nombra «existing».",
        "Nothing is overwritten. Compare with the record that “existing” names.",
    ),
)
RULE_VIOLATED: Final = _kind(
    "rule-violated",
    409,
    ("Una regla del registro lo impide", "A rule of the register forbids it"),
    ("«rule» nombra la regla.", "“rule” names the rule."),
)
ERASED: Final = _kind(
    "erased",
    410,
    ("El contenido fue borrado", "The content was erased"),
    ("Queda solo su compromiso en la bitácora.", "Only its commitment remains in the log."),
)
VERSION_CONFLICT: Final = _kind(
    "version-conflict",
    412,
    ("El registro cambió", "The record has changed"),
    (
        "«changes» nombra lo que cambió. Léalo de nuevo y repita la decisión con el nuevo ETag en If-Match.",
        "“changes” names what changed. Read it again and repeat the decision with the new ETag in If-Match.",
    ),
)
BODY_TOO_LARGE: Final = _kind(
    "body-too-large",
    413,
    ("El cuerpo es demasiado grande", "The body is too large"),
    ("Divida el envío en varios más pequeños.", "Split the submission into smaller ones."),
)
UNSUPPORTED_MEDIA_TYPE: Final = _kind(
    "unsupported-media-type",
    415,
    ("Tipo de contenido no admitido", "Unsupported media type"),
    ("Envíe «Content-Type: application/json».", "Send “Content-Type: application/json”."),
)
INVALID_INPUT: Final = _kind(
    "invalid-input",
    422,
    ("Hay datos que no se pueden aceptar", "Some data cannot be accepted"),
    (
        "«errors» nombra cada campo y lo que se aceptaría.",
        "“errors” names each field and what would be accepted.",
    ),
)
IDEMPOTENCY_KEY_REUSED: Final = _kind(
    "idempotency-key-reused",
    422,
    ("La Idempotency-Key ya se usó", "The Idempotency-Key was used before"),
    ("Use una clave nueva para un envío nuevo.", "Use a new key for a new submission."),
)
IF_MATCH_REQUIRED: Final = _kind(
    "if-match-required",
    428,
    ("Falta If-Match", "If-Match is missing"),
    (
        "Lea el registro y envíe su ETag, tal cual, en el encabezado If-Match.",
        "Read the record and send its ETag, as it is, in the If-Match header.",
    ),
)
INTERNAL_ERROR: Final = _kind(
    "internal-error",
    500,
    ("Error interno", "Internal error"),
    (
        "El error es nuestro y quedó anotado bajo «instance». Repetir con la misma Idempotency-Key es seguro.",
        "The error is ours and was noted under “instance”. Repeating with the same Idempotency-Key is safe.",
    ),
)
UNAVAILABLE: Final = _kind(
    "unavailable",
    503,
    ("No disponible por ahora", "Unavailable for now"),
    (
        "Repita más tarde; con la misma Idempotency-Key es seguro.",
        "Try again later; with the same Idempotency-Key that is safe.",
    ),
)

PROBLEMS: Final[Mapping[str, ProblemType]] = {
    kind.slug: kind
    for kind in (
        MALFORMED_BODY, BAD_REQUEST, UNAUTHENTICATED, MISSING_SCOPE, NOT_ALLOWED, NOT_FOUND, METHOD_NOT_ALLOWED,
        NOT_ACCEPTABLE,
        SOURCE_RECORD_DIFFERS, RULE_VIOLATED, ERASED, VERSION_CONFLICT, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE,
        INVALID_INPUT, IDEMPOTENCY_KEY_REUSED, IF_MATCH_REQUIRED, INTERNAL_ERROR, UNAVAILABLE,
    )
}  # fmt: skip

_KINDS: Final[Mapping[type[RegistryError], ProblemType]] = {
    InvalidInput: INVALID_INPUT,
    NotFound: NOT_FOUND,
    NotAllowed: NOT_ALLOWED,
    RuleViolated: RULE_VIOLATED,
    VersionConflict: VERSION_CONFLICT,
    IdempotencyKeyReused: IDEMPOTENCY_KEY_REUSED,
    SourceRecordDiffers: SOURCE_RECORD_DIFFERS,
    Erased: ERASED,
    StoreUnavailable: UNAVAILABLE,
    StreamsFull: UNAVAILABLE,
}
"""What callers can cause or wait for. Every other error of the tree is the operator's business, hence a 500."""


def kind_of(error: RegistryError) -> ProblemType | None:
    """The problem type of an error, or None when callers must not learn of it."""
    return next((_KINDS[cls] for cls in type(error).__mro__ if cls in _KINDS), None)


def from_error(error: RegistryError) -> Problem | None:
    """The problem that tells the caller about an error, or None when they must not learn of it."""
    kind = kind_of(error)
    if kind is None:
        return None
    if isinstance(error, InvalidInput):
        return Problem(kind, errors=[FieldError(error.field, error.text)])
    if isinstance(error, RuleViolated):
        return Problem(kind, error.text, extra={"rule": error.rule})
    if isinstance(error, SourceRecordDiffers):
        existing = f"{COLLECTIONS[error.noun]}/{error.stream_id}"
        headers = {"Link": f'<{existing}>; rel="related"'}
        return Problem(kind, error.text, extra={"existing": existing}, headers=headers)
    if isinstance(error, VersionConflict) and error.version is not None:
        changes = [change._asdict() for change in error.changes]
        return Problem(kind, error.text, extra={"version": error.version, "changes": changes})
    if kind is UNAVAILABLE:
        return Problem(kind, error.text, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    return Problem(kind, error.text)


def answer(request: Request, problem: Problem, language: Language | None = None) -> Response:
    """The response for a problem, in the language of the address, or (None) the one that the caller prefers."""
    language = language or language_of(request)
    kind = problem.kind
    body: dict[str, object] = {
        "type": kind.uri,
        "title": kind.title.in_(language),
        "status": kind.status,
        "detail": problem.detail.in_(language),
        "code": kind.slug,
        **problem.extra,
    }
    if problem.errors:
        body["errors"] = [
            {"field": error.field, "detail": error.text.in_(language)} for error in problem.errors
        ]
    return Response(
        msgspec.json.encode(body),
        kind.status,
        {
            "Content-Language": language,
            "Vary": "Accept-Language",
            "Cache-Control": "no-store",
            **problem.headers,
        },
        MEDIA_TYPE,
    )
