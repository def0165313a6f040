"""``constancia tail``: the register's events in the terminal as they come, for ever.

Exit codes: 0 stopped (Ctrl-C, SIGTERM, nobody reads any more) · 1 the events are not those of a log · 2 usage ·
3 the register refuses.
"""

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import msgspec
import typer

from api.cli.printing import printable
from api.labels import CERTAINTIES, CLASSES, KINDS
from api.streams.client import Broken, Received, Refused, Stream, Wait
from registry.errors import RegistryError
from registry.log.durable import write_durably
from registry.log.leaf import ENTRY
from registry.text import Language, Text

DEFAULT_URL: Final = "http://127.0.0.1:8000"

EXIT_CODES: Final[dict[type[RegistryError], int]] = {Broken: 1, Refused: 3}
USAGE: Final = 2


class Place(msgspec.Struct, frozen=True):
    """What a state file remembers."""

    url: str
    after: int


class Unusable(RegistryError):
    """A file that was named cannot be used."""


def tail(
    url: Annotated[
        str, typer.Argument(metavar="[URL]", help="Dirección del registro. · The register's address.")
    ] = DEFAULT_URL,
    after: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="La primera posición; 0 es todo, como sin ella. · The first position; 0 is all, as without it.",
        ),
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            help="Solo eventos de este tipo; se puede repetir. · Only events of this type; may be repeated.",
        ),
    ] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option(
            help="Solo eventos de este registro, «incident/<id>»; se puede repetir. · Only events of this record, "
            "“incident/<id>”; may be repeated."
        ),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            help="Archivo con una clave con events:read. · File with a key with events:read.",
        ),
    ] = None,
    json: Annotated[
        bool,
        typer.Option(
            "--json/--human",
            help="CloudEvents, uno por línea, o una línea para leer. · CloudEvents, one per line, or a line to read.",
        ),
    ] = False,
    state: Annotated[
        Path | None,
        typer.Option(
            help="Archivo que recuerda la posición: la próxima vez sigue allí. · File that remembers the position: "
            "the next time it goes on there."
        ),
    ] = None,
) -> None:
    """Muestra los eventos conforme llegan, sin fin. · Shows events as they come, without end."""
    raise typer.Exit(run(url.rstrip("/"), after, types or [], subject or [], key_file, json, state))


def run(
    url: str,
    after: int | None,
    types: list[str],
    subjects: list[str],
    key_file: Path | None,
    json: bool,
    state: Path | None,
    transport: httpx.BaseTransport | None = None,
) -> int:
    """Follows and prints; the exit code. ``transport`` replaces the network."""
    language = _language(os.environ)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # JSON is UTF-8 (RFC 8259 section 8.1); elsewhere, what a terminal cannot show must not end it.
        sys.stdout.reconfigure(encoding="utf-8" if json else None, errors="backslashreplace")
    show: Callable[[Received], str] = (
        (lambda one: one.text) if json else (lambda one: printable(line(one, language)))
    )
    try:
        headers = {"Accept-Language": language, **_authorization(key_file)}
        remembered = None if state is None else _remembered(state, url)
        begin = after if after is not None else 0 if remembered is None else remembered.after
        with httpx.Client(base_url=_base(url), headers=headers, transport=transport) as client:
            stream = Stream(
                client,
                after=begin,
                types=types,
                subjects=subjects,
                whole=not (types or subjects or key_file),
                told=_tell,
            )
            _follow(stream, show, None if state is None else lambda: _remember(state, url, stream.after))
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        # Python would complain about what it still holds.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except RegistryError as error:
        print(printable(str(error.text)), file=sys.stderr)
        return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), USAGE)
    return 0


def _follow(stream: Stream, show: Callable[[Received], str], remember: Callable[[], None] | None) -> None:
    with _interrupts() as undisturbed:
        for batch in stream.batches():
            # Printed and remembered, or neither: unless the power is cut in between.
            with undisturbed():
                for one in batch:
                    print(show(one))
                sys.stdout.flush()
                if remember is not None:
                    remember()


@contextmanager
def _interrupts() -> Iterator[Callable[[], Any]]:
    """Within: SIGINT and SIGTERM raise KeyboardInterrupt, but only after what is done undisturbed."""
    busy = asked = False

    def stop(*_: object) -> None:
        nonlocal asked
        if not busy:
            raise KeyboardInterrupt
        asked = True

    @contextmanager
    def undisturbed() -> Iterator[None]:
        nonlocal busy
        busy = True
        try:
            yield
        finally:
            busy = False
        if asked:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield undisturbed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def line(received: Received, language: Language) -> str:
    """One event for people: position, day, type, record, and what its leaf says."""
    event = received.event
    leaf = event.data.leaf
    words = [
        f"{event.position:>8}",
        f"{leaf.get('recorded', '')!s:10}",
        f"{event.type:24}",
        event.subject,
        _SEALED.in_(language) if event.type == ENTRY else _facts(leaf.get("public"), language),
    ]
    return "  ".join(words).rstrip()


_SEALED: Final = Text("asiento sellado", "sealed entry")
_OTHER: Final = Text("lo dice --json", "--json tells it")
"""Of a leaf by rules that are newer than this program."""


class _Facet(msgspec.Struct):
    value: Any = None


class _Shown(msgspec.Struct):
    """What a line has room for, of an incident or of anything else with a name or an id."""

    name: str = ""
    id: str = ""
    class_: str = msgspec.field(default="", name="class")
    certainty: str = ""
    status: str = ""
    facets: dict[str, _Facet] | None = None


def _facts(public: object, language: Language) -> str:
    """What an open leaf tells, as far as it fits a line."""
    try:
        shown = msgspec.convert(public, _Shown)
    except msgspec.ValidationError:
        return _OTHER.in_(language)
    if shown.facets is None:
        return shown.name or shown.id
    facets = {name: facet.value for name, facet in shown.facets.items()}
    labels = [
        CLASSES.get(shown.class_),
        KINDS.get(str(facets.get("kind"))),
        CERTAINTIES.get(shown.certainty),
    ]
    words = [label.in_(language) for label in labels if label is not None]
    words += [str(facets[name]) for name in ("year", "state") if facets.get(name) is not None]
    if shown.status != "ACTIVE":
        words.append(shown.status)
    return " · ".join(words)


def _tell(wait: Wait) -> None:
    if wait.failure is not None:
        print(
            f"Sin conexión ({wait.failure}); se intenta de nuevo en {wait.seconds:.0f} s. · "
            f"No connection ({wait.failure}); trying again in {wait.seconds:.0f} s.",
            file=sys.stderr,
            flush=True,
        )


def _language(environment: Mapping[str, str]) -> Language:
    """By the locale (POSIX.1-2017 section 8.2); Spanish unless it is English."""
    named = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "en" if next((name for name in named if name), "").startswith("en") else "es"


def _base(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Unusable(
            "La dirección debe ser como https://registro.example.org.",
            "The address must look like https://registro.example.org.",
        )
    return url


def _authorization(key_file: Path | None) -> dict[str, str]:
    if key_file is None:
        return {}
    try:
        key = key_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        key = ""
    if not key:
        raise Unusable(
            f"No se puede leer una clave en {key_file}. Guarde en él la clave, tal como se emitió.",
            f"No key can be read in {key_file}. Keep the key in it, as it was issued.",
        )
    return {"Authorization": f"Bearer {key}"}


def _remembered(state: Path, url: str) -> Place | None:
    try:
        place = msgspec.json.decode(state.read_bytes(), type=Place)
    except FileNotFoundError:
        if not os.access(state.parent, os.W_OK):  # said now, not after the first events
            raise _unwritable(state) from None
        return None
    except (OSError, msgspec.DecodeError):
        raise Unusable(
            f"{state} no es un archivo de --state. Dé otro nombre, o bórrelo para empezar de nuevo.",
            f"{state} is not a file of --state. Give another name, or delete it to begin again.",
        ) from None
    if place.url != url:
        raise Unusable(
            f"{state} es de otro registro ({place.url}). Use un archivo por registro.",
            f"{state} is of another register ({place.url}). Use one file for each.",
        )
    return place


def _remember(state: Path, url: str, after: int) -> None:
    try:
        write_durably(state, msgspec.json.encode(Place(url, after)))
    except OSError as error:
        raise _unwritable(state) from error


def _unwritable(state: Path) -> Unusable:
    return Unusable(
        f"No se puede escribir {state}. Revise el directorio, sus permisos y el espacio en disco.",
        f"{state} cannot be written. Check the directory, its permissions and the room on the disk.",
    )
