"""GraphQL as its clients meet it: the reference audit of its transport, and streams over sockets and events."""

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from api.auth.scopes import ROLES, Role
from tests.acceptance.conftest import Program, report

AUDIT = Path(__file__).parents[1] / "interop" / "graphql"
AUDITS = 61
EVENTS = (
    "subscription ($types: [String!]) { events(after: 0, types: $types) { position type recorded leaf } }"
)
COUNT = "subscription { count { best asOf { size } } }"

Message = dict[str, Any]


@asynccontextmanager
async def socket(program: Program, begin: bool = True) -> AsyncIterator[ClientConnection]:
    """A WebSocket, acknowledged if it is to ``begin``."""
    url = f"ws://127.0.0.1:{program.port}/graphql"
    async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as opened:
        if begin:
            await say(opened, type="connection_init")
            assert await hear(opened) == {"type": "connection_ack"}
        yield opened


async def say(opened: ClientConnection, **message: Any) -> None:
    await opened.send(json.dumps(message))


async def hear(opened: ClientConnection) -> Message:
    async with asyncio.timeout(30):
        message: Message = json.loads(await opened.recv())
        return message


async def closed(opened: ClientConnection) -> int | None:
    """The code that the server closes with."""
    async with asyncio.timeout(30):
        try:
            while True:
                await opened.recv()
        except ConnectionClosed as ended:
            return ended.rcvd.code if ended.rcvd else None


def submitted(program: Program) -> int:
    """A report, accepted: its position."""
    with program.client(program.new_key(["reports:write"])) as client:
        position: int = client.post("/v1/reports", json=report()).json()["events"][0]["position"]
        return position


def test_the_reference_audit_of_the_transport_finds_nothing(program: Program) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is absent: apt-get install nodejs")
    if not (AUDIT / "node_modules" / "graphql-http").is_dir():
        pytest.skip("the audit is absent: npm ci --prefix tests/interop/graphql")
    said = subprocess.run(
        [node, "audit.mjs", f"{program.url}/graphql"],
        cwd=AUDIT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert json.loads(said.stdout) == {"ok": AUDITS}, said.stderr


def test_restricted_counts_are_for_the_analyst_alone_and_are_never_certified(program: Program) -> None:
    """What reviewers found is counted at once, disclosed or not, and by names; nobody else is told even that."""
    with program.client(program.new_key(["reports:write"])) as university:
        reported = university.post("/v1/reports", json=report()).json()["id"]
    claims = {name: report()[name] for name in ("when", "where", "kind")}
    victim = {name: value for name, value in report()["victims"][0].items() if name != "student"}
    with program.client(program.new_key(["incidents:verify"], "ASSOCIATION")) as reviewer:
        incident = {
            "class": "THREAT",
            "reports": [reported],
            "findings": [{name: value} for name, value in claims.items()],
            "victims": [victim],
            "certainty": {"level": "POSSIBLE"},
        }
        opened = reviewer.post("/v1/incidents", json=incident)
        assert opened.status_code == 201, opened.text
        position = opened.json()["events"][-1]["position"]
    asked = {
        "query": "{ restricted { counts(unit: VICTIMISATIONS, groupBy: [KIND, MUNICIPALITY, SEX], "
        'filters: [{dimension: STATE, in: ["16"]}]) { at rows { key { value label(lang: EN) } low best high } } } }'
    }

    def told(scopes: list[str] | None) -> httpx.Response:
        key = None if scopes is None else program.new_key(scopes, "MINISTRY_HEALTH")
        with program.client(key, Purpose="STATISTICS") as client:
            answer = client.post("/graphql", json=asked)
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
            return answer

    others: list[list[str]] = [sorted(map(str, ROLES[role])) for role in (Role.SUBMITTER, Role.VERIFIER)]
    refused = [told(scopes) for scopes in (None, *others, ["webhooks:manage"])]
    assert [one.json()["errors"][0]["extensions"]["code"] for one in refused] == ["FORBIDDEN"] * 4
    assert [one.json()["data"] for one in refused] == [None] * 4
    assert len({one.content for one in refused[1:]}) == 1

    analyst = sorted(map(str, ROLES[Role.ANALYST]))
    deadline = time.monotonic() + 30
    while (counted := told(analyst).json()["data"]["restricted"]["counts"])["at"] <= position:
        assert time.monotonic() < deadline
    rows = {tuple(cell["value"] for cell in row["key"]): row for row in counted["rows"]}
    row = rows["MESSAGE", "16012", "FEMALE"]
    assert (row["low"], row["best"]) == (0, 0)
    assert row["high"] >= 1
    assert row["key"][2]["label"] == "Female"
    with program.client(program.new_key(analyst, "MINISTRY_HEALTH")) as client:
        certified = client.post(
            "/graphql", json={"query": "{ restricted { counts(groupBy: []) { certificate } } }"}
        ).json()
    assert "Cannot query field 'certificate'" in certified["errors"][0]["message"]


async def test_a_socket_follows_the_log_and_a_count_until_it_says_complete(program: Program) -> None:
    position = await asyncio.to_thread(submitted, program)
    async with socket(program) as opened:
        await say(opened, id="leaves", type="subscribe", payload={"query": EVENTS})
        while True:
            event = (await hear(opened))["payload"]["data"]["events"]
            if event["position"] == position:
                break
        # What was reported is told by nothing but its place.
        assert (event["type"], event["recorded"]) == ("entry", None)
        assert set(json.loads(event["leaf"])) == {"id", "sealed", "type", "v"}
        await say(opened, id="leaves", type="complete")
        await say(opened, id="count", type="subscribe", payload={"query": COUNT})
        sizes: list[int] = []
        while len(sizes) < 2:
            message = await hear(opened)
            if message["type"] == "next" and message["id"] == "count":
                sizes.append(message["payload"]["data"]["count"]["asOf"]["size"])
                await asyncio.to_thread(submitted, program)
        assert sizes[0] < sizes[1]


async def test_types_are_those_that_leaves_show(program: Program) -> None:
    await asyncio.to_thread(submitted, program)
    async with socket(program) as opened:
        asked = {"query": EVENTS, "variables": {"types": ["threat.reported", "policy.adopted"]}}
        await say(opened, id="1", type="subscribe", payload=asked)
        first = (await hear(opened))["payload"]["data"]["events"]
        assert first["type"] == "policy.adopted"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await opened.recv()


async def test_a_socket_answers_questions_pings_and_documents_that_are_none(program: Program) -> None:
    async with socket(program) as opened:
        await say(opened, type="ping")
        assert await hear(opened) == {"type": "pong"}
        await say(opened, id="q", type="subscribe", payload={"query": "{ __typename }"})
        assert await hear(opened) == {"id": "q", "type": "next", "payload": {"data": {"__typename": "Query"}}}
        assert await hear(opened) == {"id": "q", "type": "complete"}
        await say(opened, id="bad", type="subscribe", payload={"query": "{ nothing }"})
        assert (await hear(opened))["type"] == "error"


@pytest.mark.parametrize(
    ("begin", "messages", "code"),
    [
        (False, ['{"type":"subscribe","id":"1","payload":{"query":"{ __typename }"}}'], 4401),
        (False, ["not JSON"], 4400),
        (True, ['{"type":"connection_init"}'], 4429),
        (True, ['{"type":"unheard of"}'], 4400),
        (True, [json.dumps({"type": "subscribe", "id": "1", "payload": {"query": COUNT}})] * 2, 4409),
    ],
)
async def test_a_socket_that_breaks_the_protocol_is_closed(
    program: Program, begin: bool, messages: list[str], code: int
) -> None:
    async with socket(program, begin) as opened:
        for message in messages:
            await opened.send(message)
        assert await closed(opened) == code


async def test_a_count_is_followed_by_server_sent_events(program: Program) -> None:
    await asyncio.to_thread(submitted, program)
    accept = {"accept": "text/event-stream"}
    async with httpx.AsyncClient(base_url=program.url, timeout=30) as client:
        answered = await client.post("/graphql", json={"query": "{ __typename }"}, headers=accept)
        assert answered.text.split("\n\n")[1:3] == [
            'event: next\ndata: {"data":{"__typename":"Query"}}',
            "event: complete\ndata: ",
        ]
        async with client.stream("POST", "/graphql", json={"query": COUNT}, headers=accept) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            counts = 0
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    counts += 1
                    assert json.loads(line.removeprefix("data: "))["data"]["count"]["asOf"]["size"]
                    if counts == 2:
                        break
                    await asyncio.to_thread(submitted, program)


async def test_open_streams_do_not_hold_up_a_shutdown(start_program: Callable[..., Program]) -> None:
    running = start_program(CONSTANCIA_PUBLISH_EVERY="1").wait_until_ready()
    accept = {"accept": "text/event-stream"}
    async with (
        socket(running) as opened,
        httpx.AsyncClient(base_url=running.url, timeout=30) as client,
        client.stream("POST", "/graphql", json={"query": EVENTS}, headers=accept) as stream,
    ):
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith("retry:")
        await say(opened, id="1", type="subscribe", payload={"query": EVENTS})
        assert (await hear(opened))["type"] == "next"
        stopping = asyncio.create_task(asyncio.to_thread(running.stop))
        assert await closed(opened) in (1001, 1012)
        assert "event: complete" not in [line async for line in lines]
        assert await stopping == 0
    assert "Cancel" not in running.output
