"""Which of the register's two languages a caller wants: RFC 9110 section 12.5.4, Spanish when nothing else is said."""

from starlette.requests import Request

from registry.text import Language


def language_of(request: Request) -> Language:
    """Which one the caller of a request prefers."""
    return preferred(request.headers.get("accept-language"))


def preferred(accept_language: str | None) -> Language:
    """The language of an ``Accept-Language`` value. What cannot be read counts as not said; it is only a wish."""
    weights: dict[str, float] = {}
    for item in (accept_language or "").lower().split(","):
        tag, _, parameters = item.partition(";")
        weight = _weight(parameters)
        if weight is not None:
            weights.setdefault(tag.strip().partition("-")[0], weight)
    wildcard = weights.get("*", 0.0)
    return "en" if weights.get("en", wildcard) > weights.get("es", wildcard) else "es"


def _weight(parameters: str) -> float | None:
    name, _, value = parameters.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return None
    return weight if name.strip() == "q" and 0 <= weight <= 1 else None
