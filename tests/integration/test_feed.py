"""``GET /v1/events`` over HTTP: pages, waiting, caches, and what a key changes."""

import asyncio
import json

import asyncpg
import httpx
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from api.streams import streams as shared_streams
from api.streams.envelope import BATCH_MEDIA_TYPE
from tests.integration.test_following import BEHIND, DISCLOSED, ENTRY, INCIDENT, RELEASE, publish, store

FEED = "/v1/events"


async def test_pages_follow_one_another_to_the_checkpoint_and_full_ones_are_kept(
    http: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    await store(pool, *[ENTRY, BEHIND, DISCLOSED] * 3)
    size = await publish(pool)
    await store(pool, ENTRY)
    link, seen = f"{FEED}?after=0&limit=4", []
    while True:
        answer = await http.get(link)
        page = answer.json()
        seen += page["items"]
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert {"Accept", "Authorization"} <= set(answer.headers["vary"].split(", "))
        again = await http.get(link, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        full = len(page["items"]) == 4
        assert ("immutable" in answer.headers["cache-control"]) is full
        if not page["items"]:
            break
        link = answer.links["next"]["url"]
        assert f"after={page['next']}" in link
        assert "limit=4" in link
    assert page["next"] == size
    assert [event["position"] for event in seen] == list(range(size))
    for event in seen:
        assert JSONFormat().read(CloudEvent, json.dumps(event)).get_source() == "//log.example/test"

    batch = await http.get(FEED, headers={"Accept": BATCH_MEDIA_TYPE})
    assert batch.headers["content-type"] == BATCH_MEDIA_TYPE
    assert batch.json() == seen
    assert batch.headers["etag"] != (await http.get(FEED)).headers["etag"]
    assert batch.links["next"]["url"].endswith(f"?after={size}")


async def test_the_end_of_the_log_is_asked_for_again_and_never_taken_for_known(
    http: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    await store(pool, ENTRY)
    await publish(pool)
    first = await http.get(FEED)
    await store(pool, RELEASE)
    await publish(pool)
    second = await http.get(FEED, headers={"If-None-Match": first.headers["etag"]})
    assert second.status_code == 200
    assert len(second.json()["items"]) == 2


async def test_a_wait_ends_with_the_checkpoint_and_not_with_the_event(
    http: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    await store(pool, ENTRY)
    size = await publish(pool)
    waiting = asyncio.ensure_future(http.get(FEED, params={"after": size, "wait": 30}))
    filtered = asyncio.ensure_future(
        http.get(FEED, params={"after": 0, "wait": 30, "types": "release.published"})
    )
    await store(pool, ENTRY)
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await publish(pool)
    assert [event["position"] for event in (await waiting).json()["items"]] == [1]
    assert not filtered.done()
    await store(pool, RELEASE)
    await publish(pool)
    assert [event["type"] for event in (await filtered).json()["items"]] == ["release.published"]
    empty = (await http.get(FEED, params={"after": 3, "wait": 1})).json()
    assert empty == {"items": [], "next": 3}


async def test_filters_come_as_often_as_one_likes_and_say_what_they_accept(
    http: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    await store(pool, ENTRY, DISCLOSED, BEHIND, RELEASE)
    await publish(pool)

    async def positions(*query: tuple[str, str]) -> list[int]:
        answer = await http.get(FEED, params=query)
        return [event["position"] for event in answer.json()["items"]]

    assert await positions(("types", "incident.disclosed"), ("types", "release.published")) == [1, 3]
    assert await positions(("subject", f"incident/{INCIDENT}"), ("types", "entry")) == []
    assert await positions(("subject", f"incident/{INCIDENT}"), ("subject", f"site/{INCIDENT}")) == [1]
    assert await positions(("types", "incident.certainty_set")) == []
    for name, value in (
        ("types", "incident.disclose"),
        ("types", ""),
        ("subject", f"incident/{INCIDENT}".upper()),
        ("subject", "incident/PLANTED"),
        ("after", "-1"),
        ("limit", "501"),
        ("wait", "31"),
        ("positions", "1"),
    ):
        refused = await http.get(FEED, params={name: value})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, f"query.{name}")
        assert "PLANTED" not in refused.text
    assert (await http.get(FEED, headers={"Authorization": "Bearer no"})).status_code == 401


async def test_where_nobody_more_can_wait_one_is_told_when_to_come_back(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_streams, "MAX_STREAMS", 0)
    assert (await http.get(FEED)).status_code == 200
    refused = await http.get(FEED, params={"wait": 1})
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) > 0
