"""What an institution, an operator and a stranger meet when they use the running program."""

import base64
import hashlib
import hmac
import json
import os
import re
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from registry.log.canonical import encode
from registry.log.note import Verifier
from registry.log.proof import Proof
from registry.log.receipt import Receipt
from tests.acceptance.conftest import ALL_SCOPES, CONSTANCIA, Program, free_port, report

PRIVATE = ["Un mensaje le ordenó", "EJEMPLO-77"]


def problem(response: httpx.Response, status: int, slug: str) -> dict[str, object]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = response.json()
    assert body["type"] == f"/problems/{slug}"
    assert body["status"] == status
    assert body["code"] == slug
    assert body["title"]
    assert body["detail"]
    return body


class TestSubmitting:
    def test_an_accepted_report_comes_with_all_that_its_sender_needs_to_prove_it(
        self, submitter: httpx.Client, anybody: httpx.Client
    ) -> None:
        response = submitter.post("/v1/reports", json=report())
        assert response.status_code == 201
        answer = response.json()
        assert set(answer) == {"id", "version", "events", "receipt"}
        assert response.headers["location"] == f"/v1/reports/{answer['id']}"
        assert response.headers["etag"] == '"1"'
        assert "idempotency-replayed" not in response.headers
        (event,) = answer["events"]
        assert set(event) == {"position", "leaf", "openings", "receipt"}

        # The leaf says nothing, and commits to what the opening shows.
        leaf = json.loads(event["leaf"])
        assert set(leaf) == {"id", "sealed", "type", "v"}
        opening = event["openings"]["content"]
        message = f"constancia/commit/v1\n{leaf['id']}\ncontent\n".encode() + encode(opening["value"])
        sealed = hmac.digest(base64.b64decode(opening["key"]), message, hashlib.sha256)
        assert base64.b64encode(sealed).decode() == leaf["sealed"]["content"]
        for private in PRIVATE:
            assert private not in event["leaf"]

        # The receipt is signed, and names this leaf at this position.
        signed_by = Verifier.parse(anybody.get("/log/keys").json()["receipt"][0])
        receipt = Receipt.open(answer["receipt"], signed_by)
        assert receipt.index == event["position"]
        assert receipt.leaf == hashlib.sha256(b"\0" + event["leaf"].encode()).digest()
        assert answer["receipt"] == event["receipt"]

    def test_a_repeated_submission_gets_the_first_answer_and_adds_nothing(
        self, submitter: httpx.Client
    ) -> None:
        headers = {"Idempotency-Key": str(uuid4())}
        first = submitter.post("/v1/reports", json=report(), headers=headers)
        again = submitter.post("/v1/reports", json=report(), headers=headers)
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.json() == first.json()
        assert again.headers["idempotency-replayed"] == "true"
        other = submitter.post("/v1/reports", json=report(kind="VERBAL"), headers=headers)
        problem(other, 422, "idempotency-key-reused")

    def test_a_known_source_record_is_answered_again_or_refused_never_overwritten(
        self, submitter: httpx.Client
    ) -> None:
        body = report(source_record_id=f"r-{uuid4()}")
        first = submitter.post("/v1/reports", json=body)
        again = submitter.post(
            "/v1/reports", content=json.dumps(body, indent=3), headers={"Content-Type": "application/json"}
        )
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json()
        differs = problem(
            submitter.post("/v1/reports", json={**body, "kind": "VERBAL"}), 409, "source-record-differs"
        )
        assert differs["existing"] == f"/v1/reports/{first.json()['id']}"
        assert submitter.get(str(differs["existing"])).status_code == 200
        listed = submitter.get("/v1/reports", params={"source_record_id": body["source_record_id"]}).json()
        assert [item["id"] for item in listed["items"]] == [first.json()["id"]]

    def test_the_sender_reads_its_report_again_and_another_institution_does_not(
        self, program: Program, submitter: httpx.Client
    ) -> None:
        made = submitter.post("/v1/reports", json=report()).json()
        mine = submitter.get(f"/v1/reports/{made['id']}")
        assert mine.headers["etag"] == '"1"'
        assert mine.json()["kind"] == "MESSAGE"
        assert PRIVATE[0] in mine.text
        with program.client(program.new_key(["reports:write"])) as stranger:
            problem(stranger.get(f"/v1/reports/{made['id']}"), 404, "not-found")
            problem(stranger.get(f"/v1/receipts/{made['events'][0]['position']}"), 404, "not-found")
            assert stranger.get("/v1/reports").json() == {"items": [], "next": None}

    def test_a_receipt_can_be_had_again(self, submitter: httpx.Client) -> None:
        made = submitter.post("/v1/reports", json=report()).json()
        again = submitter.get(f"/v1/receipts/{made['events'][0]['position']}")
        assert again.text == made["receipt"]
        assert again.headers["content-type"].startswith("text/plain")

    def test_the_records_of_an_assignment_go_through_their_whole_life(
        self, program: Program, submitter: httpx.Client
    ) -> None:
        with program.client(program.admin_key) as admin:
            site = admin.post(
                "/v1/sites", json={"name": "Clínica A", "cvegeo": "16012", "level": "FIRST"}
            ).json()["id"]
            other = admin.post("/v1/sites", json={"name": "Clínica B", "cvegeo": "16053"}).json()["id"]
        body = {
            "student": {"internal_id": f"E-{uuid4()}"},
            "site": site,
            "promotion": "2026-1",
            "plaza_type": "A",
            "starts": "2026-02-01",
            "planned_end": "2027-01-31",
        }
        made = submitter.post("/v1/assignments", json=body)
        assert made.status_code == 201, made.text
        path = f"/v1/assignments/{made.json()['id']}"
        move = {"to": other, "effective": "2026-06-01", "reason": "THREAT"}
        assert submitter.post(f"{path}/relocations", json=move).headers["etag"] == '"2"'
        ended = submitter.post(f"{path}/end", json={"reason": "COMPLETED", "on": "2027-01-31"})
        assert (ended.status_code, ended.headers["location"]) == (201, path)
        assert submitter.get(path).json()["version"] == 3


class TestVerifying:
    @pytest.fixture
    def incident(self, submitter: httpx.Client, verifier: httpx.Client) -> str:
        reported = submitter.post("/v1/reports", json=report()).json()["id"]
        opened = verifier.post("/v1/incidents", json={"class": "THREAT", "reports": [reported]})
        assert opened.status_code == 201, opened.text
        return f"/v1/incidents/{opened.json()['id']}"

    def test_a_decision_needs_the_version_that_it_rests_on(
        self, verifier: httpx.Client, incident: str
    ) -> None:
        level = {"level": "POSSIBLE", "basis": ["LINKED_REPORTS"]}
        path = f"{incident}/certainty"
        problem(verifier.post(path, json=level), 428, "if-match-required")
        problem(verifier.post(path, json=level, headers={"If-Match": "*"}), 400, "bad-request")
        problem(verifier.post(path, json=level, headers={"If-Match": '"99"'}), 412, "version-conflict")
        read = verifier.get(incident).headers["etag"]
        headers = {"If-Match": read, "Idempotency-Key": str(uuid4())}
        first = verifier.post(path, json=level, headers=headers)
        assert first.status_code == 201, first.text
        again = verifier.post(path, json=level, headers=headers)
        assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
        problem(
            verifier.post(path, json={"level": "RUMOUR"}, headers={"If-Match": read}), 412, "version-conflict"
        )

    def test_facts_are_added_without_a_version_and_a_retraction_ends_it(
        self, verifier: httpx.Client, incident: str
    ) -> None:
        victim = {"role": "PASANTE_MEDICINE", "sex": "MALE", "outcome": "NONE", "nexus": "COMMUTE"}
        assert verifier.post(f"{incident}/victims", json=victim).status_code == 201
        assert verifier.post(f"{incident}/findings", json={"kind": "VERBAL"}).status_code == 201
        tag = verifier.get(incident).headers["etag"]
        retracted = verifier.post(
            f"{incident}/retraction", json={"reason": "DUPLICATE"}, headers={"If-Match": tag}
        )
        assert retracted.status_code == 201

    def test_the_same_key_for_the_same_words_about_another_incident_is_another_request(
        self, submitter: httpx.Client, verifier: httpx.Client, incident: str
    ) -> None:
        reported = submitter.post("/v1/reports", json=report()).json()["id"]
        other = verifier.post("/v1/incidents", json={"class": "THREAT", "reports": [reported]}).json()["id"]
        headers = {"Idempotency-Key": str(uuid4())}
        assert (
            verifier.post(f"{incident}/findings", json={"kind": "VERBAL"}, headers=headers).status_code == 201
        )
        second = verifier.post(f"/v1/incidents/{other}/findings", json={"kind": "VERBAL"}, headers=headers)
        problem(second, 422, "idempotency-key-reused")

    def test_whoever_reported_does_not_adjudicate(self, program: Program) -> None:
        with program.client(program.new_key(ALL_SCOPES)) as both:
            reported = both.post("/v1/reports", json=report()).json()["id"]
            refused = both.post("/v1/incidents", json={"class": "THREAT", "reports": [reported]})
            assert problem(refused, 409, "rule-violated")["rule"]


class TestKeys:
    def test_without_a_key_nothing_is_done_and_the_answer_says_how(self, anybody: httpx.Client) -> None:
        response = anybody.post("/v1/reports", json=report())
        problem(response, 401, "unauthenticated")
        assert response.headers["www-authenticate"].startswith("Bearer")

    def test_a_mistyped_key_is_told_from_an_unknown_one(self, program: Program) -> None:
        key = program.admin_key
        with program.client(key[:-1] + ("A" if key[-1] != "A" else "B")) as client:
            mistyped = problem(
                client.get("/v1/keys", headers={"Accept-Language": "en"}), 401, "unauthenticated"
            )
        assert "mistyped" in str(mistyped["detail"])

    def test_a_missing_scope_is_named(self, submitter: httpx.Client) -> None:
        response = submitter.post("/v1/institutions", json={"name": "X", "kind": "PRESS", "state": "09"})
        assert problem(response, 403, "missing-scope")["scope"] == "admin"
        assert 'error="insufficient_scope"' in response.headers["www-authenticate"]

    def test_a_repeated_request_for_a_key_gives_the_same_key(self, program: Program) -> None:
        with program.client(program.admin_key) as admin:
            body = {"institution": None, "scopes": ["admin"], "expires_on": "2099-01-01"}
            headers = {"Idempotency-Key": str(uuid4())}
            first = admin.post("/v1/keys", json=body, headers=headers)
            again = admin.post("/v1/keys", json=body, headers=headers)
            assert set(first.json()) == {"id", "key"}
            assert again.json() == first.json()
            assert again.headers["idempotency-replayed"] == "true"
            other = {**body, "expires_on": "2099-01-02"}
            problem(admin.post("/v1/keys", json=other, headers=headers), 422, "idempotency-key-reused")
            shown = admin.get(first.headers["location"])
            assert first.json()["key"] not in shown.text
        with program.client(first.json()["key"]) as second_admin:
            assert second_admin.get("/v1/keys").status_code == 200

    @pytest.mark.parametrize(
        "change",
        [
            {"institution": str(uuid4())},
            {"institution": None},
            {"scopes": []},
            {"scopes": ["everything"]},
            {"expires_on": "2020-01-01"},
        ],
        ids=str,
    )
    def test_a_key_that_makes_no_sense_is_not_issued(
        self, program: Program, change: dict[str, object]
    ) -> None:
        with program.client(program.admin_key) as admin:
            body = {"institution": None, "scopes": ["reports:write"], "expires_on": "2099-01-01"} | change
            if "institution" not in change:
                made = admin.post("/v1/institutions", json={"name": "X", "kind": "PRESS", "state": "09"})
                body["institution"] = made.json()["id"]
            problem(admin.post("/v1/keys", json=body), 422, "invalid-input")


class TestProblems:
    @pytest.mark.parametrize(
        ("body", "status", "slug"),
        [
            (b"{", 400, "malformed-body"),
            (b"", 400, "malformed-body"),
            (b'{"class":"THREAT","class":"ATTACK","source_type":"PRESS"}', 400, "malformed-body"),
            (b'{"class":"THREAT","source_type":"PLANTED-VALUE"}', 422, "invalid-input"),
            (b'{"class":"THREAT","source_type":"PRESS","PLANTED-VALUE":1}', 422, "invalid-input"),
            (b'{"narrative":"' + b"x" * (2 << 20) + b'"}', 413, "body-too-large"),
        ],
        ids=["cut off", "nothing", "repeated name", "unknown code", "unknown field", "too large"],
    )
    def test_a_body_that_cannot_be_taken_is_refused_without_repeating_it(
        self, submitter: httpx.Client, body: bytes, status: int, slug: str
    ) -> None:
        response = submitter.post("/v1/reports", content=body, headers={"Content-Type": "application/json"})
        problem(response, status, slug)
        assert "PLANTED" not in response.text

    def test_a_form_is_no_json(self, submitter: httpx.Client) -> None:
        problem(submitter.post("/v1/reports", data={"class": "THREAT"}), 415, "unsupported-media-type")

    def test_problems_are_told_in_the_reader_s_language(self, anybody: httpx.Client) -> None:
        told = {}
        for language in ("es", "en"):
            response = anybody.get("/v1/reports", headers={"Accept-Language": language})
            assert response.headers["content-language"] == language
            told[language] = response.json()["title"]
        assert told == {"es": "Falta una clave válida", "en": "A valid key is missing"}
        assert anybody.get("/v1/reports").json()["title"] == told["es"]

    def test_the_framework_s_own_errors_are_problems_too(self, submitter: httpx.Client) -> None:
        problem(submitter.get("/nowhere"), 404, "not-found")
        refused = submitter.delete("/v1/reports")
        problem(refused, 405, "method-not-allowed")
        assert "POST" in refused.headers["allow"]
        problem(submitter.get("/v1/reports/not-an-id"), 404, "not-found")
        bad = problem(submitter.get("/v1/reports", params={"limit": "PLANTED"}), 422, "invalid-input")
        assert "PLANTED" not in json.dumps(bad)
        problem(
            submitter.get("/v1/reports", params={"updated_after": "2026-01-01T00:00:00"}),
            422,
            "invalid-input",
        )

    def test_every_type_leads_to_its_documentation(self, anybody: httpx.Client) -> None:
        for kind in anybody.get("/problems").json():
            assert anybody.get(kind["type"]).json() == kind


class TestPublicFace:
    def test_the_log_is_served_as_its_specifications_say(
        self, submitter: httpx.Client, anybody: httpx.Client
    ) -> None:
        made = submitter.post("/v1/reports", json=report()).json()["events"][0]
        deadline = time.monotonic() + 20
        while anybody.get(f"/log/proof/{made['position']}").status_code == 404:
            assert time.monotonic() < deadline, "no checkpoint covers the report"
            time.sleep(0.2)
        checkpoint = anybody.get("/log/checkpoint")
        assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
        assert int(re.fullmatch(r"public, max-age=(\d+)", checkpoint.headers["cache-control"])[1]) <= 5  # type: ignore[index]
        keys = anybody.get("/log/keys").json()
        assert set(keys) == {"log", "receipt", "count"}
        size = int(checkpoint.text.split("\n")[1])
        width = f".p/{size % 256}" if size < 256 else ""
        for path in (f"/log/tile/0/000{width}", f"/log/tile/entries/000{width}"):
            tile = anybody.get(path)
            assert tile.status_code == 200
            assert tile.headers["content-type"] == "application/octet-stream"
            assert "immutable" in tile.headers["cache-control"]
            assert tile.headers["access-control-allow-origin"] == "*"
        assert made["leaf"].encode() in anybody.get(f"/log/tile/entries/000{width}").content
        proof = Proof.parse(anybody.get(f"/log/proof/{made['position']}").text)
        leaf = hashlib.sha256(b"\0" + made["leaf"].encode()).digest()
        origin = checkpoint.text.split("\n")[0]
        assert proof.verify(leaf, origin, [Verifier.parse(keys["log"][0])]).size > made["position"]

    @pytest.mark.parametrize(
        "path", ["tile/0/999", "tile/0/0", "tile/../keys/log.key", "tile/64/000", "proof/999999"]
    )
    def test_what_the_log_does_not_have_is_not_found_and_not_cached(
        self, anybody: httpx.Client, path: str
    ) -> None:
        response = anybody.get(f"/log/{path}")
        assert response.status_code == 404
        assert response.headers["cache-control"] == "no-store"

    def test_the_program_says_how_it_fares(self, anybody: httpx.Client) -> None:
        assert anybody.get("/healthz").json() == {"status": "ok"}
        ready = anybody.get("/readyz")
        assert ready.json()["status"] == "ready"
        metrics = anybody.get("/metrics")
        assert metrics.status_code == 200
        assert 'constancia_http_requests_total{method="GET",route="/readyz",status="200"}' in metrics.text
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-4", metrics.text)

    def test_no_page_loads_anything_from_elsewhere(self, anybody: httpx.Client) -> None:
        for path in ("/docs", "/redoc", "/graphql"):
            assert "cdn" not in anybody.get(path, headers={"Accept": "text/html"}).text

    def test_the_question_that_the_program_suggests_can_be_asked(
        self, program: Program, anybody: httpx.Client
    ) -> None:
        suggested = re.search(r"--json '(.*)'", program.output)
        assert suggested is not None
        answer = anybody.post("/graphql", content=suggested[1], headers={"Content-Type": "application/json"})
        assert "errors" not in answer.json(), answer.text


class TestRunning:
    def test_the_first_start_makes_its_keys_for_its_owner_only(self, program: Program) -> None:
        for path in (
            program.data / "admin.key",
            program.data / "master.key",
            *(program.data / "keys").iterdir(),
        ):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert "admin.key" in program.output
        assert program.admin_key not in program.output

    def test_nothing_private_and_no_id_is_in_the_log(self, program: Program, submitter: httpx.Client) -> None:
        made = submitter.post("/v1/reports", json=report()).json()["id"]
        submitter.get("/v1/reports", params={"source_record_id": "PLANTED-QUERY"})
        submitter.get(f"/v1/reports/{made}")
        log = program.output
        assert "/v1/reports/{id}" in log
        for private in (*PRIVATE, "PLANTED-QUERY", made):
            assert private not in log

    def test_a_taken_port_is_said_before_anything_is_touched(
        self, start_program: Callable[..., Program]
    ) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            refused = start_program(None, taken.getsockname()[1])
            assert refused.process.wait(30) == 1
        assert "ya está en uso" in refused.output
        assert "already in use" in refused.output
        assert "Traceback" not in refused.output
        assert not refused.data.exists()

    def test_two_programs_never_share_a_data_directory(
        self, program: Program, start_program: Callable[..., Program]
    ) -> None:
        second = start_program(program.data, free_port())
        assert second.process.wait(30) == 1
        assert "constancia up" in second.output
        assert httpx.get(f"{program.url}/readyz").status_code == 200

    def test_a_kill_loses_nothing_and_a_stop_is_quick(self, start_program: Callable[..., Program]) -> None:
        first = start_program().wait_until_ready()
        key = first.new_key(["reports:write"])
        with first.client(key) as client:
            made = client.post(
                "/v1/reports", json=report(source_record_id="r-1"), headers={"Idempotency-Key": "k-1"}
            )
        assert made.status_code == 201
        admin_key = first.admin_key
        first.process.kill()
        first.process.wait()

        second = start_program(first.data, first.port).wait_until_ready()
        assert second.admin_key == admin_key
        with second.client(key) as client:
            again = client.post(
                "/v1/reports", json=report(source_record_id="r-1"), headers={"Idempotency-Key": "k-1"}
            )
            assert again.json() == made.json()
            assert client.get(made.headers["location"]).status_code == 200
        started = time.monotonic()
        assert second.stop(signal.SIGTERM) == 0
        assert time.monotonic() - started < 10

        # The log keeps its name, whatever port it is served on.
        third = start_program(first.data, free_port()).wait_until_ready()
        assert httpx.get(f"{third.url}/log/checkpoint").text.startswith(f"localhost:{first.port}/log\n")
        third.process.send_signal(signal.SIGINT)
        third.process.send_signal(signal.SIGINT)
        third.process.wait(20)


def constancia(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONSTANCIA_")}
    return subprocess.run(
        [str(CONSTANCIA), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**clean, **environment},
    )


class TestCommands:
    def test_every_command_explains_itself_in_both_languages(self) -> None:
        said = constancia("--help").stdout
        for command in (
            "up",
            "serve",
            "project",
            "publish",
            "migrate",
            "keys",
            "release",
            "verify",
            "import",
        ):
            assert command in said
        assert "·" in said

    def test_the_operator_issues_lists_and_revokes_keys_beside_the_running_program(
        self, program: Program
    ) -> None:
        data = ("--data", str(program.data))
        created = constancia("keys", "create", "--scope", "admin", "--expires-on", "2099-12-31", *data)
        assert created.returncode == 0, created.stderr
        key, key_id = created.stdout.strip(), created.stderr.split()[-1]
        with program.client(key) as client:
            assert client.get("/v1/keys").status_code == 200
            listed = constancia("keys", "list", *data).stdout
            assert f"{key_id}  -  2099-12-31  admin" in listed
            assert key not in listed
            assert constancia("keys", "revoke", key_id, *data).returncode == 0
            assert client.get("/v1/keys").status_code == 401
        again = constancia("keys", "revoke", key_id, *data)
        assert again.returncode == 1
        assert "Traceback" not in again.stderr

    def test_a_key_for_an_institution_that_does_not_exist_is_not_issued(self, program: Program) -> None:
        institution = ("--institution", str(uuid4()))
        refused = constancia(
            "keys", "create", "--scope", "reports:write", *institution, "--data", str(program.data)
        )
        assert refused.returncode == 1
        assert "institution" in refused.stderr

    def test_the_database_is_brought_up_to_date_and_a_release_made_beside_the_program(
        self, program: Program
    ) -> None:
        for command in ("migrate", "release"):
            done = constancia(command, "--data", str(program.data))
            assert done.returncode == 0, done.stderr

    def test_the_parts_run_as_processes_of_their_own(self, place: Path) -> None:
        data, port = place / "data", free_port()
        environment = {**os.environ, "CONSTANCIA_ORIGIN": f"localhost:{port}/log"}
        parts = [
            subprocess.Popen(
                [str(CONSTANCIA), *part, "--data", str(data)], stderr=subprocess.DEVNULL, env=environment
            )
            for part in (("serve", "--port", str(port)), ("project",), ("publish",))
        ]
        try:
            deadline = time.monotonic() + 60
            while True:
                assert time.monotonic() < deadline
                try:
                    if httpx.get(f"http://127.0.0.1:{port}/log/checkpoint", timeout=5).status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.2)
        finally:
            for part in parts:
                part.terminate()
            ended = [part.wait(30) for part in parts]
        assert ended == [0, 0, 0]

    def test_a_setting_that_cannot_be_used_is_named(self) -> None:
        refused = constancia("migrate", CONSTANCIA_DATABASE_URL="mysql://secret@host")
        assert refused.returncode == 1
        assert "CONSTANCIA_DATABASE_URL" in refused.stderr
        assert "secret" not in refused.stderr
