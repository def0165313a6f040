"""How institutions speak to the register over HTTP, in one process with it."""

from typing import Any

import httpx

LIMIT = 10_000
"""Bytes of a body that the register accepts here."""

EVIDENCE_LIMIT = 1 << 20
"""Bytes of a file of evidence that it accepts."""


class Institution:
    """Speaks for one institution, with one key."""

    def __init__(self, http: httpx.AsyncClient, key: str) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {key}"}

    async def post(self, path: str, json: Any, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._http.post(path, json=json, headers={**self._headers, **named})

    async def send(self, path: str, content: Any, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._http.post(path, content=content, headers={**self._headers, **named})

    async def delete(self, path: str) -> httpx.Response:
        return await self._http.delete(path, headers=self._headers)

    async def get(self, path: str, purpose: str | None = None, **query: Any) -> httpx.Response:
        why = {"Purpose": purpose} if purpose else {}
        return await self._http.get(path, params=query, headers={**self._headers, **why})
