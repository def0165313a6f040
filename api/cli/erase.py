"""``constancia erase``: a person's, report's, incident's or site's private values, for good."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from functools import partial
from typing import Annotated, Final, TypeVar
from uuid import UUID

import typer
import uvloop

from api.cli.options import Data
from api.services import Services
from api.start import open_services, read_settings
from registry.application.people.erasure import Erasure, Preview, Said, Subject, parse_subject
from registry.domain.codes import CorrectionReason
from registry.domain.register import SubjectKind
from registry.errors import InvalidInput, StoreUnavailable
from registry.privacy.pseudonyms import Pseudonyms
from registry.settings import Settings
from registry.store.transient import TRANSIENT

T = TypeVar("T")

_BEYOND_REACH: Final = (
    "Fuera de alcance quedan las copias: la apertura que recibió quien envió, y los respaldos del esquema vault hasta "
    "que caduquen. · Copies are beyond reach: the opening that the sender received, and backups of the schema vault "
    "until they expire."
)


class _By(Enum):
    """How the subject is named when it is not on the command line."""

    CURP = "CURP"
    INTERNAL_ID = "Número interno · Internal number"


def erase(
    subject: Annotated[
        str | None,
        typer.Argument(
            metavar="SUBJECT",
            help="person:SEUDÓNIMO, report:ID, incident:ID o · or site:ID",
            show_default=False,
        ),
    ] = None,
    curp: Annotated[
        bool,
        typer.Option("--curp", help="Pide la CURP de la persona. · Asks for the person's CURP."),
    ] = False,
    internal_id: Annotated[
        UUID | None,
        typer.Option(
            metavar="INSTITUTION",
            help="Pide el número que la persona tiene en esta institución. · "
            "Asks for the number that the person has at this institution.",
        ),
    ] = None,
    reason: Annotated[
        CorrectionReason, typer.Option(help="Motivo que queda registrado. · Reason that is recorded.")
    ] = CorrectionReason.DATA_SUBJECT_REQUEST,
    yes: Annotated[bool, typer.Option("--yes", help="No pregunta. · Does not ask.")] = False,
    data: Data = None,
) -> None:
    """Shows what goes, asks, erases. Safe while the register runs; after a crash, the same command finishes it.

    The CURP, or the number, is read from the terminal or from standard input: arguments are visible to others and stay
    in the shell's history.
    """
    if [subject is not None, curp, internal_id is not None].count(True) != 1:
        raise typer.BadParameter("SUBJECT, --curp, --internal-id: 1")
    given = parse_subject(subject) if subject else _ask(_By.CURP if curp else _By.INTERNAL_ID)
    with_erasure = partial(_with_erasure, read_settings(data=data), given, internal_id)
    found = uvloop.run(with_erasure(_look))
    if isinstance(found, Said):
        _tell_it_is_gone(found)
        return
    if found is None:
        # It was confirmed before, and part of it is gone already.
        typer.echo("Se termina un borrado que quedó a medias. · Finishing an erasure that was cut short.")
    else:
        typer.echo(_shown(found))
        if not yes and not typer.confirm(
            "¿Borrarlo? No se puede deshacer. · Erase it? This cannot be undone."
        ):
            typer.echo("No se borró nada. · Nothing was erased.")
            raise typer.Exit(1)
    said = uvloop.run(with_erasure(lambda erasure, one: erasure.erase(one, reason)))
    typer.echo(
        f"Borrado; consta en la posición {said.position}. · Erased; recorded at position {said.position}."
    )
    typer.echo(_BEYOND_REACH)


def _ask(what: _By) -> str:
    answer = (
        str(typer.prompt(what.value, hide_input=True)) if sys.stdin.isatty() else sys.stdin.readline()
    ).strip()
    if not answer:
        raise InvalidInput("subject", f"Falta: {what.value}.", f"Missing: {what.value}.")
    return answer


async def _with_erasure(
    settings: Settings,
    given: Subject | str,
    institution: UUID | None,
    act: Callable[[Erasure, Subject], Awaitable[T]],
) -> T:
    async with open_services(settings) as services:
        subject = _named(services, given, institution) if isinstance(given, str) else given
        try:
            return await act(Erasure(services.application, services.pool), subject)
        except TRANSIENT as error:
            raise StoreUnavailable(
                f"Se perdió la base de datos ({type(error).__name__}). Repita el comando: termina lo que se empezó.",
                f"The database was lost ({type(error).__name__}). Repeat the command: it finishes what was begun.",
            ) from error


def _named(services: Services, name: str, institution: UUID | None) -> Subject:
    pseudonyms = Pseudonyms(services.application.master)
    person = (
        pseudonyms.person_by_curp(name)
        if institution is None
        else pseudonyms.person_by_internal_id(institution, name)
    )
    return Subject(SubjectKind.PERSON, person)


async def _look(erasure: Erasure, subject: Subject) -> Preview | Said | None:
    """What would go; or that it is gone; None if it is going: an erasure was begun."""
    if await erasure.unfinished(subject):
        return None
    return await erasure.preview(subject) or await erasure.said(subject)


def _tell_it_is_gone(said: Said) -> None:
    on = said.recorded.date()
    typer.echo(
        f"Ya no queda nada: se borró el {on} (posición {said.position}). · "
        f"Nothing is left: it was erased on {on} (position {said.position})."
    )


def _shown(preview: Preview) -> str:
    """What goes, in names and numbers: never a value."""
    lines = [
        "Se borrará, sin vuelta atrás: · What will be erased, for good:",
        *_counted("eventos · events", preview.events),
        *_counted("valores · values", preview.fields),
    ]
    if preview.reports:
        lines.append(
            f"  con las palabras de {preview.reports} reportes que nombran a la persona · "
            f"with the words of {preview.reports} reports that name the person"
        )
    lines.append(
        "Quedan las hojas, las cuentas y los campos en códigos. · Leaves, counts and coded fields stay as they are."
    )
    return "\n".join(lines)


def _counted(what: str, counts: Mapping[str, int]) -> list[str]:
    listed = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return [f"  {what}: {sum(counts.values())} ({listed})"] if counts else [f"  {what}: 0"]
