"""The documented examples, without the data that they were written for."""

import io
import re
from pathlib import Path

import pytest

from api.imports.loading import load_profile
from api.imports.preparing import prepare
from api.imports.records import Records
from api.imports.tables import UNKNOWN_LAYOUT

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("profile", sorted((DOCS / "examples").glob("*.toml")), ids=lambda path: path.name)
def test_every_example_profile_is_understood(profile: Path) -> None:
    load_profile(profile.read_text(encoding="utf-8"))


def test_a_schools_list_from_a_windows_spreadsheet() -> None:
    profile = load_profile((DOCS / "examples" / "assignments.toml").read_text(encoding="utf-8"))
    lines = [
        "Matrícula;Sede;Promoción;Tipo;Inicio;Término",
        "A-17;C.S. Ejemplo;Febrero 2026;B;1/2/2026;31/1/2027",
        "A-18;C.S. Desconocido;Febrero 2026;;1/2/2026;31/1/2027",
    ]
    file = io.BytesIO("\r\n".join(lines).encode("cp1252"))
    first, second = prepare(file, Records.ASSIGNMENTS, profile, layout=UNKNOWN_LAYOUT).rows
    assert (len(first.records), first.problems) == (1, ())
    (problem,) = second.problems
    assert (problem.columns, problem.value, problem.field) == (("Sede",), "C.S. Desconocido", "site")


def test_the_guides_profiles_are_understood() -> None:
    guide = (DOCS / "import.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    whole = blocks[0] + "\n".join(block for block in blocks[1:] if block.startswith("[["))
    load_profile(whole + "\n".join(block for block in blocks[1:] if not block.startswith("[[")))
