"""What institutions, reviewers and the administrator get from the running program, and what it refuses."""

import base64
import hashlib
import hmac
import json
from uuid import uuid4

import httpx
import pytest

from registry.log.canonical import encode
from registry.log.note import Verifier
from registry.log.receipt import Receipt
from tests.acceptance.conftest import ALL_SCOPES, Program, report

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
            {"institution": "5f0c6d9e-3c1b-4a86-9a53-0a6f3b1c2d4e"},
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
