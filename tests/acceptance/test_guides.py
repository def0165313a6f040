"""The guides do what they say: each example that the site shows, run as it is served, in each of its languages."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.web.developers.guides import PROGRAMS, Example, examples, key_commands
from tests.acceptance.conftest import Program, report
from tests.acceptance.test_projections import until

COMMANDS = {program.name: program.command for program in PROGRAMS}
SECONDS = 120

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("curl", *COMMANDS.values())),
    reason="curl, bash or node is absent",
)


def run(example: Example, program: Program, place: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """The file as the site serves it, told where the register is and nothing else."""
    with program.client() as anybody:
        (place / example.name).write_bytes(anybody.get(example.path).content)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONSTANCIA_")}
    proxies = {name: "" for name in clean if name.lower().endswith("_proxy")}
    return subprocess.run(
        [example.program.command, str(place / example.name)],
        env={**clean, **proxies, "CONSTANCIA_URL": program.url, **given},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def outputs(guide: str, program: Program, place: Path, **given: str) -> Mapping[str, str]:
    """What each language prints."""
    printed = {}
    for example in examples(guide):
        done = run(example, program, place, **given)
        assert (done.returncode, done.stderr) == (0, ""), (example.name, done.stdout, done.stderr)
        printed[example.program.name] = done.stdout
    return printed


def counted(program: Program, as_of: int | None = None) -> dict[str, int]:
    """At a published size, or at the latest."""
    with program.client() as anybody:
        query = "query ($asOf: LogSize) { count(unit: VICTIMISATIONS, asOf: $asOf) { low best high } }"
        asked = {"query": query, "variables": {"asOf": as_of}}
        answer: dict[str, Any] = anybody.post("/graphql", json=asked).json()
        return answer["data"]["count"] if answer.get("data") else {"high": 0}


def test_a_first_submission_is_accepted_once_however_often_it_is_sent(program: Program, place: Path) -> None:
    (place / "data").symlink_to(program.data)
    issued = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f'{key_commands(program.url)}\necho "$KEY"'],
        cwd=place,
        env={**os.environ, "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    key = issued.stdout.strip()
    printed = outputs("first-submission", program, place, CONSTANCIA_KEY=key)
    answers = [json.loads(text) for text in printed.values()]
    assert answers[0] == answers[1] == answers[2]
    with program.client(key) as university:
        sent = university.get(f"/v1/reports/{answers[0]['id']}").json()
        assert (sent["source_record_id"], sent["version"]) == ("primer-envio-1", 1)
        position = answers[0]["events"][0]["position"]
        assert university.get(f"/v1/receipts/{position}").text == answers[0]["receipt"]


def test_a_first_query_is_answered_with_the_count(
    program: Program, submitter: httpx.Client, verifier: httpx.Client, place: Path
) -> None:
    sent = submitter.post("/v1/reports", json=report()).json()["id"]
    victim = {"role": "PASANTE_MEDICINE", "outcome": "PSYCHOLOGICAL", "nexus": "ON_DUTY_AT_SITE"}
    opened = {
        "class": "THREAT",
        "reports": [sent],
        "victims": [victim],
        "certainty": {"level": "POSSIBLE", "basis": []},
    }
    assert verifier.post("/v1/incidents", json=opened).status_code == 201
    until(lambda: counted(program)["high"] > 0, "no incident is disclosed")
    printed = outputs("first-query", program, place)
    # Others may be disclosed meanwhile: each says what it is as of.
    total = json.loads(printed["curl"])["data"]["counts"]["total"]
    assert {name: total[name] for name in ("low", "best", "high")} == counted(program, total["asOf"]["size"])
    for name in ("Python", "JavaScript"):
        _, _, size = printed[name].rstrip().rpartition("/explorar?unit=VICTIMISATIONS&as_of=")
        there = counted(program, int(size))
        assert f"\nTotal {there['low']} {there['best']} {there['high']}\n" in printed[name]


def test_a_first_subscription_receives_the_first_event(program: Program, place: Path) -> None:
    printed = outputs("first-subscription", program, place)
    with program.client() as anybody:
        (event,) = anybody.get("/v1/events", params={"limit": 1}).json()["items"]
    assert json.loads(printed["curl"]) == event
    for name in ("Python", "JavaScript"):
        assert printed[name].split() == [str(event["position"]), event["type"], event["subject"]]


@pytest.mark.parametrize("guide", ["first-submission", "first-query", "first-subscription"])
def test_an_example_that_fails_says_why(program: Program, place: Path, guide: str) -> None:
    for example in examples(guide):
        untold = run(example, program, place, CONSTANCIA_URL="")
        assert untold.returncode != 0
        assert "Falta CONSTANCIA_URL" in untold.stderr
        away = run(example, program, place, CONSTANCIA_URL="http://127.0.0.1:1", CONSTANCIA_KEY="x")
        assert away.returncode != 0
        assert "127.0.0.1" in away.stderr
        if guide == "first-submission":
            refused = run(example, program, place, CONSTANCIA_KEY="cst_demo_x")
            assert refused.returncode != 0
            assert "/problems/unauthenticated" in refused.stderr
