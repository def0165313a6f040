"""Webhooks over HTTP: refused with what to do about it, answered again as the first time, tried out at will."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from api.auth.scopes import Scope
from api.delivery.webhooks import testing
from api.delivery.webhooks.registrations import MOST_ENDPOINTS
from tests.integration.rest import Institution
from tests.integration.webhooks.conftest import World, until
from tests.integration.webhooks.receiver import receiving, silence, status

PATH = "/v1/webhooks"
ENDPOINT = {"url": "https://hook.example/"}


async def test_what_is_no_endpoint_is_refused_by_its_field(world: World) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"url": "http://127.0.0.1/"}, "url"),
        ({"url": "https://user:secret@hook.example/"}, "url"),
        ({"url": "x" * 3_000}, "url"),
        ({**ENDPOINT, "types": ["incident.secret"]}, "types[0]"),
        ({**ENDPOINT, "secret": "whsec_x"}, ""),
        ({}, "url"),
    ]
    for body, field in cases:
        refused = await world.integrator.post(PATH, body, Accept_Language="es")
        assert refused.status_code == 422
        assert [one["field"] for one in refused.json()["errors"]] == [field]
        assert "secret" not in refused.text


async def test_an_institution_has_so_many_and_pages_through_them(
    world: World, join: Callable[..., Any]
) -> None:
    other = await join(Scope.WEBHOOKS_MANAGE)
    await world.register("https://hook.example/", by=other)
    made = {(await world.register(f"https://hook.example/{n}"))["id"] for n in range(MOST_ENDPOINTS)}
    refused = await world.integrator.post(PATH, ENDPOINT)
    assert (refused.status_code, refused.json()["rule"]) == (409, "too-many-webhooks")
    found: set[str] = set()
    after: dict[str, str] = {}
    while True:
        page = (await world.integrator.get(PATH, limit=4, **after)).json()
        found |= {one["id"] for one in page["items"]}
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == made


async def test_requests_at_once_take_turns_and_wait_for_nobody_without_end(world: World) -> None:
    # More of them than the pool has connections.
    async with asyncio.timeout(30):
        made = await asyncio.gather(*(world.integrator.post(PATH, ENDPOINT) for _ in range(30)))
    assert sorted(one.status_code for one in made) == [201] * MOST_ENDPOINTS + [409] * (30 - MOST_ENDPOINTS)
    own = f"{PATH}/{next(one.json()['id'] for one in made if one.status_code == 201)}"
    async with asyncio.timeout(30):
        rotated = await asyncio.gather(*(world.integrator.post(f"{own}/rotate", {}) for _ in range(4)))
        replayed = await asyncio.gather(
            *(world.integrator.post(f"{own}/replay", {"after": 0}) for _ in range(30))
        )
    assert {one.status_code for one in (*rotated, *replayed)} == {201}
    assert len({one.json()["secret"] for one in rotated}) == 4
    page = await world.integrator.get(f"{own}/attempts", after=2**53 - 1)
    assert (page.status_code, page.json()) == (200, {"items": [], "next": None})


async def test_the_same_request_is_answered_as_the_first_time_and_another_is_refused(
    world: World, join: Callable[..., Any]
) -> None:
    async def twice(by: Institution, path: str, body: dict[str, Any]) -> dict[str, Any]:
        key = f"key of {path}".replace(" ", "-")
        first, second = await asyncio.gather(*(by.post(path, body, Idempotency_Key=key) for _ in range(2)))
        assert first.status_code == second.status_code == 201, (first.text, second.text)
        assert first.content == second.content
        assert [one.headers.get("idempotency-replayed") for one in (first, second)].count("true") == 1
        differs = await by.post(path, {**body, "url": "https://other.example/"}, Idempotency_Key=key)
        assert differs.status_code == 422
        answer: dict[str, Any] = first.json()
        return answer

    async with receiving() as receiver:
        made = await twice(world.integrator, PATH, {"url": receiver.url})
        own = f"{PATH}/{made['id']}"
        rotated = await twice(world.integrator, f"{own}/rotate", {})
        tested = await twice(world.integrator, f"{own}/test", {})
        replayed = await twice(world.integrator, f"{own}/replay", {"after": 0})
    assert await world.pool.fetchval("SELECT count(*) FROM webhooks") == 1
    assert await world.pool.fetchval("SELECT max(number) FROM webhook_secrets") == 2
    assert len(receiver.requests) == 1
    Webhook(rotated["secret"]).verify(receiver.requests[0].body, receiver.requests[0].headers)
    assert (tested["status"], replayed["position"]) == (204, 0)

    # Another key's Idempotency-Keys are its own. After a deletion, nothing is left to answer with.
    other = await join(Scope.WEBHOOKS_MANAGE)
    assert (await twice(other, PATH, {"url": receiver.url}))["id"] != made["id"]
    assert (await world.integrator.delete(own)).status_code == 204
    gone = await world.integrator.post(PATH, {"url": receiver.url}, Idempotency_Key=f"key-of-{PATH}")
    assert (gone.status_code, gone.json()["code"]) == (410, "erased")


async def test_a_test_that_was_broken_off_may_be_repeated_after_a_minute(world: World) -> None:
    async with receiving() as receiver:
        own = f"{PATH}/{(await world.register(receiver.url))['id']}/test"
        receiver.answer = silence
        broken = asyncio.create_task(world.integrator.post(own, {}, Idempotency_Key="k"))
        await until(lambda: receiver.requests)
        broken.cancel()
        await asyncio.wait([broken])
        receiver.accept()
        await world.pool.execute("UPDATE webhook_requests SET created = now() - interval '2 minutes'")
        again = await world.integrator.post(own, {}, Idempotency_Key="k")
    assert (again.status_code, again.json()["status"]) == (201, 204)


async def test_one_institutions_tests_leave_places_for_those_of_others(
    world: World, join: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(testing, "WAIT_SECONDS", 0.5)
    other = await join(Scope.WEBHOOKS_MANAGE)
    async with receiving() as silent, receiving() as well:
        silent.answer = silence
        own, others = [
            f"{PATH}/{(await world.register(one.url, by=by))['id']}/test"
            for one, by in ((silent, None), (well, other))
        ]
        waiting = [asyncio.create_task(world.integrator.post(own, {})) for _ in range(testing.AT_ONCE + 2)]
        await until(lambda: len(silent.requests) == testing.AT_ONCE_OF_ONE)
        assert (await other.post(others, {})).json()["status"] == 204
        await until(lambda: sum(one.done() for one in waiting) == testing.AT_ONCE)
        assert {one.result().status_code for one in waiting if one.done()} == {503}
        assert len(silent.requests) == testing.AT_ONCE_OF_ONE
        for one in waiting:
            one.cancel()
        await asyncio.wait(waiting)


async def test_a_test_tells_what_the_endpoint_did_and_changes_nothing(world: World) -> None:
    async with receiving() as receiver:
        made = await world.register(receiver.url)
        own = f"{PATH}/{made['id']}"
        before = await world.view(made["id"])
        assert await _try(world, own) == (204, None)
        (received,) = receiver.requests
        event = json.loads(received.body)
        Webhook(made["secret"]).verify(received.body, received.headers)
        assert (event["type"], event["subject"]) == ("webhook.tested", f"webhook/{made['id']}")
        receiver.answer = status(410)
        assert await _try(world, own) == (410, None)
        assert await world.view(made["id"]) == before
        attempts = await world.attempts(made["id"])
        assert [(one["number"], one["position"], one["status"]) for one in attempts] == [
            (1, None, 204),
            (2, None, 410),
        ]
        assert attempts[0]["webhook_id"] == received.id
    assert await _try(world, own) == (None, "NOT_CONNECTED")
    spanish = await world.integrator.post(f"{own}/test", {}, Accept_Language="es")
    assert "certificado" in spanish.json()["detail"]
    page = await world.integrator.get(f"{own}/attempts", after=1, limit=2)
    assert ([one["number"] for one in page.json()["items"]], page.json()["next"]) == ([2, 3], 3)


async def _try(world: World, own: str) -> tuple[int | None, str | None]:
    tried = await world.integrator.post(f"{own}/test", {})
    assert tried.status_code == 201, tried.text
    return tried.json()["status"], tried.json()["failure"]


async def test_a_second_rotation_ends_what_was_still_signing(world: World) -> None:
    made = await world.register("https://hook.example/")
    own = f"{PATH}/{made['id']}/rotate"
    secrets = [made["public_key"]]
    for _ in range(2):
        rotated = (await world.integrator.post(own, {})).json()
        assert rotated["old_retires"] is not None
        secrets.insert(0, rotated["public_key"])
    assert [one["key"] for one in (await world.view(made["id"]))["public_keys"]] == secrets[:2]
    world.clock.advance(seconds=timedelta(days=1).total_seconds())
    assert [one["key"] for one in (await world.view(made["id"]))["public_keys"]] == secrets[:1]


async def test_figures_say_how_endpoints_are_and_never_whose(world: World, http: httpx.AsyncClient) -> None:
    await world.register("https://hook.example/")
    text = (await http.get("/metrics")).text
    assert 'constancia_webhooks{state="WELL"} 1.0' in text
    assert "hook.example" not in text
