"""Erasing a person from the running register, as its operator does, while strangers keep checking it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.conftest import Program, constancia, report

CURP = "XEXX991231MNEPLN07"
NARRATIVE = "Un relato que solo habla de ella."


def published(client: httpx.Client, after: int) -> int:
    """The size of the first checkpoint larger than this."""
    deadline = time.monotonic() + 30
    size = 0
    while size <= after:
        assert time.monotonic() < deadline, "no larger checkpoint came"
        time.sleep(0.2)
        answer = client.get("/log/checkpoint")
        if answer.status_code != 404:  # nothing is published yet
            size = int(answer.text.split("\n")[1])
    return size


def counts(client: httpx.Client, as_of: int) -> Any:
    query = (
        f"{{ counts(asOf: {as_of}, groupBy: [CLASS, STATE]) "
        "{ certificate rows { key { value } low best high } total { low best high } } }"
    )
    answer = client.post("/graphql", json={"query": query}).json()
    assert "errors" not in answer, answer
    return answer


def test_a_person_is_erased_and_nothing_that_was_published_changes(
    start_program: Callable[..., Program], place: Path
) -> None:
    cadence = {"CONSTANCIA_PUBLISH_EVERY": "1", "CONSTANCIA_RELEASE_EVERY": "1"}
    program = start_program(place / "data", None, **cadence).wait_until_ready()
    state, data = str(place / "verify.state"), ("--data", str(program.data))
    victim = {"role": "PASANTE_MEDICINE", "nexus": "ON_DUTY_AT_SITE", "student": {"curp": CURP}}
    body = report(victims=[victim], narrative=NARRATIVE)
    sender = program.client(program.new_key(["reports:write", "events:read"]), **{"Idempotency-Key": "k-1"})
    reviewer = program.client(program.new_key(["incidents:verify"], kind="ASSOCIATION"))
    with sender, reviewer, program.client() as anybody:
        sent = sender.post("/v1/reports", json=body).json()
        position = sent["events"][0]["position"]
        certainty = {"level": "POSSIBLE", "basis": []}
        incident = {"class": "THREAT", "reports": [sent["id"]], "victims": [victim], "certainty": certainty}
        assert reviewer.post("/v1/incidents", json=incident).status_code == 201
        before = published(anybody, position + 4)
        figures = counts(anybody, before)
        checked = constancia("verify", program.url, "--state", state, "--trust-on-first-use")
        assert checked.returncode == 0, checked.stderr

        kept = constancia("erase", "--curp", *data, typed=f"{CURP}\nn\n")
        assert kept.returncode == 1
        assert NARRATIVE in sender.get(f"/v1/reports/{sent['id']}").text
        erased = constancia("erase", "--curp", "--yes", *data, typed=f"{CURP}\n")
        assert erased.returncode == 0, erased.stderr
        assert "attack" not in kept.stdout
        assert "threat.reported 1" in kept.stdout

        assert sender.post("/v1/reports", json=body).status_code == 410
        assert sender.get(f"/v1/receipts/{position}").text == sent["receipt"]
        read = sender.get(f"/v1/reports/{sent['id']}")
        assert read.status_code == 200
        for private in (CURP, NARRATIVE):
            assert private not in read.text + kept.stdout + kept.stderr + erased.stdout + program.output
        published(anybody, before)
        assert counts(anybody, before) == figures
        again = constancia("verify", program.url, "--state", state)
        assert again.returncode == 0, again.stderr


def test_the_logs_key_is_rotated_and_whoever_remembers_the_old_one_is_not_lost(
    start_program: Callable[..., Program], place: Path
) -> None:
    data, directory = ("--data", str(place / "data")), place / "data"
    first = start_program(directory, None, CONSTANCIA_PUBLISH_EVERY="1").wait_until_ready()
    with first.client() as anybody:
        published(anybody, 0)
        (old,) = anybody.get("/log/keys").json()["log"]
    made = constancia("keys", "rotate", "--key", "log", *data)
    assert made.returncode == 0, made.stderr
    new = made.stdout.strip()
    refused = constancia("keys", "rotate", "--key", "log", "--retire", *data)
    assert refused.returncode == 1
    assert "restart all processes" in refused.stderr.lower()
    assert first.stop() == 0

    both = start_program(directory, first.port, CONSTANCIA_PUBLISH_EVERY="1").wait_until_ready()
    with both.client() as anybody:
        deadline = time.monotonic() + 30
        while anybody.get("/log/checkpoint").text.count("\n— ") < 2:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert anybody.get("/log/keys").json()["log"] == [old, new]
    for vkey in (old, new):
        assert constancia("verify", both.url, "--vkey", vkey).returncode in (0, 4)
    retired = constancia("keys", "rotate", "--key", "log", "--retire", *data)
    assert retired.returncode == 0, retired.stderr
    assert both.stop() == 0

    alone = start_program(directory, first.port, CONSTANCIA_PUBLISH_EVERY="1").wait_until_ready()
    with alone.client() as anybody:
        shown = anybody.get("/log/keys").json()
        assert (shown["log"], shown["retired"]) == ([new], {"log": [old]})
    assert constancia("verify", alone.url, "--vkey", new).returncode in (0, 4)
