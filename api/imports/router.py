"""``POST /v1/imports``: many records in one request, as CSV or NDJSON."""

import asyncio
from collections.abc import Callable
from email.message import Message
from enum import StrEnum
from typing import Annotated, Final, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from api.auth.guard import SECURITY_SCHEME, require_scope, requires
from api.imports.answers import ImportResult, Mode, summarise
from api.imports.errors import FileRefused, FileTooLarge, ImportRefused
from api.imports.lines import Line, lines_of_csv, lines_of_ndjson
from api.imports.records import KINDS, Records
from api.imports.running import Import
from api.language import preferred
from api.problems import (
    BAD_REQUEST,
    BODY_TOO_LARGE,
    INVALID_INPUT,
    UNSUPPORTED_MEDIA_TYPE,
    FieldError,
    Problem,
)
from api.rest.bodies import read_body
from api.rest.headers import idempotency_key
from api.services import Services
from registry.application.unit import Actor
from registry.text import Text

PATH: Final = "/v1/imports"

NDJSON_TYPES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
CSV_TYPES: Final = frozenset({"text/csv", "application/csv"})
CHARSETS: Final = {"utf-8": "utf-8", "utf8": "utf-8", "windows-1252": "cp1252", "cp1252": "cp1252"}

C = TypeVar("C", bound=StrEnum)


class OnChange(StrEnum):
    """What to do with a source record that is known with other content: its row is refused."""

    REJECT = "reject"


def build_router(services: Services) -> APIRouter:
    """The import endpoint over one running register."""
    router = APIRouter(tags=["imports"])

    @router.post(PATH, summary="Import many records", response_class=Response, openapi_extra=_openapi())
    async def import_records(
        request: Request, actor: Annotated[Actor, Depends(requires("POST", PATH))]
    ) -> Response:
        """CSV (headings are fields) or NDJSON; each row is answered for itself."""
        records = _choice(request, "records", Records)
        mode = _choice(request, "mode", Mode, Mode.DRY_RUN)
        _choice(request, "on_change", OnChange, OnChange.REJECT)
        require_scope(actor, KINDS[records].scope)
        key = idempotency_key(request)
        read = _reader(request, records)
        data = await read_body(request, services.settings.import_limit)
        try:
            lines = await asyncio.to_thread(read, data)
        except ImportRefused as error:
            raise _problem(error) from error
        outcomes = await Import(services.application, actor, records, idempotency_key=key).run(lines, mode)
        language = preferred(request.headers.get("accept-language"))
        return Response(
            msgspec.json.encode(summarise(mode, records, outcomes, language)),
            media_type="application/json",
            headers={"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "no-store"},
        )

    return router


def _reader(request: Request, records: Records) -> Callable[[bytes], list[Line]]:
    """How the body is read, by its declared type. Raises Problem: 415."""
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    declared = header.get_content_type() if request.headers.get("content-type") else ""
    charset = str(header.get_param("charset", "")).lower()
    if declared in NDJSON_TYPES and charset in ("", "utf-8", "utf8"):
        return lines_of_ndjson
    if declared in CSV_TYPES and (not charset or charset in CHARSETS):
        return lambda data: lines_of_csv(data, records, encoding=CHARSETS.get(charset))
    raise Problem(
        UNSUPPORTED_MEDIA_TYPE,
        Text(
            "Envíe «Content-Type: text/csv» (charset utf-8 o windows-1252) o «application/x-ndjson».",
            "Send “Content-Type: text/csv” (charset utf-8 or windows-1252) or “application/x-ndjson”.",
        ),
    )


def _choice(request: Request, name: str, codes: type[C], default: C | None = None) -> C:
    """A parameter of the address that is one of a few words. Raises Problem: 400, naming them."""
    value = request.query_params.get(name, default)
    try:
        return codes(value) if value is not None else codes("")
    except ValueError:
        listed = ", ".join(codes)
        text = Text(f"Se acepta uno de: {listed}.", f"Accepted is one of: {listed}.")
        raise Problem(BAD_REQUEST, errors=[FieldError(f"query.{name}", text)]) from None


def _problem(error: ImportRefused) -> Problem:
    if isinstance(error, FileTooLarge):
        return Problem(BODY_TOO_LARGE, error.text)
    place = error.place if isinstance(error, FileRefused) else ""
    return Problem(INVALID_INPUT, errors=[FieldError(place, error.text)])


def _openapi() -> dict[str, object]:
    example = "class,source_type,when.earliest,when.latest,when.precision,where.state,where.precision\n"
    example += "THREAT,UNIVERSITY,2026-03-02,2026-03-02,DAY,16,STATE\n"
    line = '{"class":"THREAT","source_type":"UNIVERSITY","kind":"MESSAGE","source_record_id":"2026-017"}\n'
    _, components = msgspec.json.schema_components([ImportResult], ref_template="#/components/schemas/{name}")
    return {
        "security": [{SECURITY_SCHEME: []}],
        "parameters": [
            _parameter("records", list(Records), required=True),
            _parameter("mode", list(Mode), default=Mode.DRY_RUN),
            _parameter("on_change", list(OnChange), default=OnChange.REJECT),
            {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}},
        ],
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {"schema": {"type": "string"}, "example": example},
                "application/x-ndjson": {"schema": {"type": "string"}, "example": line},
            },
        },
        "responses": {
            "200": {
                "description": "What became of each row; `failed` is 0 when all were taken.",
                "content": {"application/json": {"schema": _inlined("ImportResult", components)}},
            }
        },
    }


def _inlined(name: str, components: dict[str, dict[str, object]]) -> object:
    """A schema with its references replaced: this answer's shapes are used nowhere else."""

    def resolve(node: object) -> object:
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                return resolve(components[reference.rsplit("/", 1)[-1]])
            return {key: resolve(value) for key, value in node.items()}
        return [resolve(one) for one in node] if isinstance(node, list) else node

    return resolve(components[name])


def _parameter(
    name: str, codes: list[str], *, required: bool = False, default: str | None = None
) -> dict[str, object]:
    schema: dict[str, object] = {"type": "string", "enum": [str(code) for code in codes]}
    if default is not None:
        schema["default"] = str(default)
    return {"name": name, "in": "query", "required": required, "schema": schema}
