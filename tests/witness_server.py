"""Witnesses for tests, reached without a network: one that behaves, and the same one spoilt on demand."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx

from api.witness_server import create_witness
from registry.log.cosignature import Cosigner
from registry.log.note import Signer, Verifier
from registry.log.submission import SIZE_MEDIA_TYPE, Submission, shown_at
from registry.log.witnessing import Witness

Spoil = Callable[[httpx.Request], httpx.Response | None]
"""What a misbehaving witness answers instead; None lets the good one answer."""


class WitnessServer:
    """One witness, ``url`` in a policy. ``requests`` are those that reached it; ``spoil`` may be set at any time."""

    def __init__(self, name: str, logs: list[Verifier], directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        self.name, self.url = name, f"https://{name}.example/prefix"
        self.cosigner = Cosigner(Signer(f"{name}.example/prefix", name.encode().ljust(32, b"_")))
        self.now = 1_800_000_000
        self.witness = Witness(self.cosigner, logs, directory, clock=lambda: self.now)
        self.requests: list[httpx.Request] = []
        self.spoil: Spoil | None = None
        self._app = httpx.ASGITransport(create_witness(self.witness))

    @property
    def line(self) -> str:
        """Its line in a policy."""
        return f"witness {self.name} {self.cosigner.key.vkey()} {self.url}\n"

    @property
    def olds(self) -> list[int]:
        """The old sizes that it was sent."""
        return [Submission.parse(each.content).old for each in self.requests if each.method == "POST"]

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """As it is reached from outside, below its prefix."""
        self.requests.append(request)
        if self.spoil is not None and (spoilt := self.spoil(request)) is not None:
            if spoilt is SILENCE:
                await asyncio.sleep(3600)
            return spoilt
        inner = httpx.Request(
            request.method,
            request.url.copy_with(path=request.url.path.removeprefix("/prefix")),
            headers=request.headers,
            content=request.content,
        )
        answered = await self._app.handle_async_request(inner)
        return httpx.Response(answered.status_code, headers=answered.headers, content=await answered.aread())


class Network(httpx.AsyncBaseTransport):
    """The transport that leads to these witnesses, by host; others are not found."""

    def __init__(self, *witnesses: WitnessServer) -> None:
        self._witnesses = {httpx.URL(each.url).host: each for each in witnesses}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if request.url.host not in self._witnesses:
            raise httpx.ConnectError("no such host", request=request)
        answer = await self._witnesses[request.url.host].answer(request)
        # As from a network: not read yet.
        return httpx.Response(answer.status_code, headers=answer.headers, stream=_Body(answer.content))


class _Body(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


SILENCE = httpx.Response(200)
"""Answered by nothing at all."""


def posts(answer: httpx.Response, times: int = 1_000_000) -> Spoil:
    """The first ``times`` submissions are answered with this."""
    left = Counter(answers=times)

    def spoil(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST" or not left["answers"]:
            return None
        left["answers"] -= 1
        return (
            answer
            if answer is SILENCE
            else httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        )

    return spoil


def stale(size: int | str, times: int = 1_000_000) -> Spoil:
    """409 with a size."""
    headers = {"Content-Type": SIZE_MEDIA_TYPE}
    return posts(httpx.Response(409, headers=headers, content=f"{size}\n".encode()), times)


def shows(origin: str, note: str, otherwise: Spoil) -> Spoil:
    """To monitors, this note; submissions as ``otherwise``."""

    def spoil(request: httpx.Request) -> httpx.Response | None:
        if request.method == "GET" and request.url.path.endswith(shown_at(origin)):
            return httpx.Response(200, content=note.encode())
        return otherwise(request)

    return spoil
