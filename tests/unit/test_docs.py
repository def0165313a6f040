"""The documents keep up with the program: what they name exists, what they quote is said."""

import re
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from api.cli import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
COMMANDS = typer.main.get_command(app)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_links_to_exists(document: Path) -> None:
    linked = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    assert [path for path in linked if not (document.parent / path).exists()] == []


def test_the_index_names_every_document() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    names = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert {name for name in names if f"]({name})" not in index} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_a_document_gives_is_one_of_the_program(document: Path) -> None:
    assert isinstance(COMMANDS, TyperGroup)
    text = document.read_text(encoding="utf-8")
    given = set(re.findall(r"(?:^|`|bin/)constancia ([a-z]+)", text, re.MULTILINE))
    assert given - COMMANDS.commands.keys() == set()


def test_every_room_that_the_architecture_names_exists() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:registry|projections|api|tests|alembic)/[\w/.]+)`", text)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_refusal_that_operators_are_told_about_is_said_by_the_program() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8")
        for room in ("registry", "api", "projections")
        for path in (ROOT / room).rglob("*.py")
    )
    # Texts stand over several lines there, with what they name in braces.
    said = re.sub(r"\{[^{}]*\}", "…", re.sub(r'"\s*\n\s*f?"', "", sources)).lower()
    table = OPERATING[OPERATING.index("| it says |") :]
    quoted = [quote for line in re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for quote in _quotes(line)]
    assert len(quoted) > 8
    assert [quote for quote in quoted if quote.lower() not in said] == []


def _quotes(cell: str) -> list[str]:
    return [quote.strip(" …") for quote in re.findall(r'"([^"]+)"', cell)]
