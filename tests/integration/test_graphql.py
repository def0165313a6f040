"""GraphQL over a database with two published checkpoints: what a journalist asks, and what is refused."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from starlette.datastructures import QueryParams

from api.counts.answer import Backing
from api.graphql.http import MAX_BODY, build_router
from api.streams.streams import Streams
from api.web import questions
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.counting.fold import Fold
from projections.counting.query import read
from projections.models.public_count import PublicCount
from projections.models.waiting import Waiting
from projections.runner import Runner
from registry.log.certificate import CountCertificate, count_key_name
from registry.log.checkpoint import Checkpoint
from registry.log.merkle import root
from registry.log.note import Signer
from tests.events import Leaf, store_leaves

ORIGIN = "register.example/log"
LOG, COUNT = Signer(ORIGIN, b"l" * 32), Signer(count_key_name(ORIGIN), b"c" * 32)
SEALED = {"sealed": "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}


def incident(number: int, state: dict[str, Any], certainty: str = "CONFIRMED", **changes: Any) -> Leaf:
    """An attack on two students, one of whom was killed, in 2020."""
    scope = {"victims": [2, 2, 2], "deaths": [1, 1, 1]}
    id_ = UUID(int=number, version=4)
    public = {
        "incident": str(id_),
        "status": "ACTIVE",
        "merged_into": None,
        "certainty": certainty,
        "disputed": False,
        "class": "ATTACK",
        "reason": None,
        "waived": [],
        "facets": {
            "tally": {"value": {"strict": scope, "broad": scope}},
            "year": {"value": "2020"},
            "state": state,
            "kind": {"value": "ROBBERY"},
            "municipality": SEALED,
            "month": SEALED,
            "sex": SEALED,
        },
        **changes,
    }
    return Leaf("incident.disclosed", public, id_)


LEAVES = [
    Leaf("definition.adopted", {"id": DEFINITION_ID, "sha256": definition_sha256()}),
    incident(1, {"value": "16"}),
    incident(2, {"value": "14"}, "PROBABLE", disputed=True),
    incident(3, SEALED, "POSSIBLE"),
    incident(1, {"value": "16"}, status="RETRACTED", reason="DUPLICATE"),
]


async def publish(pool: asyncpg.Pool) -> None:
    """A checkpoint of everything that is in the store now."""
    hashes = [row["leaf_hash"] for row in await pool.fetch("SELECT leaf_hash FROM events ORDER BY position")]
    tree = root(hashes)
    note = Checkpoint(ORIGIN, len(hashes), tree).sign(LOG)
    await pool.execute(
        "INSERT INTO checkpoints (size, root, note) VALUES ($1, $2, $3)", len(hashes), tree, note
    )


def backing(pool: asyncpg.Pool) -> Backing:
    return Backing.of(pool, (COUNT,), ORIGIN, Streams(pool))


@pytest.fixture
async def client(pool: asyncpg.Pool) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    rests_on = backing(pool)
    app.include_router(build_router(lambda _: rests_on))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture
async def published(pool: asyncpg.Pool) -> None:
    """Checkpoints of size 4 (three incidents) and 5 (one of them retracted)."""
    async with pool.acquire() as connection:
        await store_leaves(connection, LEAVES[:4])
        await publish(pool)
        await store_leaves(connection, LEAVES[4:])
        await publish(pool)
    await Runner(pool, [PublicCount(), Waiting()]).catch_up()


async def ask(client: httpx.AsyncClient, query: str, **variables: Any) -> Any:
    response = await client.post("/graphql", json={"query": query, "variables": variables})
    assert response.status_code == 200, response.text
    return response.json()


async def data(client: httpx.AsyncClient, query: str, **variables: Any) -> Any:
    answer = await ask(client, query, **variables)
    assert "errors" not in answer, answer
    return answer["data"]


async def refusal(client: httpx.AsyncClient, query: str, **variables: Any) -> Any:
    (error,) = (await ask(client, query, **variables))["errors"]
    return error


@pytest.mark.usefixtures("published")
async def test_the_count_as_of_now_and_as_of_before(client: httpx.AsyncClient) -> None:
    fields = "low best high disputed waiting verification unit excluded { reason incidents } asOf { size }"
    answer = await data(client, f"{{ now: count {{ {fields} }} before: count(asOf: 4) {{ {fields} }} }}")

    assert answer["before"] == {
        "low": 1, "best": 2, "high": 3, "disputed": 1, "waiting": 0, "verification": "RECOUNTABLE",
        "unit": "INCIDENTS", "excluded": [], "asOf": {"size": 4},
    }  # fmt: skip
    assert answer["now"] == {
        "low": 0, "best": 1, "high": 2, "disputed": 1, "waiting": 0, "verification": "RECOUNTABLE",
        "unit": "INCIDENTS", "excluded": [{"reason": "RETRACTED", "incidents": 1}], "asOf": {"size": 5},
    }  # fmt: skip


@pytest.mark.usefixtures("published")
async def test_a_table_by_state_shows_what_is_not_disclosed_and_sums_to_its_total(
    client: httpx.AsyncClient,
) -> None:
    answer = await data(
        client,
        "{ counts(groupBy: [STATE], unit: VICTIMISATIONS, asOf: 4) { total { low best high }"
        " rows { key { dimension state value es: label en: label(lang: EN) } low best high } } }",
    )

    table = answer["counts"]
    assert [(row["key"][0]["state"], row["key"][0]["value"]) for row in table["rows"]] == [
        ("KNOWN", "14"),
        ("KNOWN", "16"),
        ("UNDISCLOSED", None),
    ]
    assert [(row["low"], row["best"], row["high"]) for row in table["rows"]] == [
        (0, 2, 2),
        (2, 2, 2),
        (0, 0, 2),
    ]
    assert table["total"] == {"low": 2, "best": 4, "high": 6}
    assert table["rows"][1]["key"][0]["es"] == "Michoacán"
    assert table["rows"][2]["key"][0]["en"] == "Not public yet"


@pytest.mark.usefixtures("published")
async def test_a_certificate_holds_for_whoever_folds_the_leaves(
    client: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    answer = await data(
        client,
        "{ counts(groupBy: [YEAR, STATE], filter: {class: [ATTACK]}, asOf: 4) { certificate total { certificate } } }",
    )

    for note in (answer["counts"]["certificate"], answer["counts"]["total"]["certificate"]):
        certificate = CountCertificate.open(note, COUNT.verifier)
        fold = Fold()
        for row in await pool.fetch(
            "SELECT position, leaf FROM events WHERE position < $1", certificate.size
        ):
            fold.add(row["position"], row["leaf"])
        assert certificate.result == fold.count(read(certificate.query)).canonical()
        assert (certificate.definition, certificate.sha256) == (DEFINITION_ID, definition_sha256())


@pytest.mark.usefixtures("published")
async def test_the_link_in_a_citation_asks_the_same(client: httpx.AsyncClient) -> None:
    answer = await data(
        client,
        '{ counts(groupBy: [STATE], filter: {state: ["14"], period: {from: "2020-01", to: "2020-12"}}) {'
        " certificate citation { url text en: text(lang: EN) } } }",
    )
    citation = answer["counts"]["citation"]
    assert citation["url"].startswith("https://register.example/explorar?")
    assert citation["en"].endswith(citation["url"].replace("/explorar?", "/en/explore?"))
    assert definition_sha256() in citation["text"]
    assert "tamaño 5" in citation["text"]
    assert "size 5" in citation["en"]

    asked = questions.read(QueryParams(urlsplit(citation["url"]).query))
    certificate = CountCertificate.open(answer["counts"]["certificate"], COUNT.verifier)
    assert (asked.query.canonical(), asked.as_of) == (certificate.query, 5)


@pytest.mark.usefixtures("published")
async def test_checkpoints_are_found_by_size_by_time_and_page_by_page(client: httpx.AsyncClient) -> None:
    newest = await data(client, "{ checkpoint { size root note witnesses publishedAt } }")
    assert newest["checkpoint"]["size"] == 5
    assert newest["checkpoint"]["note"].startswith(f"{ORIGIN}\n5\n{newest['checkpoint']['root']}\n")
    assert newest["checkpoint"]["witnesses"] == []

    at = newest["checkpoint"]["publishedAt"]
    assert await data(client, "query ($at: DateTime) { checkpoint(at: $at) { size } }", at=at) == {
        "checkpoint": {"size": 5}
    }

    page = (
        "query ($after: String) { checkpoints(first: 1, after: $after) {"
        " edges { node { size } } pageInfo { hasNextPage endCursor } } }"
    )
    first = (await data(client, page))["checkpoints"]
    second = (await data(client, page, after=first["pageInfo"]["endCursor"]))["checkpoints"]
    assert [edge["node"]["size"] for edge in first["edges"] + second["edges"]] == [5, 4]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ("{ count(asOf: 3) { best } }", "NOT_A_CHECKPOINT", "3"),
        ("{ checkpoint(size: 6) { size } }", "NOT_A_CHECKPOINT", "5"),
        ('{ checkpoint(at: "2001-01-01T00:00:00Z") { size } }', "NOT_PUBLISHED_YET", "2001"),
        ('{ checkpoint(at: "2001-01-01T00:00:00") { size } }', "INVALID_QUERY", "zone"),
        ('{ checkpoint(at: "9999-12-31T23:59:59-23:59") { size } }', "INVALID_QUERY", "calendar"),
        ('{ checkpoint(at: "0001-01-01T00:00:00+23:59") { size } }', "INVALID_QUERY", "calendar"),
        ('{ count(filter: {state: ["33"]}) { best } }', "INVALID_QUERY", "Accepted: 01, 02"),
        ('{ count(filter: {kind: []}) { best } }', "INVALID_QUERY", "filter.kind is empty"),
        ('{ count(filter: {period: {from: "2020-13", to: "2020-12"}}) { best } }', "INVALID_QUERY", "2020-04"),
        ("{ counts(groupBy: [SEX]) { total { best } } }", "INVALID_QUERY", "DEATHS"),
        ("{ counts(groupBy: []) { total { best } } }", "INVALID_QUERY", "groupBy"),
        ('{ checkpoints(after: "x") { edges { cursor } } }', "INVALID_QUERY", "endCursor"),
        ("{ checkpoints(first: 201) { edges { cursor } } }", "INVALID_QUERY", "200"),
    ],
)  # fmt: skip
async def test_a_question_that_has_no_answer_is_told_why(
    client: httpx.AsyncClient, query: str, code: str, words: str
) -> None:
    error = await refusal(client, query)

    assert error["extensions"]["code"] == code
    assert words in error["message"]


@pytest.mark.usefixtures("published")
async def test_a_size_between_checkpoints_names_the_nearest_lower_one(client: httpx.AsyncClient) -> None:
    assert (await refusal(client, "{ count(asOf: 6) { best } }"))["extensions"]["nearest"] == 5
    assert (await refusal(client, "{ count(asOf: 3) { best } }"))["extensions"]["nearest"] is None


async def test_before_the_first_checkpoint_there_is_nothing_to_cite(client: httpx.AsyncClient) -> None:
    assert (await refusal(client, "{ count { best } }"))["extensions"]["code"] == "NOT_PUBLISHED_YET"


async def test_a_checkpoint_that_the_read_model_does_not_cover_is_not_answered(
    client: httpx.AsyncClient, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.counts.counts.CATCH_UP_SECONDS", 0.1)
    async with pool.acquire() as connection:
        await store_leaves(connection, LEAVES[:1])
    await publish(pool)

    assert (await refusal(client, "{ count { best } }"))["extensions"]["code"] == "CATCHING_UP"


async def test_errors_of_our_own_tell_nothing(client: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    await pool.execute("ALTER TABLE checkpoints RENAME TO elsewhere")

    error = await refusal(client, "{ checkpoint { size } }")

    assert error["extensions"] == {"code": "INTERNAL_ERROR"}
    assert "checkpoints" not in error["message"]


@pytest.mark.parametrize(
    "query",
    [
        "{ " + " ".join(f"a{n}: checkpoint {{ size }}" for n in range(31)) + " }",
        "{ " + "checkpoint { size } " * 600 + "}",
        "{ __typename "
        + "... { " * 11
        + "checkpoint { size }"
        + " }" * 11
        + " }"
        + "fragment F on Query { ...F }",
    ],
)
async def test_documents_beyond_the_limits_are_refused(client: httpx.AsyncClient, query: str) -> None:
    answer = await ask(client, query)

    assert answer["errors"]
    assert not answer.get("data")


async def test_requests_that_are_not_graphql_are_refused(client: httpx.AsyncClient) -> None:
    post = client.post
    assert (await post("/graphql", content=b"{}", headers={"content-type": "text/plain"})).status_code == 415
    assert (
        await post("/graphql", content=b"[]", headers={"content-type": "application/json"})
    ).status_code == 400
    assert (
        await post("/graphql", content=b"\xff", headers={"content-type": "application/json"})
    ).status_code == 400
    assert (await post("/graphql", json={"query": 1})).status_code == 400
    assert (await post("/graphql", json={"query": " " * MAX_BODY})).status_code == 413


async def test_get_asks_and_never_answers_with_a_page(client: httpx.AsyncClient) -> None:
    asked = await client.get("/graphql", params={"query": "{ __typename }"})
    assert asked.json() == {"data": {"__typename": "Query"}}

    bare = await client.get("/graphql", headers={"accept": "text/html"})
    assert bare.status_code == 400
    assert "text/html" not in bare.headers["content-type"]


async def test_the_media_type_of_the_draft_tells_what_was_not_executed(client: httpx.AsyncClient) -> None:
    new = {"accept": "application/graphql-response+json"}

    good = await client.post("/graphql", json={"query": "{ __typename }"}, headers=new)
    bad = await client.post("/graphql", json={"query": "{ nothing }"}, headers=new)
    older = await client.post("/graphql", json={"query": "{ nothing }"})

    assert (good.status_code, bad.status_code, older.status_code) == (200, 400, 200)
    assert good.headers["content-type"].startswith("application/graphql-response+json")
    assert "data" not in bad.json()


async def test_of_two_operations_one_must_be_named(client: httpx.AsyncClient) -> None:
    new = {"accept": "application/graphql-response+json"}
    document = "query A { __typename } query B { __typename }"

    unnamed = await client.post("/graphql", json={"query": document}, headers=new)
    named = await client.post("/graphql", json={"query": document, "operationName": "B"}, headers=new)
    unknown = await client.post("/graphql", json={"query": document, "operationName": "C"}, headers=new)

    assert (unnamed.status_code, named.status_code, unknown.status_code) == (400, 200, 400)
    assert "Must provide operation name" in unnamed.json()["errors"][0]["message"]
    assert "Unknown operation named 'C'" in unknown.json()["errors"][0]["message"]


async def test_several_requests_in_one_body_are_refused(client: httpx.AsyncClient) -> None:
    batch = [{"query": "{ __typename }"}] * 2
    answer = await client.post("/graphql", json=batch)
    assert answer.status_code == 400
    assert "lists of requests" in answer.json()["errors"][0]["message"]


@pytest.mark.usefixtures("published")
async def test_a_question_beyond_the_budget_is_told_its_cost_and_the_limit(client: httpx.AsyncClient) -> None:
    query = (
        "query ($first: Int) { incidents(first: $first) { edges { node { facets { value }"
        " history { effect { low } } } } } }"
    )
    error = await refusal(client, query, first=200)
    assert error["extensions"]["code"] == "TOO_EXPENSIVE"
    assert error["extensions"]["cost"] > error["extensions"]["limit"] == 10_000
    assert str(error["extensions"]["cost"]) in error["message"]
    await data(client, query, first=100)

    doubling = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(150))
    nested = f"{{ ...F0 }} {doubling} fragment F150 on Query {{ __typename }}"
    assert (await data(client, nested)) == {"__typename": "Query"}


@pytest.mark.usefixtures("published")
async def test_what_is_pinned_is_kept_for_ever_and_the_rest_is_asked_for_again(
    client: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    async def get(query: str, tag: str = "", **variables: Any) -> httpx.Response:
        asked = {"query": query, "variables": json.dumps(variables)}
        return await client.get("/graphql", params=asked, headers={"if-none-match": tag} if tag else {})

    pinned = await get("query ($n: LogSize) { count(asOf: $n) { best asOf { root } } }", n=4)
    assert pinned.headers["cache-control"] == "public, max-age=31536000, immutable"
    latest = await get("{ count { best } }")
    assert latest.headers["cache-control"] == "public, max-age=0, must-revalidate"
    renewed = await get("{ count(asOf: 4) { asOf { note } } }")
    assert "must-revalidate" in renewed.headers["cache-control"]
    wrong = await get("{ count(asOf: 3) { best } }")
    assert wrong.headers["cache-control"] == "no-store"
    assert "etag" not in wrong.headers
    posted = await client.post("/graphql", json={"query": "{ count(asOf: 4) { best } }"})
    assert posted.headers["cache-control"] == "no-store"

    same = await get(
        "query ($n: LogSize) { count(asOf: $n) { best asOf { root } } }", pinned.headers["etag"], n=4
    )
    other = await get(
        "query ($n: LogSize) { count(asOf: $n) { best asOf { root } } }", pinned.headers["etag"], n=5
    )
    assert (same.status_code, same.content, other.status_code) == (304, b"", 200)
    assert (await get("{ count { best } }", latest.headers["etag"])).status_code == 304
    async with pool.acquire() as connection:
        await store_leaves(connection, [incident(9, {"value": "01"})])
        await publish(pool)
    await Runner(pool, [PublicCount(), Waiting()]).catch_up()
    assert (await get("{ count { best } }", latest.headers["etag"])).json() == {
        "data": {"count": {"best": 2}}
    }


async def test_a_subscription_is_not_answered_as_a_query(client: httpx.AsyncClient) -> None:
    subscription = "subscription { count { best } }"
    assert (await client.get("/graphql", params={"query": subscription})).status_code == 405
    assert (await client.post("/graphql", json={"query": subscription})).status_code == 400
    assert (await client.put("/graphql", json={"query": "{ __typename }"})).status_code == 405
