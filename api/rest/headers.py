"""The headers that make a write safe to repeat (Idempotency-Key) and safe against others' writes (If-Match)."""

import re
from typing import Final

from starlette.requests import Request

from api.problems import BAD_REQUEST, IF_MATCH_REQUIRED, FieldError, Problem
from registry.text import Text

# draft-ietf-httpapi-idempotency-key-header-07 leaves the form to the server: here visible ASCII, as any UUID is.
_IDEMPOTENCY_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")

# RFC 9110 section 8.8.3, narrowed to the entity tags that this API gives out: a stream's version.
_VERSION_TAG: Final = re.compile(r'"([1-9][0-9]{0,17})"')


def entity_tag(version: int) -> str:
    """The ETag of a record at a version."""
    return f'"{version}"'


def idempotency_key(request: Request) -> str | None:
    """The value of ``Idempotency-Key``, None without the header.

    :raises Problem: 400 for a value that cannot be one.
    """
    value = request.headers.get("idempotency-key")
    if value is not None and not _IDEMPOTENCY_KEY.fullmatch(value):
        raise _malformed(
            "Idempotency-Key",
            "De 1 a 255 caracteres ASCII visibles, sin espacios; por ejemplo, un UUID nuevo por envío.",
            "1 to 255 visible ASCII characters without spaces; for example, a new UUID per submission.",
        )
    return value


def expected_version(request: Request) -> int:
    """The version that ``If-Match`` names.

    :raises Problem: 428 without the header, 400 when it is not one ETag of ours: ``*``, weak tags and lists would
        let a decision rest on a version that the caller has not read.
    """
    values = request.headers.getlist("if-match")
    if not values:
        raise Problem(IF_MATCH_REQUIRED)
    match = _VERSION_TAG.fullmatch(values[0]) if len(values) == 1 else None
    if match is None:
        raise _malformed(
            "If-Match",
            "Envíe un solo ETag de este registro tal como se recibió, con sus comillas; ni «*» ni listas.",
            "Send one ETag of this record as it was received, with its quotes; neither “*” nor lists.",
        )
    return int(match[1])


def _malformed(header: str, es: str, en: str) -> Problem:
    return Problem(BAD_REQUEST, errors=[FieldError(f"header.{header}", Text(es, en))])
