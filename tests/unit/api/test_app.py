"""The app as a whole, without anything behind it: every door locked, every problem documented, nothing told."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import jsonschema
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from openapi_spec_validator import validate

from api.auth.scopes import KEYLESS, REQUIRED, Scope
from api.problems import PROBLEMS, Problem, from_error
from api.rest.examples import EXAMPLES
from registry import errors

ROOT = Path(__file__).parents[3]


@pytest.fixture
def endpoints(app: FastAPI) -> list[tuple[str, str]]:
    found = []
    for context in iter_route_contexts(app.routes):
        path = context.path
        if path is not None and path.startswith("/v1/"):
            found += [(method, path) for method in context.methods or ()]
    return sorted(found)


def client(app: FastAPI, key: str | None = None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers)


def test_every_endpoint_has_its_scopes_declared_and_nothing_else_has(
    endpoints: list[tuple[str, str]],
) -> None:
    assert endpoints == sorted(REQUIRED)


def test_no_endpoint_is_open_to_nobody() -> None:
    assert all(scopes <= frozenset(Scope) and scopes for scopes in REQUIRED.values())


async def test_every_endpoint_asks_for_a_key_and_for_one_of_its_scopes(
    app: FastAPI, endpoints: list[tuple[str, str]]
) -> None:
    for method, path in endpoints:
        address = path.replace("{id}", str(uuid4())).replace("{position}", "0")
        if (method, path) not in KEYLESS:
            async with client(app) as anybody:
                assert (await anybody.request(method, address)).status_code == 401, (method, path)
        others = frozenset(Scope) - REQUIRED[method, path]
        async with client(app, ",".join(others) or "nothing") as stranger:
            response = await stranger.request(method, address)
            assert response.status_code == 403, (method, path)
            assert set(response.json()["scope"].split()) == REQUIRED[method, path]


async def test_the_description_is_valid_openapi_and_needs_nothing_from_elsewhere(app: FastAPI) -> None:
    async with client(app) as anybody:
        document = (await anybody.get("/openapi.json")).json()
    validate(document)
    assert "HTTPValidationError" not in str(document)
    assert (
        document["paths"]["/v1/incidents/{id}/certainty"]["post"]["operationId"]
        == "post_v1_incidents_id_certainty"
    )
    assert "http://" not in str(document["components"])


async def test_every_example_is_valid_against_the_schema_beside_it(app: FastAPI) -> None:
    document = app.openapi()
    seen = set()
    for path, operations in document["paths"].items():
        body = (
            operations.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        )
        if "example" in body:
            jsonschema.validate(body["example"], {**body["schema"], "components": document["components"]})
            seen.add(path)
    assert seen == set(EXAMPLES)


async def test_every_tag_is_described_and_used(app: FastAPI) -> None:
    document = app.openapi()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert {tag["name"] for tag in document["tags"]} == {tag for each in operations for tag in each["tags"]}


async def test_every_operation_under_v1_says_that_it_needs_a_key(app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        for operation in operations.values():
            assert ("security" in operation) == path.startswith("/v1/"), path


@pytest.fixture
def log_of_errors(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.WARNING, "httpx"), caplog.at_level(logging.INFO, "constancia"):
        yield caplog


async def test_an_unexpected_error_tells_its_number_and_no_word_of_it(
    app: FastAPI, log_of_errors: pytest.LogCaptureFixture
) -> None:
    async with client(app) as anybody:
        response = await anybody.get("/log/checkpoint?source=PLANTED")
    assert response.status_code == 500
    assert response.json()["code"] == "internal-error"
    assert response.json()["instance"] in log_of_errors.text
    assert "RuntimeError at" in log_of_errors.text
    assert "GET /log/checkpoint 500" in log_of_errors.text
    for secret in ("curp", "AAAA", "PLANTED"):
        assert secret not in response.text
        assert secret not in log_of_errors.text


async def test_a_reader_is_told_of_an_unexpected_error_by_a_page(
    app: FastAPI, log_of_errors: pytest.LogCaptureFixture
) -> None:
    async with client(app) as anybody:
        response = await anybody.get("/en/method?source=PLANTED", headers={"accept": "text/html"})
    assert (response.status_code, response.headers["content-type"]) == (500, "text/html; charset=utf-8")
    (number,) = re.findall(r"urn:uuid:[0-9a-f-]+", response.text)
    assert number in log_of_errors.text
    for secret in ("curp", "AAAA", "PLANTED"):
        assert secret not in response.text + log_of_errors.text


async def test_metrics_from_elsewhere_need_the_administrator(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as stranger:
        assert (await stranger.get("/metrics")).status_code == 401
        admin = {"Authorization": "Bearer admin"}
        assert (await stranger.get("/metrics", headers=admin)).status_code == 200


async def test_the_log_names_every_endpoint_by_its_path(
    app: FastAPI, log_of_errors: pytest.LogCaptureFixture
) -> None:
    async with client(app) as anybody:
        await anybody.post("/graphql", json={"query": "{ __typename }"})
        await anybody.get("/healthz")
    for line in ("POST /graphql 200", "GET /healthz 200"):
        assert line in log_of_errors.text


async def test_an_unknown_path_or_method_makes_no_new_label(app: FastAPI) -> None:
    async with client(app) as anybody:
        await anybody.get("/PLANTED-PATH")
        await anybody.request("PLANTED-METHOD", "/healthz")
        figures = (await anybody.get("/metrics")).text
    assert "PLANTED" not in figures
    assert 'route="unmatched"' in figures


EXAMPLE_ERRORS: list[tuple[errors.RegistryError, int, str]] = [
    (errors.InvalidInput("when.latest", "a", "b"), 422, "invalid-input"),
    (errors.NotFound("a", "b"), 404, "not-found"),
    (errors.NotAllowed("a", "b"), 403, "not-allowed"),
    (errors.RuleViolated("some-rule", "a", "b"), 409, "rule-violated"),
    (errors.VersionConflict(uuid4()), 412, "version-conflict"),
    (errors.IdempotencyKeyReused(), 422, "idempotency-key-reused"),
    (errors.SourceRecordDiffers("report", uuid4()), 409, "source-record-differs"),
    (errors.Erased(), 410, "erased"),
    (errors.StoreUnavailable("a", "b"), 503, "unavailable"),
]


@pytest.mark.parametrize(
    ("error", "status", "slug"), EXAMPLE_ERRORS, ids=lambda value: str(type(value).__name__)
)
def test_each_error_of_the_register_has_its_problem(
    error: errors.RegistryError, status: int, slug: str
) -> None:
    problem = from_error(error)
    assert isinstance(problem, Problem)
    assert (problem.kind.status, problem.kind.slug) == (status, slug)


def test_what_is_the_operator_s_business_is_no_problem_of_the_caller() -> None:
    for error in (errors.UnknownEvent("x"), errors.StartRefused("a", "b"), errors.MalformedLog("a", "b")):
        assert from_error(error) is None


def test_problems_carry_what_a_program_needs_to_go_on() -> None:
    differs = from_error(errors.SourceRecordDiffers("report", stream := uuid4()))
    assert differs is not None
    assert differs.extra == {"existing": f"/v1/reports/{stream}"}
    rule = from_error(errors.RuleViolated("some-rule", "a", "b"))
    assert rule is not None
    assert rule.extra == {"rule": "some-rule"}
    away = from_error(errors.StoreUnavailable("a", "b"))
    assert away is not None
    assert int(away.headers["Retry-After"]) > 0


def test_every_problem_type_and_every_endpoint_is_in_the_documentation() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for kind in PROBLEMS.values():
        assert f"| `{kind.slug}` | {kind.status} |" in page
    for method, path in REQUIRED:
        assert f"`{method} {path}`" in page, (method, path)
    for scope in Scope:
        assert f"`{scope}`" in page
