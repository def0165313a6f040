"""What an operator and a stranger meet: the public face, starts, kills and stops, the commands."""

import hashlib
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

from registry.log.note import Verifier
from registry.log.proof import Proof
from registry.log.tiles import bundle_path, tile_path
from tests.acceptance.conftest import CONSTANCIA, Program, constancia, free_port, report

PRIVATE = ["Un mensaje le ordenó", "EJEMPLO-77"]


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
        assert checkpoint.headers["cache-control"] == "public, max-age=2"
        keys = anybody.get("/log/keys").json()
        assert set(keys) == {"log", "receipt", "count"}
        size = int(checkpoint.text.split("\n")[1])
        index = made["position"] // 256
        width = min(256, size - 256 * index)
        for path in (tile_path(0, index, width), bundle_path(index, width)):
            tile = anybody.get(f"/log/{path}")
            assert tile.status_code == 200
            assert tile.headers["content-type"] == "application/octet-stream"
            assert "immutable" in tile.headers["cache-control"]
            assert tile.headers["access-control-allow-origin"] == "*"
        assert made["leaf"].encode() in anybody.get(f"/log/{bundle_path(index, width)}").content
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
        deadline = time.monotonic() + 10
        while "GET /v1/reports/{id} 200" not in program.output:  # written after the answer
            assert time.monotonic() < deadline
            time.sleep(0.05)
        log = program.output
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
            "rebuild",
            "verify",
            "import",
            "export",
            "erase",
            "witness",
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
