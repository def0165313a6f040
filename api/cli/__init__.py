"""The ``constancia`` command."""

import sys
from collections.abc import Iterator

import typer

from api.cli.catalog import catalog
from api.cli.erase import erase
from api.cli.export import export
from api.cli.import_ import import_file
from api.cli.keys import keys
from api.cli.migrate import migrate
from api.cli.parts import project, publish, serve
from api.cli.profile import profile
from api.cli.rebuild import rebuild
from api.cli.relay import relay
from api.cli.release import release
from api.cli.tail import tail
from api.cli.up import up
from api.cli.verify import verify
from api.cli.witness import witness
from registry.errors import RegistryError

# Locals may hold private values, and a traceback with them is for nobody.
app = typer.Typer(
    name="constancia",
    help="Registro público y verificable. · A public, verifiable register.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(help="Todo el registro en un proceso. · The whole register in one process.")(up)
app.command(help="Solo la API. · The API only.")(serve)
app.command(help="Solo las proyecciones. · The projections only.")(project)
app.command(
    help="Solo publicar: puntos de control y divulgaciones. · Publishing only: checkpoints and releases."
)(publish)
app.command()(relay)
app.command(help="Lleva la base de datos a esta versión. · Brings the database to this version.")(migrate)
app.command(help="Divulga ahora lo que la política permite. · Releases now what the policy allows.")(release)
app.command(
    help="Borra para siempre los datos privados de alguien. · Erases somebody's private data for good."
)(erase)
app.command(help="Reconstruye un modelo de lectura. · Rebuilds a read model.")(rebuild)
app.add_typer(catalog, name="catalog", help="Catálogos oficiales. · Official catalogues.")
app.add_typer(keys, name="keys", help="Claves de acceso. · Access keys.")
app.command("import")(import_file)
app.add_typer(
    profile, name="profile", help="Perfiles y plantillas para importar. · Profiles and templates for imports."
)
app.command()(tail)
app.command()(verify)
app.command(
    help="Espejo estático de la bitácora y sus conteos. · A static mirror of the log and its counts."
)(export)
app.command(help="Testigo de la bitácora de otros. · A witness for others' logs.")(witness)


def main() -> None:
    """Runs the command. What somebody must act on is told in both languages, without a traceback."""
    try:
        app()
    except* RegistryError as refused:
        for error in _flat(refused):
            print(error.text, file=sys.stderr)
        sys.exit(1)


def _flat(group: BaseExceptionGroup[RegistryError]) -> Iterator[RegistryError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _flat(error)
        else:
            yield error
