"""Sends one message to one endpoint: where it may, to the address that was checked, and for no longer than it may take.

Whoever names an endpoint decides what its name resolves to, and may decide otherwise a moment later (DNS rebinding).
So the name is resolved here, once per connection; the addresses are checked; and one of them is connected to, never the
name. Certificates are still checked for the name. Nothing of an answer is followed, decompressed or kept.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from ipaddress import ip_address
from types import TracebackType
from typing import Final, Protocol, Self

import httpcore
import httpx

from api.delivery.webhooks.addresses import HTTPS, Address, Network, is_named, is_public
from api.delivery.webhooks.outcomes import Failure, Outcome
from api.delivery.webhooks.schedule import retry_after
from api.streams.envelope import MEDIA_TYPE

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 20.0
"""From the resolution to the status. The specification recommends 15 to 30."""

BODY_SECONDS: Final = 2.0

ANSWER_BYTES: Final = 16 * 1024
"""How much of an answer's body is read, and for how long, so that its connection can be used again; what has more loses
its connection. Headers are bounded by httpcore, at 100 KiB."""

KEPT_CONNECTIONS: Final = 64
KEPT_SECONDS: Final = 15.0

RESOLVERS: Final = 32
"""Names that are resolved at a time, in threads of our own: a resolver that hangs must hold up neither what else the
process does in threads nor its end."""

_TRIED_ADDRESSES: Final = 3
_TRIED_SECONDS: Final = 2.0

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]


class Refused(httpcore.ConnectError):
    """Nothing was connected to; ``failure`` says why."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure)


class Post(Protocol):
    """How a message goes out."""

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome: ...


class Client:
    """Sends messages. Use it as a context; safe from any number of tasks.

    :param networks: where it may go besides the internet, without encryption too.
    :param resolve: the addresses of a name. OSError when it has none.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        clock: Callable[[], datetime],
        *,
        resolve: Resolve | None = None,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._clock = clock
        trusted, resolve = trusted or _authorities(), resolve or Resolver()
        self._encrypted, self._plain = (
            httpcore.AsyncConnectionPool(
                ssl_context=trusted,
                max_connections=None,
                max_keepalive_connections=KEPT_CONNECTIONS,
                keepalive_expiry=KEPT_SECONDS,
                network_backend=_Checked(networks, resolve, encrypted=encrypted),
            )
            for encrypted in (True, False)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._encrypted.aclose()
        await self._plain.aclose()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """One attempt. Never raises for what an endpoint does."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        status: int | None = None
        failure: Failure | None = None
        wished: timedelta | None = None
        try:
            status, wait = await self._exchange(url, headers, body)
            wished = retry_after(wait, self._clock())
        except Refused as error:
            failure = error.failure
        except (TimeoutError, httpcore.TimeoutException):
            failure = Failure.TIMED_OUT
        except (httpcore.ConnectError, ssl.SSLError):
            failure = Failure.NOT_CONNECTED
        except (httpcore.NetworkError, httpcore.ProtocolError):
            failure = Failure.BROKEN_ANSWER
        return Outcome(status, failure, timedelta(seconds=loop.time() - started), wished)

    async def _exchange(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str | None]:
        """Status and ``Retry-After``."""
        target = _target(url)
        pool = self._encrypted if target.scheme == HTTPS.encode() else self._plain
        # httpcore adds nothing by itself.
        sent = {
            "Host": _host(target),
            "Content-Type": MEDIA_TYPE,
            "Content-Length": str(len(body)),
            "Accept-Encoding": "identity",
            **headers,
        }
        wait = {"connect": CONNECT_SECONDS, "read": TOTAL_SECONDS, "write": TOTAL_SECONDS}
        async with (
            asyncio.timeout(TOTAL_SECONDS) as total,
            pool.stream(
                "POST", target, headers=list(sent.items()), content=body, extensions={"timeout": wait}
            ) as response,
        ):
            total.reschedule(None)  # the status has come: no time that the body takes may undo it
            await _read(response)
        wished = [value for name, value in response.headers if name.lower() == b"retry-after"]
        return response.status, wished[0].decode("latin-1") if wished else None


@cache
def _authorities() -> ssl.SSLContext:
    """Read once: it takes a tenth of a second, in which the process does nothing else."""
    return httpcore.default_ssl_context()


class Resolver:
    """Asks the system's resolver. Not in an executor: whose threads are waited for when the process ends."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(RESOLVERS)

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[list[Address]] = loop.create_future()

        def ask() -> None:
            found: list[Address] | OSError | ValueError
            try:
                addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                found = [ip_address(where[0]) for *_, where in addresses]
            except (OSError, ValueError) as error:  # the second of what is no name
                found = error
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(tell, found)

        def tell(found: list[Address] | OSError | ValueError) -> None:
            # Only now: who has given up waiting leaves the thread behind.
            self._places.release()
            if answered.cancelled():
                return
            if isinstance(found, list):
                answered.set_result(found)
            else:
                answered.set_exception(found)

        await self._places.acquire()
        threading.Thread(target=ask, name="webhook-name", daemon=True).start()
        return await answered


class _Checked(httpcore.AsyncNetworkBackend):
    """Connects to addresses that are allowed, never to names."""

    def __init__(self, networks: Sequence[Network], resolve: Resolve, *, encrypted: bool) -> None:
        self._networks = networks
        self._resolve = resolve
        self._encrypted = encrypted
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                found = await self._resolve(host, port)
        except (OSError, ValueError):  # among them TimeoutError
            raise Refused(Failure.NOT_RESOLVED) from None
        allowed = self._allowed(found)
        for address in allowed[:-1]:
            try:
                return await self._backend.connect_tcp(
                    str(address), port, _TRIED_SECONDS, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._backend.connect_tcp(str(allowed[-1]), port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)

    def _allowed(self, found: Sequence[Address]) -> list[Address]:
        """Some of the addresses, at least one. Raises Refused."""
        reachable = [one for one in found if is_public(one) or is_named(one, self._networks)]
        if not reachable:
            raise Refused(Failure.ADDRESS_REFUSED if found else Failure.NOT_RESOLVED)
        named = [one for one in reachable if self._encrypted or is_named(one, self._networks)]
        if not named:
            raise Refused(Failure.NOT_ENCRYPTED)
        return named[:_TRIED_ADDRESSES]


async def _read(response: httpcore.Response) -> None:
    """Some of the body, for the sake of the connection. What it is does not matter: the status has come."""
    size = 0
    with suppress(TimeoutError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in response.aiter_stream():
                size += len(chunk)
                if size > ANSWER_BYTES:
                    return


def _target(url: str) -> httpcore.URL:
    """As it was registered: read once, by the parser that checked it. httpcore's own drops ``;`` and what is behind."""
    parsed = httpx.URL(url)
    return httpcore.URL(
        scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path
    )


def _host(target: httpcore.URL) -> str:
    """The Host header (RFC 9110, section 7.2)."""
    host = target.host.decode("ascii")
    written = f"[{host}]" if ":" in host else host
    return written if target.port is None else f"{written}:{target.port}"
