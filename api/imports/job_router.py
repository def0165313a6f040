"""``/v1/imports/{id}``: how far a large import is; to cancel it; the sender's own file back, with its errors."""

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from typing import IO, Annotated, Any, Final, cast
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.auth.guard import SECURITY_SCHEME, requires
from api.imports.annotating import annotate
from api.imports.answers import ImportResult, Outcome
from api.imports.errors import RowProblem
from api.imports.job_answers import JobView, view_of
from api.imports.jobs import Batch, Format, Job, Jobs
from api.language import language_of
from api.problems import INVALID_INPUT, MISSING_SCOPE, NOT_FOUND, UNAUTHENTICATED, UNAVAILABLE
from api.rest.documentation import refusals
from registry.application.execution.unit import Actor, no_such_record
from registry.text import Language, Text

ONE: Final = "/v1/imports/{id}"
CANCELLATION: Final = "/v1/imports/{id}/cancellation"
FILE: Final = "/v1/imports/{id}/file"

XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

MOST_RESULTS: Final = 1_000
_BATCHES: Final = 4
"""Read at once to be copied back."""

_PRIVATE: Final = {"Cache-Control": "private, no-store"}

Id = UUID


def build_router(jobs: Jobs, kept: float) -> APIRouter:
    """The endpoints of one import; it is deleted ``kept`` seconds after its end."""
    router = APIRouter()

    @router.get(
        ONE,
        summary="Ver cómo va una importación · See how far an import is",
        openapi_extra=_openapi(),
        responses=_refused(),
    )
    async def one(
        request: Request,
        id: Id,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("GET", ONE))],
        after: Annotated[int | None, Query(ge=0)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_RESULTS)] = MOST_RESULTS,
    ) -> Response:
        job = await _own(jobs, actor, id)
        if after is None:
            return respond(view_of(job, kept))
        language = language_of(request)
        outcomes, following = await _page(jobs, job, after, limit)
        return respond(view_of(job, kept, outcomes, following, language), 200, language=language)

    @router.post(
        CANCELLATION,
        summary="Cancelar una importación · Cancel an import",
        openapi_extra=_openapi(),
        responses=_refused(),
    )
    async def cancel(
        id: Id,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("POST", CANCELLATION))],
    ) -> Response:
        job = await _own(jobs, actor, id)
        await jobs.cancel(job.id)
        return respond(view_of(await _own(jobs, actor, id), kept))

    @router.delete(
        ONE,
        status_code=204,
        openapi_extra={"security": [{SECURITY_SCHEME: []}]},
        responses=_refused(),
        summary="Cancelar una importación y borrar su archivo · Cancel an import and delete its file",
    )
    async def delete(
        id: Id,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("DELETE", ONE))],
    ) -> Response:
        job = await _own(jobs, actor, id)
        await jobs.cancel(job.id)
        await jobs.remove(job.id)
        return Response(status_code=204, headers=_PRIVATE)

    @router.get(
        FILE,
        summary="El archivo enviado, con una columna de errores · The file as it was sent, with a column of errors",
        response_class=StreamingResponse,
        openapi_extra={"security": [{SECURITY_SCHEME: []}]},
        responses=_refused(),
    )
    async def file(
        id: Id,  # noqa: A002 - the path says id
        actor: Annotated[Actor, Depends(requires("GET", FILE))],
    ) -> Response:
        job = await _own(jobs, actor, id)
        workbook = job.order.format is Format.XLSX
        first = await jobs.batches(job.id, 1, _BATCHES)
        name = f"{job.order.records}-{job.id}.errors.{'xlsx' if workbook else 'csv'}"
        headers = {
            **_PRIVATE,
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        }
        return StreamingResponse(
            _annotated(jobs, job, first), 200, headers, XLSX_TYPE if workbook else "text/csv; charset=utf-8"
        )

    return router


async def show_job(
    jobs: Jobs, actor: Actor, job: UUID, kept: float, status: int, headers: dict[str, str]
) -> Response:
    """A job that the actor has just made."""
    return respond(view_of(await _own(jobs, actor, job), kept), status, headers)


def respond(
    value: object, status: int = 200, headers: dict[str, str] | None = None, language: Language | None = None
) -> Response:
    """JSON for its sender only."""
    said = {"Content-Language": language, "Vary": "Accept-Language"} if language else {}
    return Response(
        msgspec.json.encode(value), status, {**_PRIVATE, **said, **(headers or {})}, "application/json"
    )


async def _own(jobs: Jobs, actor: Actor, job_id: UUID) -> Job:
    """The job, for the institution that sent it. Raises NotFound."""
    job = await jobs.get(job_id)
    if job is None or job.order.actor.institution != actor.institution:
        raise no_such_record()
    return job


async def _page(jobs: Jobs, job: Job, after: int, limit: int) -> tuple[list[Outcome], int | None]:
    """Outcomes of rows behind one, and the row behind which to go on; None behind the last row."""
    outcomes: list[Outcome] = []
    for batch in await jobs.batches(job.id, after + 1, 1 + limit // 100):
        if batch.outcomes is None:
            break
        outcomes += [outcome for outcome in batch.outcomes if outcome.row > after]
    page = outcomes[:limit]
    last = page[-1].row if page else after
    return page, last if last < job.rows else None


async def _annotated(jobs: Jobs, job: Job, batches: Sequence[Batch]) -> AsyncIterator[bytes]:
    """The copy as it is written, some batches at a time: it is never whole, neither in memory nor on a disk."""
    written = _Written()
    delimiter = None if job.order.format is Format.XLSX else job.order.delimiter
    copy = annotate(cast("IO[bytes]", written), job.order.headings, delimiter)

    def add(batch: Batch) -> None:
        said = {one.row: (*one.problems, *one.warnings) for one in batch.outcomes or ()}
        for row in batch.rows:
            copy.add(row.cells, said.get(row.number, _UNKNOWN))

    try:
        while batches:
            for batch in batches:
                await asyncio.to_thread(add, batch)
                yield written.take()
            batches = await jobs.batches(job.id, batches[-1].rows[-1].number + 1, _BATCHES)
    finally:
        copy.finish()
    yield written.take()


class _Written(io.RawIOBase):
    """What was written since it was last taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


_UNKNOWN: Final = (RowProblem(None, "pending", Text("Todavía sin resultado.", "No outcome yet.")),)


def _openapi() -> dict[str, object]:
    content = {"application/json": {"schema": inlined("JobView", components())}}
    return {
        "security": [{SECURITY_SCHEME: []}],
        "responses": {"200": {"description": "How far it is.", "content": content}},
    }


def _refused() -> dict[int | str, dict[str, Any]]:
    return refusals((UNAUTHENTICATED, MISSING_SCOPE, NOT_FOUND, INVALID_INPUT, UNAVAILABLE))


def components() -> dict[str, dict[str, object]]:
    """The schemas of what imports answer."""
    _, components = msgspec.json.schema_components(
        [ImportResult, JobView], ref_template="#/components/schemas/{name}"
    )
    return components


def inlined(name: str, components: dict[str, dict[str, object]]) -> object:
    """A schema with its references replaced: this answer's shapes are used nowhere else."""

    def resolve(node: object) -> object:
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                return resolve(components[reference.rsplit("/", 1)[-1]])
            return {key: resolve(value) for key, value in node.items()}
        return [resolve(one) for one in node] if isinstance(node, list) else node

    return resolve(components[name])
