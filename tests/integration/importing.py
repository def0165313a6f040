"""Imports over the app, with the worker that a running program has beside it."""

from typing import Any
from uuid import uuid4

import httpx

from api.imports.worker import Worker
from api.services import Services
from registry.application.execution.application import Application
from registry.application.places import catalog_loading
from registry.catalogs.municipalities import CATALOG, Municipality
from registry.store.catalogs import CatalogFile

NDJSON = {"Content-Type": "application/x-ndjson"}
CSV = {"Content-Type": "text/csv"}
XLSX = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
XLS = {"Content-Type": "application/vnd.ms-excel"}


async def adopt_municipalities(app: Application, vintage: str, *entries: Municipality) -> None:
    """A catalogue of a few municipalities, adopted."""
    file = CatalogFile(name=CATALOG, vintage=vintage, sha256=uuid4().bytes * 2, entries=entries)
    await catalog_loading.adopt(app, file, vintage_given=True)


class Importer:
    """One institution's key on the app."""

    def __init__(self, http: httpx.AsyncClient, services: Services, key: str) -> None:
        self.http = http
        self.worker = Worker(services.pool, services.application, services.settings.import_kept)
        self._headers = {"Authorization": f"Bearer {key}", "Accept-Language": "en"}

    async def send(
        self, content: Any, headers: dict[str, str], records: str = "reports", **query: str
    ) -> httpx.Response:
        return await self.http.post(
            "/v1/imports",
            params={"records": records, "mode": "partial", **query},
            content=content,
            headers={**self._headers, **headers},
        )

    async def call(self, method: str, path: str, **query: str) -> httpx.Response:
        return await self.http.request(method, path, params=query, headers=self._headers)

    async def finish(self, started: httpx.Response) -> dict[str, Any]:
        """The job at its end."""
        assert started.status_code == 202, started.text
        await self.worker.work()
        job: dict[str, Any] = (await self.call("GET", started.headers["location"])).json()
        return job

    async def results(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        """What became of every row of a job."""
        rows: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = (await self.call("GET", f"/v1/imports/{job['id']}", after=str(after))).json()
            rows += page.get("results", [])
            after = page.get("next")
        return rows
