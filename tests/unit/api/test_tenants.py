"""What belongs to one institution is asked for as one institution: held for every route, every query, every read.

Three nets, because each has holes of its own: a route must pass the door with its scopes and hand on who passed; a
query of a table that has an owner must name the owner; code behind a route that reaches for events must know who asks.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from api.auth.scopes import REQUIRED, Scope
from registry.sql import parse_queries

ROOT = Path(__file__).parents[3]
ROOMS = ("registry", "projections", "api")

OWNERS = ("institution", "owner", "requested_by")
"""Columns that say whose a row is."""

EVERYBODYS = "-- Every institution's:"
"""How a query says that it is meant to see all, and why that is right."""


def owned_tables() -> set[str]:
    """Tables with a column that says whose a row is, without their schemas."""
    found = set()
    for script in sorted((ROOT / "alembic" / "versions").glob("*.sql")):
        tables = re.findall(
            r"CREATE TABLE ([\w.]+) \((.*?)\n\)", script.read_text(encoding="utf-8"), re.DOTALL
        )
        for name, columns in tables:
            if re.search(rf"^\s+({'|'.join(OWNERS)})\s", columns, re.MULTILINE):
                found.add(name.rpartition(".")[2])
    return found


def queries() -> Iterator[tuple[str, str]]:
    """(where, SQL) of every named query of the program."""
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.sql")):
            for name, sql in parse_queries(file.read_text(encoding="utf-8"), source=str(file)).items():
                yield f"{file.relative_to(ROOT)}: {name}", sql


def reads_without_owner(sql: str, tables: set[str]) -> bool:
    """Whether a query looks into a table of many owners without naming one, and does not say why."""
    code = re.sub(r"--.*$", "", sql, flags=re.MULTILINE)
    touched = {name.rpartition(".")[2] for name in re.findall(r"\b(?:FROM|JOIN|UPDATE)\s+([\w.]+)", code)}
    if touched.isdisjoint(tables) or EVERYBODYS in sql:
        return False
    return re.search(rf"\b({'|'.join(OWNERS)})\s*=", code) is None


def test_every_query_of_an_owned_table_names_the_owner_or_says_why_not() -> None:
    tables = owned_tables()
    assert {"api_keys", "private_reads", "source_records", "streams", "subject_requests"} <= tables
    assert [where for where, sql in queries() if reads_without_owner(sql, tables)] == []


@pytest.mark.parametrize(
    ("sql", "caught"),
    [
        ("SELECT * FROM records.streams WHERE noun = $1", True),
        ("SELECT * FROM other JOIN streams USING (id)", True),
        ("UPDATE streams SET x = 1 WHERE id = $1", True),
        ("SELECT * FROM streams WHERE institution = $1", False),
        ("SELECT * FROM streams s WHERE s.owner = $1", False),
        ("-- institution = $1\nSELECT * FROM streams", True),
        (f"{EVERYBODYS} a test.\nSELECT * FROM streams", False),
        ("INSERT INTO streams (id) VALUES ($1)", False),
        ("SELECT * FROM elsewhere", False),
    ],
)
def test_the_net_catches_what_it_should(sql: str, caught: bool) -> None:
    assert reads_without_owner(sql, {"streams"}) is caught


def test_no_sql_hides_in_the_code() -> None:
    found = []
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    tables = re.findall(r"\b(?:FROM|JOIN|UPDATE)\s+([a-z_.]+)", node.value)
                    if {name.rpartition(".")[2] for name in tables} & owned_tables():
                        found.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def callers(dependant: Dependant) -> Iterator[frozenset[Scope]]:
    """The scopes that the doors of a route accept."""
    for one in dependant.dependencies:
        if getattr(one.call, "__qualname__", "") == "requires.<locals>.caller" and callable(one.call):
            yield inspect.getclosurevars(one.call).nonlocals["accepted"]
        yield from callers(one)


SAME_FOR_ALL = {"/v1/places"}
"""What is answered is public, whoever asks: the door is all that is needed."""


def test_every_route_has_its_door_and_hands_on_who_passed(app: FastAPI) -> None:
    checked = set()
    for route in iter_route_contexts(app.routes):
        if route.path is None or not route.path.startswith("/v1/"):
            continue
        for method in route.methods or ():
            scopes = REQUIRED[method, route.path]
            assert list(callers(route.dependant)) == [scopes], (method, route.path)
            if scopes != {Scope.ADMIN} and route.path not in SAME_FOR_ALL:
                assert uses_actor(route.endpoint), (method, route.path)
            checked.add((method, route.path))
    assert checked == set(REQUIRED)


def uses_actor(endpoint: Callable[..., Any] | None) -> bool:
    """Whether an endpoint takes who passed, and does something with it."""
    assert endpoint is not None
    body = ast.parse(textwrap.dedent(inspect.getsource(endpoint)))
    return any(
        isinstance(node, ast.Name) and node.id == "actor" and isinstance(node.ctx, ast.Load)
        for node in ast.walk(body)
    )


READS = {"read_stream", "events", "at", "private_parts", "source_records_named", "unseal", "listed"}
"""Ways to events and to lists of records that know nothing of who asks."""

PUBLIC = {"api/cli", "api/demo"}
"""Rooms that nobody reaches over HTTP."""


def test_whatever_reaches_for_records_behind_a_route_knows_who_asks() -> None:
    found = []
    for file in sorted((ROOT / "api").rglob("*.py")):
        where = str(file.relative_to(ROOT))
        if not where.startswith(tuple(PUBLIC)):
            found += [f"{where}:{line}" for line in blind_reads(ast.parse(file.read_text(encoding="utf-8")))]
    assert found == []


def blind_reads(tree: ast.AST, *, knows: bool = False) -> Iterator[int]:
    """The lines that read records in a function that is not told who asks, nor stands in one that is."""
    for node in ast.iter_child_nodes(tree):
        within = knows
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            within = knows or any(
                argument.arg == "actor" for argument in node.args.args + node.args.kwonlyargs
            )
        if isinstance(node, ast.Call) and not knows:
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in READS:
                yield node.lineno
        yield from blind_reads(node, knows=within)
