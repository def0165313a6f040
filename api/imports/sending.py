"""Sends records to a register in chunks, and again after a cut, until every row has an answer.

Repeating is safe: rows carry their ``source_record_id``, and each chunk an Idempotency-Key made from its bytes, so a
chunk that was stored before its answer was lost is answered as unchanged.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeVar

import httpx
import msgspec

from api.imports.answers import ImportResult, Mode, OnChange, RowResult, Status
from api.imports.job_answers import JobView
from api.imports.jobs import JobStatus
from api.imports.records import Records
from registry.errors import RegistryError

T = TypeVar("T")

CHUNK_ROWS: Final = 500
"""Rows of one request in mode partial: an answer every second or so, and little to send again after a cut."""

POLL_SECONDS: Final = 0.5
"""Between two looks at how far a job is."""

ATTEMPTS: Final = 8
FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 15.0
"""Seconds between attempts: doubled each time up to the longest, together about a minute, a restart's time."""

TIMEOUT: Final = httpx.Timeout(120.0, connect=10.0)

_ENDED: Final = frozenset({JobStatus.FINISHED, JobStatus.CANCELLED, JobStatus.REVOKED, JobStatus.FAILED})
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_NOW: Final = "unavailable"
"""Code of a row whose outcome the server does not know; repeating tells."""


class Unsent(RegistryError):
    """The server cannot be reached, or does not take the import as a whole. What it acknowledged is stored."""


class NotPermitted(Unsent):
    """The key is missing, not valid, or lacks a scope."""


class Answered(NamedTuple):
    """One record's answer. ``place`` is its index in what was given to ``send``, from 0."""

    place: int
    result: RowResult


class Sender:
    """One register, one key, one kind of records."""

    def __init__(
        self,
        client: httpx.Client,
        records: Records,
        mode: Mode,
        *,
        on_change: OnChange = OnChange.REJECT,
        wait: Callable[[float], None] = time.sleep,
        retrying: Callable[[int], None] = lambda _: None,
    ) -> None:
        """``client`` has the base URL and the key; ``retrying`` is told the number of each new attempt."""
        self._client = client
        self._records = records
        self._mode = mode
        self._on_change = on_change
        self._wait = wait
        self._retrying = retrying

    def send(self, bodies: Sequence[bytes]) -> Iterator[list[Answered]]:
        """Yields the answers chunk by chunk; in mode atomic all rows are one chunk. Raises Unsent, NotPermitted."""
        size = len(bodies) if self._mode is Mode.ATOMIC else CHUNK_ROWS
        for start in range(0, len(bodies), size or 1):
            chunk = bodies[start : start + size]
            answer = self._chunk(chunk)
            yield [Answered(start + result.row - 1, result) for result in answer.results]

    def _chunk(self, bodies: Sequence[bytes]) -> ImportResult:
        content = b"\n".join(bodies) + b"\n"
        pause = FIRST_WAIT
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1:
                self._retrying(attempt)
                self._wait(pause)
                pause = min(pause * 2, LONGEST_WAIT)
            try:
                answer = self._answer(content)
            except httpx.TransportError:
                continue
            if answer is None or (any(map(_undecided, answer.results)) and attempt < ATTEMPTS):
                continue
            return answer
        raise Unsent(
            "El servidor no responde. Lo que confirmó quedó guardado; repita el mismo comando más tarde: no se "
            "duplica nada.",
            "The server does not answer. What it confirmed is stored; repeat the same command later: nothing is "
            "doubled.",
        )

    def _answer(self, content: bytes) -> ImportResult | None:
        """None when the server asks to come again."""
        response = self._client.post(
            "/v1/imports",
            params={
                "records": self._records.value,
                "mode": self._mode.value,
                "on_change": self._on_change.value,
            },
            content=content,
            headers={
                "Content-Type": "application/x-ndjson",
                "Idempotency-Key": hashlib.sha256(content).hexdigest(),
            },
        )
        if response.status_code in _AGAIN:
            return None
        if response.status_code == 202:
            return self._follow(response.headers.get("location", ""))
        return _read(response, ImportResult)

    def _follow(self, location: str) -> ImportResult | None:
        """Waits for a job, and fetches what became of its rows."""
        while True:
            response = self._client.get(location)
            if response.status_code in _AGAIN:
                return None
            job = _read(response, JobView)
            if job.status in _ENDED:
                break
            self._wait(POLL_SECONDS)
        if job.status is JobStatus.REVOKED:
            raise _not_permitted()
        if job.status is not JobStatus.FINISHED:
            raise Unsent(
                "La importación se canceló o falló en el servidor. Lo que confirmó quedó guardado; repita el comando.",
                "The import was cancelled or failed at the server. What it confirmed is stored; repeat the command.",
            )
        results: list[RowResult] = []
        after: int | None = 0
        while after is not None:
            response = self._client.get(location, params={"after": after})
            if response.status_code in _AGAIN:
                return None
            page = _read(response, JobView)
            results += page.results
            after = page.next
        return ImportResult(
            mode=job.mode,
            records=job.records,
            rows=job.rows,
            created=job.created,
            unchanged=job.unchanged,
            failed=job.failed,
            amended=job.amended,
            results=tuple(results),
        )


def _undecided(result: RowResult) -> bool:
    return result.status is Status.ERROR and any(error.code == _NOT_NOW for error in result.errors)


def _read(response: httpx.Response, kind: type[T]) -> T:
    if response.status_code in (401, 403):
        raise _not_permitted()
    if response.status_code != 200:
        raise Unsent(
            f"El servidor no aceptó la importación (HTTP {response.status_code}): {_detail(response)}",
            f"The server did not take the import (HTTP {response.status_code}): {_detail(response)}",
        )
    try:
        return msgspec.json.decode(response.content, type=kind)
    except msgspec.DecodeError as error:
        raise Unsent(
            "La respuesta no es la de este registro. Revise --url.",
            "The answer is not that of this register. Check --url.",
        ) from error


def _not_permitted() -> NotPermitted:
    return NotPermitted(
        "El servidor no acepta la clave. Hace falta una vigente con imports:write y el permiso de los registros "
        "(--key o CONSTANCIA_KEY).",
        "The server does not accept the key. It takes one in force with imports:write and the scope of the "
        "records (--key or CONSTANCIA_KEY).",
    )


def _detail(response: httpx.Response) -> str:
    """What the problem says, if it is one (RFC 9457)."""
    try:
        problem = msgspec.json.decode(response.content, type=dict[str, object])
    except msgspec.DecodeError:
        return "-"
    errors = problem.get("errors")
    places = [
        f"{error.get('field')}: {error.get('detail')}"
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    ]
    return " ".join([str(problem.get("detail", "-")), *places])
