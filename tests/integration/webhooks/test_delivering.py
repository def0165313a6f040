"""Whatever an endpoint does, and whoever delivers: once it accepts, it has exactly the log's sequence."""

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from api.auth.keys import Keys
from api.auth.scopes import Scope
from api.delivery.webhooks import client as client_module
from api.delivery.webhooks import delivering as delivering_module
from api.delivery.webhooks.leases import Leases
from api.delivery.webhooks.registrations import states
from api.streams import streams as streams_module
from tests.integration.webhooks.conftest import OPEN, World, becomes, until
from tests.integration.webhooks.receiver import Answer, Received, receiving, says, silence, status


async def test_events_come_signed_in_order_to_each_what_it_wants_and_nobody_else_learns_of_it(
    world: World, join: Callable[..., Any]
) -> None:
    async with receiving() as all_, receiving() as some, world.delivering():
        await world.publish(2)
        first = await world.register(all_.url)
        second = await world.register(some.url, OPEN)
        await world.publish(3)
        await world.publish(2, OPEN)
        await world.publish(1)
        await world.arrive(all_, await world.sequence(first["id"]))
        await world.arrive(some, await world.sequence(second["id"], OPEN))

    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(first["public_key"].removeprefix("whpk_")))
    positions = []
    for received in all_.requests:
        Webhook(first["secret"]).verify(received.body, received.headers)
        (signature,) = (
            one for one in received.headers["webhook-signature"].split() if one.startswith("v1a,")
        )
        signed = f"{received.id}.{received.headers['webhook-timestamp']}.".encode() + received.body
        key.verify(base64.b64decode(signature.removeprefix("v1a,")), signed)
        positions.append(json.loads(received.body)["position"])
    assert positions == list(range(positions[0], positions[0] + 6))
    attempts = await world.attempts(first["id"])
    assert [one["position"] for one in attempts] == positions
    assert [one["webhook_id"] for one in attempts] == all_.accepted
    assert {(one["status"], one["failure"], one["detail"]) for one in attempts} == {(204, None, None)}

    # Another institution knows of nothing; addresses and secrets are in no table and no later answer.
    stranger, own = await join(Scope.WEBHOOKS_MANAGE), f"/v1/webhooks/{first['id']}"
    assert (await stranger.get("/v1/webhooks")).json() == {"items": [], "next": None}
    assert (await stranger.get(own)).status_code == 404
    assert (await stranger.get(f"{own}/attempts")).status_code == 404
    assert (await stranger.delete(own)).status_code == 404
    for action in ("test", "rotate", "replay"):
        assert (await stranger.post(f"{own}/{action}", {})).status_code == 404
    listed = (await world.integrator.get("/v1/webhooks")).json()["items"]
    assert {one["url"] for one in listed} == {all_.url, some.url}
    assert "whsec_" not in json.dumps(listed)
    for table in ("webhooks", "webhook_secrets", "webhook_requests", "webhook_attempts"):
        for row in await world.pool.fetch(f"SELECT {table}::text AS row FROM {table}"):
            assert all_.url.encode().hex() not in row["row"]
            assert base64.b64decode(first["secret"].removeprefix("whsec_")).hex() not in row["row"]

    assert (await world.integrator.delete(own)).status_code == 204
    assert (await world.integrator.get(own)).status_code == 404
    assert await world.pool.fetchval("SELECT count(*) FROM webhook_secrets") == 1


@pytest.mark.parametrize(
    "answer",
    [
        silence,
        status(503),
        status(301, "location: http://127.0.0.1/"),
        says(b"garbage\r\n\r\n", stay=False),
        says(b"", stay=False),
    ],
    ids=["silent", "unavailable", "redirecting", "garbage", "closing"],
)
async def test_an_endpoint_that_fails_holds_up_nobody_and_misses_nothing(
    world: World, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "TOTAL_SECONDS", 0.5)
    async with receiving() as bad, receiving() as good, world.delivering():
        bad.answer = answer
        first, second = await world.register(bad.url), await world.register(good.url)
        await world.publish(4)
        await world.arrive(good, await world.sequence(second["id"]))
        await until(lambda: len(bad.requests) >= 3)
        assert bad.accepted == []
        # One event is tried until it is accepted; nothing goes past it.
        assert len({one.id for one in bad.requests}) == 1
        bad.accept()
        await world.arrive(bad, await world.sequence(first["id"]))
    assert (await world.view(first["id"]))["failures"] == 0


async def test_many_that_are_silent_leave_places_for_the_others_and_nobody_waits_to_write(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "TOTAL_SECONDS", 0.3)
    monkeypatch.setattr(delivering_module, "AT_ONCE", 2)
    monkeypatch.setattr(delivering_module, "TROUBLED_AT_ONCE", 1)
    async with receiving() as silent, receiving() as good, world.delivering():
        silent.answer = silence
        for _ in range(5):
            await world.register(silent.url)
        endpoint = (await world.register(good.url))["id"]
        for _ in range(6):
            await world.publish(1)
            await world.arrive(good, await world.sequence(endpoint))
        asked = len(silent.requests)
        await until(lambda: len(silent.requests) > asked)
    assert silent.accepted == []
    assert [one.id for one in good.requests] == good.accepted


async def test_an_endpoint_that_is_down_for_a_day_gets_all_and_one_that_is_for_three_is_disabled_with_notice(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with receiving() as receiver, world.delivering():
        endpoint = (await world.register(receiver.url))["id"]
        began = world.clock.now
        await world.publish(3)
        receiver.answer = status(503)
        await until(lambda: (world.clock.now - began).days >= 1)
        view = await world.view(endpoint)
        assert view["failures"] >= 12
        assert view["disabled"] is None
        receiver.accept()
        await world.arrive(receiver, await world.sequence(endpoint))
        assert len(receiver.requests) < 100

        receiver.answer = status(500)
        await world.publish(2)
        await becomes(
            lambda: states(world.pool),
            {**dict.fromkeys(("WELL", "RETRYING", "GONE", "KEY_ENDED"), 0), "FAILING": 1},
        )
        view = await world.view(endpoint)
        assert view["disabled"]["reason"] == "FAILING"
        assert "replay" in view["disabled"]["detail"]
        assert f"webhook {endpoint} is disabled: FAILING" in caplog.text
        assert len(await world.attempts(endpoint)) <= 200
        silent = len(receiver.requests)
        await asyncio.sleep(0.2)
        assert len(receiver.requests) == silent

        receiver.accept()
        await world.replay(endpoint)
        await world.arrive(receiver, await world.sequence(endpoint))
    assert receiver.url not in caplog.text


async def test_an_endpoint_that_is_gone_is_disabled_at_once_and_a_replay_brings_all_again(
    world: World,
) -> None:
    async with receiving() as receiver, world.delivering():
        endpoint = (await world.register(receiver.url))["id"]
        await world.replay(endpoint, after=0)
        await world.publish(3)
        await world.arrive(receiver, await world.sequence(endpoint))
        receiver.answer = status(410)
        await world.publish(2)
        await until(lambda: len(receiver.requests) > len(receiver.accepted))
        await becomes(lambda: _reason(world, endpoint), "GONE")

        # From the beginning: under the ids that it knows.
        known, receiver.accepted = receiver.accepted, []
        receiver.accept()
        await world.replay(endpoint, after=0)
        await world.arrive(receiver, await world.sequence(endpoint))
        assert receiver.accepted[: len(known)] == known
        beyond = await world.integrator.post(f"/v1/webhooks/{endpoint}/replay", {"after": 1_000})
        assert (beyond.status_code, beyond.json()["errors"][0]["field"]) == (422, "after")


async def test_of_two_deliverers_one_has_an_endpoint_and_a_killed_one_is_taken_over_from(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving() as receiver, receiving() as other:
        endpoints = [(await world.register(one.url))["id"] for one in (receiver, other)]
        async with world.delivering(lease_seconds=1.0), world.delivering(lease_seconds=1.0):
            for _ in range(10):
                await world.publish(2)
                await asyncio.sleep(0.01)
            for one, endpoint in zip((receiver, other), endpoints, strict=True):
                await world.arrive(one, await world.sequence(endpoint))
        # Nobody was asked twice.
        assert [one.id for one in receiver.requests] == receiver.accepted

        # The first is killed with a request on its way, and lets go of nothing.
        receiver.answer = silence
        monkeypatch.setattr(delivering_module, "FINISH_SECONDS", 0.0)
        async with world.delivering(lease_seconds=1.0) as killed:
            await world.publish(2)
            await until(lambda: receiver.requests[-1].id not in receiver.accepted)

            async def nothing() -> None:
                pass

            monkeypatch.setattr(killed._leases, "release", nothing)
        receiver.accept()
        async with world.delivering(lease_seconds=1.0):
            await world.publish(1)
            for one, endpoint in zip((receiver, other), endpoints, strict=True):
                await world.arrive(one, await world.sequence(endpoint))


async def test_a_process_that_is_told_to_stop_ends_with_what_is_on_its_way_and_nothing_comes_twice(
    world: World,
) -> None:
    async with receiving() as receiver:
        endpoint = (await world.register(receiver.url))["id"]
        accept = receiver.answer

        async def slowly(received: Received, writer: asyncio.StreamWriter) -> bool:
            await asyncio.sleep(0.3)
            return await accept(received, writer)

        receiver.answer = slowly
        await world.publish(20)
        async with world.delivering():
            await until(lambda: receiver.requests)
        assert len(receiver.requests) <= 2
        receiver.answer = accept
        async with world.delivering():
            await until(lambda: len(receiver.requests) >= 20)
        assert [one.id for one in receiver.requests] == await world.sequence(endpoint)


async def test_what_was_begun_before_a_replay_stops_nothing_that_the_replay_has_resumed(
    world: World, keys: Keys
) -> None:
    async with receiving() as receiver:
        endpoint = (await world.register(receiver.url))["id"]
        await world.publish(1)
        replayed = asyncio.Event()

        async def fail_then(_: Received, writer: asyncio.StreamWriter) -> bool:
            await replayed.wait()
            receiver.accept()
            return await status(500)(_, writer)

        receiver.answer = fail_then
        # Asked one last time after four days.
        await world.pool.execute(
            "UPDATE webhooks SET failures = 20, failing_since = $1", world.clock.now - timedelta(days=4)
        )
        async with world.delivering():
            await until(lambda: receiver.requests)
            await world.replay(endpoint)
            replayed.set()
            await world.arrive(receiver, await world.sequence(endpoint))
        assert [one["status"] for one in await world.attempts(endpoint)] == [204]

    # Nor does a key that has ended, once another has taken over.
    leases = Leases(world.pool, world.services.application.master, uuid4(), 10.0, world.clock)
    row = await world.pool.fetchrow("SELECT institution, key FROM webhooks")
    assert row is not None
    await keys.revoke(row["key"])
    (held,) = await leases.take()
    assert not held.allowed
    issued = await keys.issue(row["institution"], [Scope.WEBHOOKS_MANAGE], None)
    await world.replay(endpoint, by=type(world.integrator)(world.integrator._http, issued.key))
    assert not await leases.end_key(held)
    assert await world.pool.fetchval("SELECT disabled FROM webhooks") is None


async def test_a_process_never_takes_a_lease_for_longer_than_the_database_does(world: World) -> None:
    await world.register("https://hook.example/")
    seconds = "SELECT extract(epoch FROM leased_until - clock_timestamp())::float8 FROM webhooks WHERE leased_by = $1"
    async with world.delivering(lease_seconds=3.0, look_seconds=0.2) as deliverer:
        await until(lambda: deliverer._works)
        for _ in range(15):
            await asyncio.sleep(0.1)
            thought = deliverer._held_until - asyncio.get_running_loop().time()
            left = await world.pool.fetchval(seconds, deliverer._leases._process)
            assert thought <= left + 0.05


async def test_a_clock_that_was_wrong_silences_no_endpoint(world: World) -> None:
    async with receiving() as receiver:
        endpoint = (await world.register(receiver.url))["id"]
        await world.publish(1)
        ahead = world.clock.now + timedelta(days=4_000)
        await world.pool.execute("UPDATE webhooks SET failures = 1, failing_since = $1, next_try = $1", ahead)
        async with world.delivering():
            await world.arrive(receiver, await world.sequence(endpoint))
        assert world.clock.now < ahead


async def test_clients_that_take_all_streams_of_a_process_keep_no_webhook_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams_module, "MAX_STREAMS", 0)
    async with receiving() as receiver, world.delivering():
        endpoint = (await world.register(receiver.url))["id"]
        for _ in range(2):
            await world.publish(2)
            await world.arrive(receiver, await world.sequence(endpoint))


async def test_one_who_has_lost_the_lease_without_knowing_sends_nothing_new_and_moves_nothing(
    world: World,
) -> None:
    async with receiving() as receiver:
        endpoint = (await world.register(receiver.url))["id"]
        # It stood still for longer than its lease: the look that would renew it does not come.
        async with world.delivering(lease_seconds=0.3, look_seconds=60.0):
            await asyncio.sleep(0.4)
            await world.publish(1)
            await asyncio.sleep(0.3)
            assert receiver.requests == []
            async with world.delivering(lease_seconds=5.0):
                await world.publish(1)
                await world.arrive(receiver, await world.sequence(endpoint))
    assert len(receiver.requests) == 2


async def test_nothing_is_delivered_after_the_key_and_another_key_goes_on_where_it_ended(
    world: World, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiving() as receiver, world.delivering():
        endpoint = (await world.register(receiver.url))["id"]
        await world.publish(2)
        await world.arrive(receiver, await world.sequence(endpoint))
        row = await world.pool.fetchrow("SELECT institution, key FROM webhooks")
        assert row is not None
        await keys.revoke(row["key"])
        await world.publish(2)
        await becomes(lambda: world.pool.fetchval("SELECT disabled FROM webhooks"), "KEY_ENDED")
        assert len(receiver.requests) == 2
        assert "KEY_ENDED" in caplog.text
        issued = await keys.issue(row["institution"], [Scope.WEBHOOKS_MANAGE], None)
        another = type(world.integrator)(world.integrator._http, issued.key)
        assert (await another.get(f"/v1/webhooks/{endpoint}")).json()["disabled"]["reason"] == "KEY_ENDED"
        await world.replay(endpoint, by=another)
        await world.arrive(receiver, await world.sequence(endpoint))
        assert (await another.get(f"/v1/webhooks/{endpoint}")).json()["key"] == str(issued.id)


async def test_an_endpoint_is_shown_what_its_key_is_and_no_more(
    world: World, join: Callable[..., Any], keys: Keys
) -> None:
    reporter = await join(Scope.EVENTS_READ, Scope.WEBHOOKS_MANAGE, Scope.REPORTS_WRITE)
    async with receiving() as own, receiving() as others, world.delivering():
        endpoint = (await world.register(own.url, by=reporter))["id"]
        await world.register(others.url)
        body = {"class": "THREAT", "source_type": "UNIVERSITY", "kind": "MESSAGE", "narrative": "Secreto."}
        report = (await reporter.post("/v1/reports", body)).json()
        # Its own at once, before any checkpoint.
        await until(lambda: own.accepted)
        event = json.loads(own.requests[0].body)
        assert (event["type"], event["subject"]) == ("threat.reported", f"report/{report['id']}")
        assert event["data"]["event"]["data"]["kind"] == "MESSAGE"
        assert b"Secreto" not in own.requests[0].body
        assert others.requests == []
        await world.publish(0)
        await until(lambda: len(others.accepted) == 2)
        assert json.loads(others.requests[-1].body)["type"] == "entry"

        # Resumed by a key that reads nothing, it is shown what everybody is.
        institution = await world.pool.fetchval("SELECT institution FROM webhooks WHERE id = $1", endpoint)
        issued = await keys.issue(institution, [Scope.WEBHOOKS_MANAGE], None)
        blind = type(reporter)(reporter._http, issued.key)
        await world.replay(endpoint, by=blind, after=report["events"][0]["position"])
        await until(lambda: len(own.requests) == 2)
        assert json.loads(own.requests[1].body)["type"] == "entry"


async def test_after_a_rotation_both_secrets_sign_for_a_day_and_then_the_new_one_alone(world: World) -> None:
    async with receiving() as receiver, world.delivering():
        made = await world.register(receiver.url)
        path = f"/v1/webhooks/{made['id']}"
        rotated = (await world.integrator.post(f"{path}/rotate", {})).json()
        assert rotated["secret"] != made["secret"]
        await world.publish(1)
        await until(lambda: receiver.accepted)
        (received,) = receiver.requests
        signatures = received.headers["webhook-signature"].split()
        assert [one.partition(",")[0] for one in signatures] == ["v1", "v1a", "v1", "v1a"]
        for secret in (made["secret"], rotated["secret"]):
            Webhook(secret).verify(received.body, received.headers)
        assert [one["key"] for one in (await world.view(made["id"]))["public_keys"]] == [
            rotated["public_key"],
            made["public_key"],
        ]
        world.clock.advance(hours=24, seconds=1)
        await world.publish(1)
        await until(lambda: len(receiver.accepted) == 2)
        assert len(receiver.requests[-1].headers["webhook-signature"].split()) == 2
        assert len((await world.view(made["id"]))["public_keys"]) == 1
    # What signs no more is kept no longer.
    async with world.delivering():
        await becomes(lambda: world.pool.fetchval("SELECT array_agg(number) FROM webhook_secrets"), [2])


async def _reason(world: World, endpoint: str) -> str | None:
    disabled = (await world.view(endpoint))["disabled"]
    return None if disabled is None else str(disabled["reason"])
