"""``/v1/imports``: many records in one request, as CSV, NDJSON or a spreadsheet, answered at once or kept as a job."""

from email.message import Message
from enum import StrEnum
from typing import Annotated, Final, TypeVar

from fastapi import APIRouter, Depends, Request, Response

from api.auth.guard import SECURITY_SCHEME, missing_scope, requires
from api.imports import job_router, template_router
from api.imports.answers import Mode, OnChange, summarise
from api.imports.errors import FileRefused, FileTooLarge, ImportRefused
from api.imports.intake import Intake, Known, Submission
from api.imports.job_router import XLSX_TYPE, components, inlined, respond, show_job
from api.imports.jobs import Jobs
from api.imports.records import AMENDABLE, KINDS, Records
from api.imports.spool import Spool
from api.imports.tables import Layout, Limits
from api.imports.templates import SHEETS
from api.language import language_of
from api.problems import (
    BAD_REQUEST,
    BODY_TOO_LARGE,
    IDEMPOTENCY_KEY_REUSED,
    INVALID_INPUT,
    MISSING_SCOPE,
    UNAUTHENTICATED,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA_TYPE,
    FieldError,
    Problem,
)
from api.rest.bodies import limited
from api.rest.documentation import refusals
from api.rest.headers import idempotency_key
from api.rest.writing import fingerprint
from api.services import Services
from registry.application.execution.unit import Actor
from registry.text import Text

PATH: Final = "/v1/imports"

NDJSON_TYPES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
CSV_TYPES: Final = frozenset({"text/csv", "application/csv"})
WORKBOOK_TYPES: Final = frozenset(
    {
        XLSX_TYPE,
        "application/vnd.ms-excel.sheet.binary.macroenabled.12",
        "application/vnd.ms-excel.sheet.macroenabled.12",
        "application/vnd.ms-excel",
        "application/vnd.oasis.opendocument.spreadsheet",
    }
)
CHARSETS: Final = {"utf-8": "utf-8", "utf8": "utf-8", "windows-1252": "cp1252", "cp1252": "cp1252"}

C = TypeVar("C", bound=StrEnum)

_REFUSED: Final = (
    BAD_REQUEST, UNAUTHENTICATED, MISSING_SCOPE, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, INVALID_INPUT,
    IDEMPOTENCY_KEY_REUSED, UNAVAILABLE,
)  # fmt: skip


def build_router(services: Services) -> APIRouter:
    """The import endpoints over one running register."""
    router = APIRouter(tags=["imports"])
    settings = services.settings
    jobs = Jobs(services.pool, services.application.vault)
    limits = Limits(settings.import_rows, settings.import_cell_limit, settings.import_expansion_limit)
    intake = Intake(services.application, jobs, limits)

    @router.post(
        PATH,
        summary="Importar muchos registros · Import many records",
        response_class=Response,
        openapi_extra=_openapi(),
        responses=refusals(_REFUSED),
    )
    async def import_records(
        request: Request, actor: Annotated[Actor, Depends(requires("POST", PATH))]
    ) -> Response:
        """CSV or a spreadsheet (headings are fields), or NDJSON; each row is answered for itself."""
        records = _choice(request, "records", Records)
        mode = _choice(request, "mode", Mode, Mode.DRY_RUN)
        on_change = _choice(request, "on_change", OnChange, OnChange.REJECT)
        if on_change is OnChange.AMEND and records not in AMENDABLE:
            raise Problem(BAD_REQUEST, errors=[FieldError("query.on_change", _NOT_AMENDABLE)])
        if KINDS[records].scopes.isdisjoint(actor.scopes):
            raise missing_scope(*KINDS[records].scopes)
        key = idempotency_key(request)
        ndjson, layout = _declared(request)
        spool = Spool()
        try:
            await spool.receive(limited(request, settings.import_limit))
            given = Submission(
                actor, records, mode, on_change, ndjson, layout, key, fingerprint(request, spool.digest)
            )
            taken = await intake.take(spool, given)
        except ImportRefused as error:
            raise _problem(error) from error
        finally:
            spool.close()
        if isinstance(taken, Known):
            replayed = {"Idempotency-Replayed": "true"} if taken.replayed else {}
            headers = {"Location": f"{PATH}/{taken.job}", "Retry-After": "1", **replayed}
            return await show_job(jobs, actor, taken.job, settings.import_kept, 202, headers)
        language = language_of(request)
        return respond(summarise(mode, records, taken, language), 200, language=language)

    router.include_router(job_router.build_router(jobs, settings.import_kept))
    router.include_router(template_router.build_router())
    return router


def _declared(request: Request) -> tuple[bool, Layout]:
    """Whether the body is NDJSON, and what else its declared type says. Raises Problem: 415."""
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    declared = header.get_content_type() if request.headers.get("content-type") else ""
    charset = str(header.get_param("charset", "")).lower()
    if declared in NDJSON_TYPES and charset in ("", "utf-8", "utf8"):
        return True, Layout()
    sheet = request.query_params.get("sheet")
    if declared in WORKBOOK_TYPES:
        return False, Layout(sheet=sheet, preferred=SHEETS)
    if declared in CSV_TYPES and (not charset or charset in CHARSETS):
        return False, Layout(encoding=CHARSETS.get(charset), sheet=sheet, preferred=SHEETS)
    raise Problem(
        UNSUPPORTED_MEDIA_TYPE,
        Text(
            "Envíe «Content-Type: text/csv» (charset utf-8 o windows-1252), «application/x-ndjson», o el de una hoja "
            f"de cálculo: «{XLSX_TYPE}».",
            "Send “Content-Type: text/csv” (charset utf-8 or windows-1252), “application/x-ndjson”, or that of a "
            f"spreadsheet: “{XLSX_TYPE}”.",
        ),
    )


_NOT_AMENDABLE: Final = Text(
    "Solo los reportes se enmiendan. Con asignaciones e incidentes se acepta reject.",
    "Only reports are amended. With assignments and incidents, reject is accepted.",
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
    schemas = components()
    return {
        "security": [{SECURITY_SCHEME: []}],
        "parameters": [
            _parameter("records", list(Records), required=True),
            _parameter("mode", list(Mode), default=Mode.DRY_RUN),
            _parameter("on_change", list(OnChange), default=OnChange.REJECT),
            {
                "name": "sheet",
                "in": "query",
                "description": "La hoja de un libro que tiene varias. · The sheet of a workbook that has several.",
                "schema": {"type": "string"},
            },
            {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}},
        ],
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {"schema": {"type": "string"}, "example": example},
                "application/x-ndjson": {"schema": {"type": "string"}, "example": line},
                XLSX_TYPE: {"schema": {"type": "string", "format": "binary"}},
            },
        },
        "responses": {
            "200": {
                "description": "What became of each row; `failed` is 0 when all were taken.",
                "content": {"application/json": {"schema": inlined("ImportResult", schemas)}},
            },
            "202": {
                "description": "Too many rows to wait for: `Location` is where to see how far it is.",
                "content": {"application/json": {"schema": inlined("JobView", schemas)}},
            },
        },
    }


def _parameter(
    name: str, codes: list[str], *, required: bool = False, default: str | None = None
) -> dict[str, object]:
    schema: dict[str, object] = {"type": "string", "enum": [str(code) for code in codes]}
    if default is not None:
        schema["default"] = str(default)
    return {"name": name, "in": "query", "required": required, "schema": schema}
