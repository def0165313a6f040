"""Incidents and changes over GraphQL: page by page, as of any checkpoint, with what each change did to the totals."""

# ruff: noqa: F811 - fixtures of the neighbouring module are arguments here

from collections import Counter
from typing import Any

import asyncpg
import httpx
import pytest
from graphql import execute

from api.graphql import asking
from api.graphql.documents import prepare, syntax
from api.graphql.executor import PlainExecutor
from api.graphql.schema import SCHEMA
from projections.models import changes
from tests.integration.test_graphql import (  # noqa: F401
    LEAVES,
    backing,
    client,
    data,
    published,
    refusal,
)

pytestmark = pytest.mark.usefixtures("published")

PAGE = (
    "query ($after: String, $filter: CountFilter, $asOf: LogSize) {"
    " incidents(first: 2, after: $after, filter: $filter, asOf: $asOf) { totalCount"
    " edges { node { id class status certainty disputed mergedInto facets { name state value }"
    " history { position field old new reason effect { unit nexus low best high } } } }"
    " pageInfo { hasNextPage endCursor } } }"
)


async def pages(client: httpx.AsyncClient, query: str, field: str, **variables: Any) -> list[Any]:
    """The nodes of all pages."""
    nodes: list[Any] = []
    after: str | None = None
    while True:
        page = (await data(client, query, after=after, **variables))[field]
        nodes += [edge["node"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return nodes


async def test_incidents_come_page_by_page_each_once_and_as_of_before(client: httpx.AsyncClient) -> None:
    now, before = await pages(client, PAGE, "incidents"), await pages(client, PAGE, "incidents", asOf=4)
    ids = sorted(str(leaf.stream) for leaf in LEAVES[1:4])
    assert [node["id"] for node in now] == [node["id"] for node in before] == ids
    assert [node["status"] for node in before] == ["ACTIVE"] * 3
    assert sorted(node["status"] for node in now) == ["ACTIVE", "ACTIVE", "RETRACTED"]
    facets = {facet["name"]: (facet["state"], facet["value"]) for facet in before[0]["facets"]}
    assert facets["year"] == ("KNOWN", '"2020"')
    assert facets["month"] == ("UNDISCLOSED", None)
    assert (await data(client, PAGE))["incidents"]["totalCount"] == 3


async def test_a_filter_lists_those_whose_open_facets_prove_that_they_belong(
    client: httpx.AsyncClient,
) -> None:
    (one,) = await pages(client, PAGE, "incidents", filter={"state": ["14"]})
    assert (one["certainty"], one["disputed"]) == ("PROBABLE", True)
    assert (await data(client, PAGE, filter={"state": ["14"]}))["incidents"]["totalCount"] == 1


async def test_the_histories_of_a_list_are_read_by_one_statement(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    histories = changes.histories

    async def counted(connection: Any, incidents: Any, size: int) -> Any:
        read.append(len(incidents))
        return await histories(connection, incidents, size)

    monkeypatch.setattr(changes, "histories", counted)
    page = (await data(client, PAGE.replace("first: 2", "first: 50")))["incidents"]
    assert read == [3]
    (retracted,) = [edge["node"] for edge in page["edges"] if edge["node"]["status"] == "RETRACTED"]
    assert [change["field"] for change in retracted["history"]] == ["incident", "status"]
    assert retracted["history"][1]["reason"] == "DUPLICATE"


async def test_one_incident_is_found_by_its_id_as_of_when_it_was_disclosed(
    client: httpx.AsyncClient,
) -> None:
    query = "query ($id: ID!, $asOf: LogSize) { incident(id: $id, asOf: $asOf) { status } }"
    incident = str(LEAVES[1].stream)
    assert (await data(client, query, id=incident))["incident"] == {"status": "RETRACTED"}
    assert (await data(client, query, id=incident, asOf=4))["incident"] == {"status": "ACTIVE"}
    for unknown in ("no id", "00000000-0000-4000-8000-0000000000ff"):
        assert (await data(client, query, id=unknown))["incident"] is None
    assert (await refusal(client, query, id=incident, asOf=3))["extensions"]["code"] == "NOT_A_CHECKPOINT"


async def test_changes_account_for_the_difference_of_two_counts(client: httpx.AsyncClient) -> None:
    query = (
        "query ($from: LogSize!, $to: LogSize!, $after: String) {"
        " changes(from: $from, to: $to, first: 1, after: $after) {"
        " edges { node { position recorded incident field old new reason effect { unit nexus low best high } } }"
        " pageInfo { hasNextPage endCursor } } }"
    )
    (retraction,) = await pages(client, query, "changes", **{"from": 4, "to": 5})
    assert retraction["position"] == 4
    assert (retraction["field"], retraction["old"], retraction["new"]) == ("status", "ACTIVE", "RETRACTED")
    assert {"unit": "DEATHS", "nexus": "STRICT", "low": -1, "best": -1, "high": -1} in retraction["effect"]

    moved: Counter[str] = Counter()
    for change in await pages(client, query, "changes", **{"from": 0, "to": 5}):
        for effect in change["effect"]:
            if (effect["unit"], effect["nexus"]) == ("INCIDENTS", "STRICT"):
                moved.update({name: effect[name] for name in ("low", "best", "high")})
    assert dict(moved) == (await data(client, "{ count { low best high } }"))["count"]

    assert (await refusal(client, query, **{"from": 5, "to": 4}))["extensions"]["field"] == "from"
    assert (await refusal(client, query, **{"from": 3, "to": 5}))["extensions"]["code"] == "NOT_A_CHECKPOINT"


DOCUMENTS = [
    PAGE.replace("first: 2", "first: 50"),
    "{ __typename count { unit low asOf { publishedAt size } excluded { reason label en: label(lang: EN) } } }",
    "{ counts(groupBy: [STATE, YEAR]) { rows { __typename key { dimension state value label } low } total { best } } }",
    "{ changes(from: 0, to: 5) { edges { node { ...all } } } } fragment all on Change { old new effect { unit } }",
    "{ checkpoints { edges { node { size witnesses note root } } pageInfo { endCursor } } }",
    "{ count(asOf: 3) { best } checkpoint { size } }",
    "{ incidents { edges @skip(if: true) { cursor } pageInfo { hasNextPage } } }",
    "{ __schema { queryType { name fields { name } } } }",
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=range(len(DOCUMENTS)))
async def test_the_short_way_answers_as_graphql_core_does(pool: asyncpg.Pool, document: str) -> None:
    prepared = prepare(document)
    answers = []
    for executor in (PlainExecutor, None):
        result: Any = execute(
            SCHEMA,
            syntax(prepared),
            context_value=asking.Asking(backing(pool)),
            variable_values={},
            executor_class=executor,
        )
        answers.append((await result if hasattr(result, "__await__") else result).formatted)
    assert answers[0] == answers[1]
    assert list(answers[0]["data"] or ()) == list(answers[1]["data"] or ())
