"""A register's stream as a client follows it: over any number of ends and failures, each event once, in order.

Server-sent events as the register writes them (HTML Living Standard, section 9.2). What the register says is checked
as far as one event can be: that it is the next one, and that its leaf has its hash.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Final, NamedTuple

import httpx
import msgspec

from registry.errors import MalformedLog, RegistryError
from registry.log.canonical import MAX_INTEGER, encode
from registry.log.merkle import leaf_hash

SILENCE_SECONDS: Final = 45.0
"""The register gives a sign of life every 15: after three that did not come, the connection is taken for dead."""

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
"""Before it is tried again: twice as long after each failure, less a random part, so that not all come back at once."""

LONGEST_ASKED_SECONDS: Final = 3600.0
"""What a register that is busy may ask for before it is tried again."""

MAX_BLOCK_BYTES: Final = 16 * 1024 * 1024
"""Of one event, and more than any has: whoever sends a line without end is not waited for until memory is full."""

MAX_PROBLEM_BYTES: Final = 64 * 1024

_TOO_MANY: Final = 429


class Broken(RegistryError):
    """The register's events are not those of a log: one is missing, comes twice, or is not what its hash says."""


class Refused(RegistryError):
    """The register will not answer, however often it is asked."""


class Data(msgspec.Struct):
    leaf: dict[str, Any]


class Event(msgspec.Struct):
    """What is read of a CloudEvent here."""

    type: str
    position: Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
    leafhash: str
    data: Data
    subject: str = ""


class Received(NamedTuple):
    """One event. ``text`` is its CloudEvent as it came, ``event`` the same decoded."""

    text: str
    event: Event


class Wait(NamedTuple):
    """The connection ended, by itself or by a failure, whose kind is named; the next one comes after a pause."""

    failure: str | None
    seconds: float


class Stream:
    """Events from ``after`` on, without end. ``after`` is where the next connection begins.

    :param whole: whether every position is to come: not where somebody filters, or sees only a part with a key.
    """

    def __init__(
        self,
        client: httpx.Client,
        *,
        after: int = 0,
        types: Sequence[str] = (),
        subjects: Sequence[str] = (),
        whole: bool,
        told: Callable[[Wait], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._filters = {"types": list(types), "subject": list(subjects)}
        self._whole, self._told, self._sleep = whole, told, sleep
        self.after = after

    def batches(self) -> Iterator[list[Received]]:
        """What came together; none where only the position has moved on. Raises Broken, Refused."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            failure, least = None, 0.0
            try:
                for batch in self._connection():
                    pause = FIRST_PAUSE_SECONDS
                    yield batch
            except (httpx.TransportError, httpx.DecodingError) as error:
                failure = type(error).__name__
            except _Unavailable as error:
                failure, least = str(error), error.seconds
            wait = Wait(failure, max(least, pause * random.uniform(0.5, 1)))  # noqa: S311 - nobody's secret
            self._told(wait)
            self._sleep(wait.seconds)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _connection(self) -> Iterator[list[Received]]:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(self.after)}
        timeout = httpx.Timeout(SILENCE_SECONDS)
        with self._client.stream(
            "GET", "/v1/events/stream", params=self._filters, headers=headers, timeout=timeout
        ) as response:
            _check(response)
            rest = b""
            for data in response.iter_bytes():
                *blocks, rest = (rest + data).split(b"\n\n")
                batch = [received for block in blocks for received in self._block(block)]
                if blocks:
                    yield batch
                if len(rest) > MAX_BLOCK_BYTES:
                    raise self._no_event()

    def _block(self, block: bytes) -> Iterator[Received]:
        fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
        next_ = self._position(fields[b"id"]) if b"id" in fields else self.after
        if b"data" in fields:
            yield self._received(fields[b"data"], next_)
        elif next_ < self.after or (self._whole and next_ != self.after):
            raise _broken(self.after, next_)
        self.after = next_

    def _position(self, id_: bytes) -> int:
        # As many digits as MAX_INTEGER has, of those that isdigit() means of bytes.
        if not id_.isdigit() or len(id_) > len(str(MAX_INTEGER)):
            raise self._no_event()
        return int(id_)

    def _received(self, data: bytes, next_: int) -> Received:
        try:
            event = _decode(data)
            genuine = leaf_hash(encode(event.data.leaf)).hex() == event.leafhash
        except (msgspec.DecodeError, UnicodeDecodeError, MalformedLog):
            raise self._no_event() from None
        position = event.position
        if position + 1 != next_ or position < self.after or (self._whole and position != self.after):
            raise _broken(self.after, position)
        if not genuine:
            raise Broken(
                f"La hoja de la posición {position} no es la que dice su hash. Avise a quien administra el registro.",
                f"The leaf at position {position} is not what its hash says. Tell the registry's administrator.",
            )
        return Received(data.decode(), event)

    def _no_event(self) -> Broken:
        return Broken(
            f"Lo que llegó tras la posición {self.after} no es un evento del registro. ¿Es la dirección correcta?",
            f"What came after position {self.after} is no event of a register. Is it the right address?",
        )


_decode: Final = msgspec.json.Decoder(Event).decode


class _Unavailable(Exception):
    """Answered with an error that passes."""

    def __init__(self, status: int, seconds: float) -> None:
        super().__init__(f"HTTP {status}")
        self.seconds = seconds


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == _TOO_MANY:
        asked = response.headers.get("retry-after", "")
        seconds = float(asked) if asked.isdecimal() else 0
        raise _Unavailable(status, min(seconds, LONGEST_ASKED_SECONDS))
    if response.has_redirect_location:
        # Not followed: a key would go along to wherever it leads.
        there = response.headers["location"]
        raise Refused(
            f"Esa dirección lleva a otra: {there}. Use la del registro mismo.",
            f"That address leads to another: {there}. Use the register's own.",
        )
    if status != httpx.codes.OK:
        said = _detail(_beginning(response))
        raise Refused(
            f"El registro se niega (HTTP {status}). {said}".strip(),
            f"The register refuses (HTTP {status}). {said}".strip(),
        )
    if not response.headers.get("content-type", "").startswith("text/event-stream"):
        raise Refused(
            "Allí responde algo que no es un registro. Revise la dirección.",
            "What answers there is no register. Check the address.",
        )


def _beginning(response: httpx.Response) -> bytes:
    body = b""
    for piece in response.iter_bytes():
        body += piece
        if len(body) > MAX_PROBLEM_BYTES:
            break
    return body


class _Field(msgspec.Struct):
    field: str = ""
    detail: str = ""


class _Problem(msgspec.Struct):
    detail: str = ""
    errors: list[_Field] | None = None


def _detail(body: bytes) -> str:
    """What a problem (RFC 9457) says, in the language that was asked for."""
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return " ".join([problem.detail, *(f"{one.field}: {one.detail}" for one in problem.errors or [])])


def _broken(expected: int, found: int) -> Broken:
    if found < expected:
        return Broken(
            f"Se esperaba la posición {expected} y llegó otra vez la {found}. Avise a quien administra el registro.",
            f"Position {expected} was expected and {found} came again. Tell the registry's administrator.",
        )
    return Broken(
        f"Se esperaba la posición {expected} y llegó la {found}: faltan eventos. Avise a quien administra el registro.",
        f"Position {expected} was expected and {found} came: events are missing. Tell the registry's administrator.",
    )
