"""The AsyncAPI document: the one in docs, valid to its linter, and true of every event ever recorded."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jsonschema
import pytest
from fastapi import FastAPI

from api.delivery.webhooks.sending import TEST_TYPE, message_of_a_test
from api.streams.asyncapi import document, serialise
from api.streams.envelope import OPEN_TYPES, TYPES, Envelope, Shown, publicly, subject_of
from api.streams.leaves import OPEN_LEAVES
from registry.domain.mapper import content, decode_event
from registry.log.canonical import encode
from registry.log.leaf import entry_leaf, open_leaf
from registry.log.merkle import leaf_hash
from tests.golden import corpus
from tests.unit.api.test_envelope import COMMITMENT

ROOT = Path(__file__).parents[3]
KEPT = ROOT / "docs" / "asyncapi.json"
LINTER = ROOT / "tests" / "interop" / "asyncapi"
SPECTRAL = LINTER / "node_modules" / ".bin" / "spectral"


async def test_the_document_is_served_and_is_the_one_in_docs(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as anybody:
        served = await anybody.get("/asyncapi.json")
    assert served.headers["content-type"] == "application/json"
    assert served.content == serialise()
    assert KEPT.read_bytes() == serialise(), (
        "docs/asyncapi.json is not what the models say: "
        "python -c 'from api.streams.asyncapi import serialise; print(serialise().decode(), end=\"\")' "
        "> docs/asyncapi.json"
    )


def test_every_event_has_a_message_and_every_reference_leads_somewhere() -> None:
    described = document()
    assert set(described["components"]["messages"]) == TYPES | {TEST_TYPE}
    assert set(OPEN_LEAVES) == OPEN_TYPES

    def check(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(reference := node.get("$ref"), str):
                found: Any = described
                for step in reference.removeprefix("#/").split("/"):
                    found = found[step]
            for child in node.values():
                check(child)
        elif isinstance(node, list):
            for child in node:
                check(child)

    check(described)


def test_every_event_ever_recorded_is_as_its_schema_says() -> None:
    described = document()
    envelope = Envelope("register.example/log")
    seen = set()
    for name, state in corpus.stored().items():
        event = decode_event(corpus.Name.parse(name).topic, state)
        if event.OPEN:
            leaf = open_leaf(event.event_id, event.TOPIC, event.recorded.date(), event.public())
            shown, more = publicly(event.TOPIC, event.originator_id, leaf), None
        else:
            leaf = entry_leaf(event.event_id, COMMITMENT)
            shown = Shown(event.TOPIC, subject_of(event.TOPIC, event.originator_id))
            value = content(event, {})
            said = {key: said for key, said in value.items() if key != "private"}
            opening = {"content": {"value": value, "key": COMMITMENT}}
            more = f'"event":{json.dumps(said)},"openings":{json.dumps(opening)}'.encode()
        body = json.loads(envelope.encode(1, event.event_id, shown, leaf, leaf_hash(leaf), more=more))
        validator(described, event.TOPIC).validate(body)
        other = next(iter(TYPES - {event.TOPIC, "entry"}))
        with pytest.raises(jsonschema.ValidationError):
            validator(described, other).validate(body)
        seen.add(event.TOPIC)
    leaf = entry_leaf(uuid4(), COMMITMENT)
    body = json.loads(envelope.encode(0, uuid4(), publicly("x", uuid4(), leaf), leaf, leaf_hash(leaf)))
    validator(described, "entry").validate(body)
    assert seen | {"entry"} == TYPES
    tested = message_of_a_test(uuid4(), envelope.source, datetime(2026, 11, 22, tzinfo=UTC)).body
    jsonschema.validate(json.loads(tested), described["components"]["messages"][TEST_TYPE]["payload"])


def test_examples_are_as_their_schema_says_and_their_leaves_have_their_hash() -> None:
    described = document()
    given = {
        name: one["examples"]
        for name, one in described["components"]["messages"].items()
        if "examples" in one
    }
    assert set(given) == {"incident.disclosed", "entry"}
    for name, (example,) in given.items():
        validator(described, name).validate(example["payload"])
        assert leaf_hash(encode(example["payload"]["data"]["leaf"])).hex() == example["payload"]["leafhash"]


def validator(described: dict[str, Any], name: str) -> jsonschema.Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is absent")
@pytest.mark.skipif(not SPECTRAL.exists(), reason="npm ci --prefix tests/interop/asyncapi")
def test_the_linter_has_no_complaint() -> None:
    linted = subprocess.run(
        [SPECTRAL, "lint", KEPT, "--ruleset", LINTER / ".spectral.yaml", "--fail-severity", "warn"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr
