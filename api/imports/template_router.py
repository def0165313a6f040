"""``/templates/{records}.xlsx``: the template spreadsheets, for anybody."""

import asyncio
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Response

from api.imports.job_router import XLSX_TYPE
from api.imports.records import Records
from api.imports.templates import TEMPLATES, template
from api.problems import NOT_FOUND, Problem

PATH: Final = "/templates/{records}.xlsx"


def build_router() -> APIRouter:
    """Nothing of the register is in them, so no key is asked for."""
    router = APIRouter()

    @router.get(
        PATH,
        summary="Plantilla XLSX para importar · XLSX template for imports",
        response_class=Response,
        responses={200: {"content": {XLSX_TYPE: {}}}},
    )
    async def download(records: str, lang: Annotated[Literal["es", "en"], Query()] = "es") -> Response:
        """Encabezados en español o inglés, listas de códigos e instrucciones. · Headings, code lists, instructions."""
        if records not in TEMPLATES:
            raise Problem(NOT_FOUND)
        content = await asyncio.to_thread(template, Records(records), lang)
        headers = {
            "Content-Disposition": f'attachment; filename="{records}.{lang}.xlsx"',
            "X-Content-Type-Options": "nosniff",
        }
        return Response(content, 200, headers, XLSX_TYPE)

    return router
