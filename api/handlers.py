"""From exceptions to problems: ours, FastAPI's and Starlette's own, in one shape."""

import logging
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.patterns import PATTERNS
from api.problems import (
    BAD_REQUEST,
    BODY_TOO_LARGE,
    INVALID_INPUT,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    RETRY_AFTER_SECONDS,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA_TYPE,
    FieldError,
    Problem,
    ProblemType,
    answer,
    from_error,
)
from api.redaction import describe
from api.web import errors as pages
from registry.errors import RegistryError
from registry.store.transient import TRANSIENT
from registry.text import Text

log = logging.getLogger("constancia.errors")

_BY_STATUS: Final[dict[int, ProblemType]] = {
    404: NOT_FOUND,
    405: METHOD_NOT_ALLOWED,
    413: BODY_TOO_LARGE,
    415: UNSUPPORTED_MEDIA_TYPE,
}


def install(app: FastAPI) -> None:
    """Answer every exception that a caller may learn of. The rest passes on, to the boundary."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RegistryError, _on_registry_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_parameters)
    app.add_exception_handler(HTTPException, _on_http_exception)
    for away in TRANSIENT:
        app.add_exception_handler(away, _on_database_away)


async def _on_problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    return answer(request, error)


async def _on_registry_error(request: Request, error: Exception) -> Response:
    problem = from_error(error) if isinstance(error, RegistryError) else None
    if problem is None:
        raise error
    return answer(request, problem)


async def _on_database_away(request: Request, error: Exception) -> Response:
    log.error("the database is away: %s", describe(error))
    return answer(request, Problem(UNAVAILABLE, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}))


async def _on_invalid_parameters(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    details = error.errors()
    if any(detail["loc"][0] == "path" for detail in details):
        return answer(request, Problem(NOT_FOUND))  # an id that cannot be one names nothing
    return answer(request, Problem(INVALID_INPUT, errors=[_explain(detail) for detail in details]))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException) or error.status_code >= 500:
        raise error
    if error.status_code == NOT_FOUND.status and pages.is_for_a_reader(request):
        return pages.absent(request)
    kind = _BY_STATUS.get(error.status_code, BAD_REQUEST)
    return answer(request, Problem(kind, headers=error.headers))


# pydantic's names of what can be wrong with a parameter, and what is accepted instead. Only those of the types that
# parameters have here; a new one falls back to the sentence without a reason, and a test asks for its own.
_EXPECTED: Final[dict[str, Text]] = {
    "missing": Text("Falta este parámetro.", "This parameter is missing."),
    "bool_parsing": Text("Se acepta: true o false.", "Accepted: true or false."),
    "date_from_datetime_parsing": Text("Se acepta: una fecha AAAA-MM-DD.", "Accepted: a date YYYY-MM-DD."),
    "date_parsing": Text("Se acepta: una fecha AAAA-MM-DD.", "Accepted: a date YYYY-MM-DD."),
    "datetime_from_date_parsing": Text(
        "Se acepta: una fecha con hora y zona (RFC 3339).", "Accepted: a date-time with an offset (RFC 3339)."
    ),
    "datetime_parsing": Text(
        "Se acepta: una fecha con hora y zona (RFC 3339).", "Accepted: a date-time with an offset (RFC 3339)."
    ),
    "enum": Text("Se acepta: {expected}.", "Accepted: {expected}."),
    "greater_than_equal": Text("Se acepta: un entero desde {ge}.", "Accepted: an integer from {ge}."),
    "int_parsing": Text("Se acepta: un entero.", "Accepted: an integer."),
    "int_parsing_size": Text("Se acepta: un entero más pequeño.", "Accepted: a smaller integer."),
    "less_than_equal": Text("Se acepta: un entero hasta {le}.", "Accepted: an integer up to {le}."),
    "literal_error": Text("Se acepta: {expected}.", "Accepted: {expected}."),
    "string_pattern_mismatch": Text("Se acepta: {pattern}.", "Accepted: {pattern}."),
    "string_too_long": Text(
        "Se acepta: un texto de hasta {max_length} caracteres.",
        "Accepted: a string of up to {max_length} characters.",
    ),
    "string_too_short": Text(
        "Se acepta: un texto de al menos {min_length} caracteres.",
        "Accepted: a string of at least {min_length} characters.",
    ),
    "timezone_aware": Text(
        "Se acepta: una fecha con hora y zona (RFC 3339).", "Accepted: a date-time with an offset (RFC 3339)."
    ),
    "uuid_parsing": Text("Se acepta: un UUID.", "Accepted: a UUID."),
    "value_error": Text("Valor fuera del calendario.", "A value beyond the calendar."),
}
_UNEXPECTED: Final = Text("Valor no admitido.", "Value not accepted.")


def _explain(detail: dict[str, Any]) -> FieldError:
    """A parameter's error from its place and pydantic's code for it: ``msg`` and ``input`` may quote the value."""
    place = ".".join(str(part) for part in detail["loc"])
    text = _EXPECTED.get(detail["type"], _UNEXPECTED)
    # What a parameter accepts is declared by us; of the context, only that is used.
    limits = {name: value for name, value in detail.get("ctx", {}).items() if name in _DECLARED}
    es, en = dict(limits), dict(limits)
    if "pattern" in limits:
        es["pattern"], en["pattern"] = PATTERNS[limits["pattern"]]
    return FieldError(place, Text(text.es.format(**es), text.en.format(**en)))


_DECLARED: Final = frozenset({"ge", "le", "pattern", "min_length", "max_length", "expected"})
