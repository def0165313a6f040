"""``constancia catalog``: the official catalogues of municipalities and establishments, taken into the register.

Exit codes: 0 taken, or nothing to do · 1 the file or rows of it were rejected · 2 usage.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer
import uvloop
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Lines

from api.cli.options import Data
from api.start import open_services, read_settings
from registry.application.execution.application import Application
from registry.application.places import catalog_loading
from registry.application.places.site_catalog import SitesTaken, take_sites
from registry.catalogs.boundaries import Boundaries, read_boundaries
from registry.catalogs.defects import Defect, Severity, as_csv
from registry.catalogs.errors import CatalogRefused
from registry.catalogs.establishments import Establishment
from registry.catalogs.layout import Kind, Layout, load_layout, recognise
from registry.catalogs.municipalities import Municipality, vintage_day
from registry.catalogs.proposing import levels_of, profile_text, propose
from registry.catalogs.reading import Reading, read_establishments, read_municipalities
from registry.catalogs.table import Table, read_table
from registry.settings import Settings
from registry.store.catalogs import CatalogFile

catalog = typer.Typer(no_args_is_help=True)

SHOWN: Final = 3
"""Rows of each kind of defect that the terminal shows; ``--defects`` writes all."""

_IN_NAME: Final = re.compile(
    r"(?<![0-9])((?:19|20)[0-9]{2})(?:[-_]?(0[1-9]|1[0-2])(?:[-_]?(0[1-9]|[12][0-9]|3[01]))?)?(?![0-9])"
)
_CLUES: Final = re.compile(r"[A-Z]{5}[0-9]{6}")

File = Annotated[
    Path,
    typer.Argument(
        exists=True, dir_okay=False, readable=True, help="CSV, XLSX, XLS, ODS; también .gz · or .gz"
    ),
]


class _Given(NamedTuple):
    """A file as it was read: one of the readings, what it is adopted under, and what the operator wants."""

    layout: Layout
    vintage: str
    sha256: bytes
    municipalities: Reading[Municipality] | None
    establishments: Reading[Establishment] | None
    boundaries: Boundaries | None
    vintage_given: bool
    dry_run: bool
    leave_out: bool
    sites: bool


class _Outcome(NamedTuple):
    """``adoption`` None: nothing was stored."""

    adoption: catalog_loading.Adoption | None
    rows: int
    defects: list[Defect]
    sites: SitesTaken | None


@catalog.command(help="Adopta un catálogo oficial. · Adopts an official catalogue.")
def load(
    kind: Annotated[Kind, typer.Argument(help="Qué contiene el archivo. · What the file holds.")],
    file: File,
    profile: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Perfil TOML que dice qué contiene cada columna. · TOML profile that says what each column holds.",
        ),
    ] = None,
    vintage: Annotated[
        str | None,
        typer.Option(help="Edición: AAAA, AAAA-MM o AAAA-MM-DD. · Vintage: YYYY, YYYY-MM or YYYY-MM-DD."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Solo dice qué pasaría. · Only tells what would happen.")
    ] = False,
    leave_out: Annotated[
        bool,
        typer.Option(
            "--leave-out",
            help="Toma el archivo sin las filas rechazadas. · Takes the file without the rejected rows.",
        ),
    ] = False,
    sites: Annotated[
        bool,
        typer.Option(
            "--sites/--no-sites",
            help="Registra cada establecimiento como sede. · Registers each establishment as a site.",
        ),
    ] = True,
    defects: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="CSV con todos los defectos. · CSV with all defects."),
    ] = None,
    boundaries: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Límites municipales, TopoJSON o GeoJSON: comprueba coordenadas. · Boundaries of municipalities, "
            "TopoJSON or GeoJSON: checks coordinates.",
        ),
    ] = None,
    data: Data = None,
) -> None:
    """Reads, tells what is wrong, adopts. Safe while the register runs, and to repeat."""
    table, layout = _read(kind, file, profile)
    places = read_municipalities(table, layout) if kind is Kind.MUNICIPALITIES else None
    clinics = read_establishments(table, layout) if kind is Kind.ESTABLISHMENTS else None
    said = (places or clinics or Reading([], [], None)).vintage
    given = _Given(
        layout=layout,
        vintage=_vintage(vintage, layout.vintage or said or vintage_in_name(file.name)),
        sha256=table.sha256,
        municipalities=places,
        establishments=clinics,
        boundaries=read_boundaries(boundaries.read_bytes()) if boundaries is not None else None,
        vintage_given=vintage is not None,
        dry_run=dry_run,
        leave_out=leave_out,
        sites=sites,
    )
    outcome = uvloop.run(_load(read_settings(data=data), given))
    if defects is not None:
        defects.write_text(as_csv(outcome.defects), encoding="utf-8")
    _tell(given, outcome)
    refused = any(one.severity is Severity.REJECTED for one in outcome.defects) and not leave_out
    raise typer.Exit(1 if refused else 0)


@catalog.command(
    help="Muestra las columnas de un archivo y propone un perfil. · Shows a file's columns and proposes a profile."
)
def columns(
    file: File,
    kind: Annotated[
        Kind | None, typer.Option(help="Qué contiene, si no se reconoce. · What it holds, if not recognised.")
    ] = None,
) -> None:
    """The columns go to standard error, the profile alone to standard output, ready to be kept in a file."""
    table = read_table(file.read_bytes())
    wanted = kind or _likely(table)
    found = propose(table, wanted)
    lines = Lines("columna · column", "ejemplos · samples", "campo · field")
    for one in found:
        lines.add_row(escape(one.heading), escape(" | ".join(one.samples)), one.field or "—")
    screen = Console(stderr=True)
    screen.print(lines)
    if (known := recognise(wanted, table.headings)) is not None:
        screen.print(
            f"Es un archivo conocido ({known.name}): no necesita perfil. · It is a known file: it needs no profile."
        )
    typer.echo(profile_text(found, wanted, levels_of(table, found)), nl=False)


@catalog.command("list", help="Los catálogos adoptados. · The catalogues adopted.")
def list_(data: Data = None) -> None:
    """One line per adoption, in their order: id of the event, vintage, name."""
    for one in uvloop.run(_adopted(read_settings(data=data))):
        typer.echo(one)


def vintage_in_name(name: str) -> str | None:
    """The year, month or day that a file's name tells: ``ESTABLECIMIENTO_SALUD_202504.xlsx`` is of 2025-04."""
    for match in _IN_NAME.finditer(name):
        label = "-".join(part for part in match.groups() if part)
        try:
            vintage_day(label)
        except ValueError:
            continue
        return label
    return None


async def _adopted(settings: Settings) -> list[str]:
    async with open_services(settings) as services:
        found = await catalog_loading.adopted(services.application)
        return [f"{one.id}  {one.vintage:10}  {one.name}" for one in found]


def _read(kind: Kind, file: Path, profile: Path | None) -> tuple[Table, Layout]:
    """Raises CatalogRefused."""
    if profile is not None:
        layout = load_layout(profile.read_text(encoding="utf-8"))
        if layout.kind is not kind:
            raise CatalogRefused(
                f"El perfil describe {layout.kind}, no {kind}. Use el perfil de este archivo.",
                f"The profile describes {layout.kind}, not {kind}. Use the profile of this file.",
            )
        table = read_table(
            file.read_bytes(), encoding=layout.encoding, delimiter=layout.delimiter, sheet=layout.sheet
        )
        return table, layout
    table = read_table(file.read_bytes())
    known = recognise(kind, table.headings)
    if known is None:
        there = ", ".join(table.headings)
        raise CatalogRefused(
            f"Sus columnas no son las de ningún archivo conocido: {there}. Haga un perfil: «constancia catalog columns "
            f"{file.name} > perfil.toml» propone uno; corríjalo y páselo con --profile.",
            f"Its columns are those of no known file: {there}. Make a profile: “constancia catalog columns "
            f"{file.name} > profile.toml” proposes one; correct it and give it with --profile.",
        )
    return table, known


def _vintage(given: str | None, found: str | None) -> str:
    """What the operator says, else the profile, the file's own column or its name, else today (UTC)."""
    label = given or found or datetime.now(UTC).date().isoformat()
    try:
        vintage_day(label)
    except ValueError as error:
        raise typer.BadParameter("AAAA, AAAA-MM, AAAA-MM-DD", param_hint="--vintage") from error
    return label


def _likely(table: Table) -> Kind:
    """Establishments where a column holds CLUES."""
    for cells in zip(*table.rows[:20], strict=True):
        if any(_CLUES.fullmatch(cell) for cell in cells):
            return Kind.ESTABLISHMENTS
    return Kind.MUNICIPALITIES


async def _load(settings: Settings, given: _Given) -> _Outcome:
    async with open_services(settings) as services:
        if given.municipalities is not None:
            return await _load_municipalities(services.application, given, given.municipalities)
        if given.establishments is not None:
            return await _load_establishments(services.application, given, given.establishments)
        raise AssertionError("a file holds one or the other")


async def _load_municipalities(app: Application, given: _Given, read: Reading[Municipality]) -> _Outcome:
    more = await catalog_loading.examine_municipalities(app, read.rows, given.vintage)
    adoption = await _adopt(app, given, read.defects, [row.entry for row in read.rows])
    return _Outcome(adoption, len(read.rows), [*read.defects, *more], None)


async def _load_establishments(app: Application, given: _Given, read: Reading[Establishment]) -> _Outcome:
    name, vintage = given.layout.name, given.vintage
    more = await catalog_loading.examine_establishments(app, read.rows, name, vintage, given.boundaries)
    adoption = await _adopt(app, given, read.defects, [row.entry for row in read.rows])
    sites: SitesTaken | None = None
    if given.sites and (adoption is not None or given.dry_run):
        sites = await take_sites(app, read.rows, vintage_day(vintage), dry_run=given.dry_run)
        more += sites.defects
    return _Outcome(adoption, len(read.rows), [*read.defects, *more], sites)


async def _adopt(
    app: Application,
    given: _Given,
    defects: Sequence[Defect],
    entries: Sequence[Municipality] | Sequence[Establishment],
) -> catalog_loading.Adoption | None:
    """None in a dry run, and where rows are rejected that may not be left out."""
    if not entries:
        raise CatalogRefused(
            "El archivo no tiene ninguna fila que se pueda tomar. Compruebe el perfil: «constancia catalog columns».",
            "The file has no row that can be taken. Check the profile: “constancia catalog columns”.",
        )
    rejected = any(one.severity is Severity.REJECTED for one in defects)
    if given.dry_run or (rejected and not given.leave_out):
        return None
    file = CatalogFile(name=given.layout.name, vintage=given.vintage, sha256=given.sha256, entries=entries)
    return await catalog_loading.adopt(app, file, vintage_given=given.vintage_given)


def _tell(given: _Given, outcome: _Outcome) -> None:
    """What was found, then what was done."""
    screen = Console(stderr=True)
    kinds: defaultdict[tuple[Severity, str], list[Defect]] = defaultdict(list)
    for one in outcome.defects:
        kinds[one.severity, one.kind].append(one)
    if kinds:
        lines = Lines("defecto · defect", "", "filas · rows", "ejemplos · examples")
        for (severity, kind), found in sorted(
            kinds.items(), key=lambda item: list(Severity).index(item[0][0])
        ):
            examples = "\n".join(f"{one.row or '—'} {one.code}: {one.detail.es}" for one in found[:SHOWN])
            lines.add_row(kind, severity.value, str(len(found)), escape(examples))
        screen.print(lines)
    name, vintage, rows = given.layout.name, given.vintage, outcome.rows
    if outcome.adoption is None and given.dry_run:
        typer.echo(
            f"Ensayo: {name} {vintage}, {rows} filas; no se guardó nada. · Dry run: {rows} rows; nothing was stored."
        )
    elif outcome.adoption is None:
        typer.echo(
            "No se tomó nada: corrija las filas rechazadas, o use --leave-out. · Nothing was taken: correct the "
            "rejected rows, or use --leave-out."
        )
    elif outcome.adoption.new:
        typer.echo(f"Adoptado: {name} {vintage}, {rows} filas. · Adopted: {rows} rows.")
    else:
        typer.echo(
            f"Ya estaba adoptado: {name} {outcome.adoption.vintage}. · Adopted before; nothing has changed."
        )
    if outcome.sites is not None:
        sites = outcome.sites
        typer.echo(
            f"Sedes · Sites: {sites.registered} nuevas · new, {sites.recoded} con otra clave · with another code, "
            f"{sites.unchanged} sin cambio · unchanged"
        )
