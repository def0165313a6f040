"""Every problem in both languages: which one is for the caller to choose, what it says is the same."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Query
from pydantic import AwareDatetime
from starlette.requests import Request

from api import handlers
from api.problems import INVALID_INPUT, PROBLEMS, FieldError, Problem, ProblemType, answer
from registry import errors
from registry.text import Text

ROOT = Path(__file__).parents[3]

ADVISING = {
    name
    for name, one in vars(errors).items()
    if isinstance(one, type) and issubclass(one, errors.RegistryError)
} | {"Contradiction", "Text"}
"""Whatever is made from a text in both languages, Spanish first."""


def answered(problem: Problem, languages: str | None) -> tuple[dict[str, Any], str]:
    headers = [] if languages is None else [(b"accept-language", languages.encode())]
    response = answer(Request({"type": "http", "method": "GET", "path": "/", "headers": headers}), problem)
    return json.loads(bytes(response.body)), response.headers["content-language"]


@pytest.mark.parametrize("kind", PROBLEMS.values(), ids=PROBLEMS)
def test_each_problem_is_told_in_the_language_asked_for_and_is_the_same_in_both(kind: ProblemType) -> None:
    problem = Problem(
        kind, errors=[FieldError("a.b", Text("Falta.", "Missing."))], extra={"rule": "some-rule"}
    )
    spanish, es = answered(problem, "es-MX, en;q=0.5")
    english, en = answered(problem, "en-GB, es;q=0.5")
    assert (es, en) == ("es", "en")
    assert (spanish["title"], spanish["detail"]) == (kind.title.es, kind.advice.es)
    assert (english["title"], english["detail"]) == (kind.title.en, kind.advice.en)
    assert (spanish["errors"], english["errors"]) == (
        [{"field": "a.b", "detail": "Falta."}],
        [{"field": "a.b", "detail": "Missing."}],
    )
    said = {"title", "detail", "errors"}
    assert {name: value for name, value in spanish.items() if name not in said} == {
        name: value for name, value in english.items() if name not in said
    }


@pytest.mark.parametrize("languages", [None, "", "fr", "*", "es", "nonsense;;q", "en;q=0.3, es;q=0.9"])
def test_spanish_comes_first(languages: str | None) -> None:
    assert answered(Problem(INVALID_INPUT), languages)[1] == "es"


@pytest.mark.parametrize("kind", PROBLEMS.values(), ids=PROBLEMS)
def test_no_problem_type_says_the_same_in_both_languages(kind: ProblemType) -> None:
    for text in (kind.title, kind.advice):
        assert text.es
        assert text.en
        assert text.es != text.en


def texts(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """(line, Spanish, English) of every text that the code spells out, whatever stands in braces left aside."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ADVISING:
            spelt = [spelling(one) for one in node.args]
            told = [one for one in spelt if one is not None]
            if len(told) >= 2:
                yield node.lineno, told[-2], told[-1]


def spelling(node: ast.expr) -> str | None:
    """The words of a string, formatted or not; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    return None


def test_every_refusal_says_what_to_do_in_spanish_and_in_english() -> None:
    found, wrong = 0, []
    for room in ("registry", "projections", "api"):
        for file in sorted((ROOT / room).rglob("*.py")):
            for line, es, en in texts(ast.parse(file.read_text(encoding="utf-8"))):
                found += 1
                if len(es) > 25 and (es == en or not es.strip() or not en.strip()):
                    wrong.append(f"{file.relative_to(ROOT)}:{line}")
    assert found > 300
    assert wrong == []


@pytest.fixture
def parameters() -> FastAPI:
    """An app with every kind of parameter that ours has."""
    app = FastAPI()
    handlers.install(app)

    @app.get("/")
    async def endpoint(
        required: str,
        number: Annotated[int, Query(ge=1, le=9)] = 1,
        flag: bool = False,
        record: UUID | None = None,
        since: AwareDatetime | None = None,
        name: Annotated[str | None, Query(min_length=1, max_length=12, pattern="^[A-Z]{5}[0-9]{6}$")] = None,
    ) -> None: ...

    return app


@pytest.mark.parametrize(
    ("query", "es", "en"),
    [
        ({}, "Falta este parámetro.", "This parameter is missing."),
        ({"number": "PLANTED"}, "Se acepta: un entero.", "Accepted: an integer."),
        ({"number": 0}, "Se acepta: un entero desde 1.", "Accepted: an integer from 1."),
        ({"number": 10}, "Se acepta: un entero hasta 9.", "Accepted: an integer up to 9."),
        ({"flag": "PLANTED"}, "Se acepta: true o false.", "Accepted: true or false."),
        ({"record": "PLANTED"}, "Se acepta: un UUID.", "Accepted: a UUID."),
        ({"since": "PLANTED"}, "Se acepta: una fecha con", "Accepted: a date-time with"),
        ({"since": "2026-01-01T00:00:00"}, "Se acepta: una fecha con", "Accepted: a date-time with"),
        ({"name": ""}, "Se acepta: un texto de al menos 1 ", "Accepted: a string of at least 1 "),
        ({"name": "PLANTED" * 2}, "Se acepta: un texto de hasta 12 ", "Accepted: a string of up to 12 "),
        (
            {"name": "P"},
            "Se acepta: una CLUES, cinco letras mayúsculas y seis dígitos, como «MNSSA000012».",
            "Accepted: a CLUES, five capital letters and six digits, such as “MNSSA000012”.",
        ),
    ],
    ids=str,
)
async def test_a_parameter_is_explained_in_both_languages_without_its_value(
    parameters: FastAPI, query: dict[str, Any], es: str, en: str
) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(parameters), base_url="http://test") as client:
        params = {"required": "x", **query} if query else {}
        for language, expected in (("es", es), ("en", en)):
            response = await client.get("/", params=params, headers={"Accept-Language": language})
            assert response.status_code == 422
            assert response.json()["errors"][0]["detail"].startswith(expected)
            assert "PLANTED" not in response.text
