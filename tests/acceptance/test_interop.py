"""Strangers check the running program's log: Go's own implementation, a checker in JavaScript, a linter.

None of them shares code with the register; each is shown lies too, so that its word counts.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.altering import Change, Said, altered
from tests.acceptance.conftest import Program, report
from tests.interop.lint import lint

INTEROP = Path(__file__).parents[1] / "interop"
GO_PATH = Path("/usr/share/gocode")
"""Where Debian's packages put Go sources; nothing is fetched."""

LEAVES = 560
"""Two full tiles, a partial one and a level above."""

Json = dict[str, Any]


@pytest.fixture(scope="module")
def url(program: Program) -> str:
    """The prefix of a log of two tiles and more."""
    with program.client(program.new_key(["reports:write"])) as client, ThreadPoolExecutor(8) as submitters:
        missing = LEAVES - published_size(program)
        for answer in submitters.map(lambda _: client.post("/v1/reports", json=report()), range(missing)):
            assert answer.status_code == 201, answer.text
    wait_for(program, LEAVES)
    return f"{program.url}/log"


@pytest.fixture(scope="module")
def go_checker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built from Debian's packages without a network."""
    if shutil.which("go") is None or not (GO_PATH / "src/golang.org/x/mod/sumdb").is_dir():
        pytest.skip("Go or its x/mod sources are absent: apt-get install golang-go golang-golang-x-mod-dev")
    built = tmp_path_factory.mktemp("go") / "check"
    settings = {
        "GO111MODULE": "off",
        "GOFLAGS": "",
        "GOPATH": str(GO_PATH),
        "GOCACHE": str(built.parent / "cache"),
    }
    subprocess.run(
        ["go", "build", "-o", built, "check.go"],
        cwd=INTEROP / "go",
        env={**os.environ, **settings},
        check=True,
    )
    return built


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is absent: apt-get install nodejs")
    return found


def published_size(program: Program) -> int:
    return int(httpx.get(f"{program.url}/log/checkpoint").text.split("\n")[1])


def wait_for(program: Program, size: int) -> None:
    """Until a checkpoint has so many leaves."""
    deadline = time.monotonic() + 30
    while published_size(program) < size:
        assert time.monotonic() < deadline, f"no checkpoint has {size} leaves"
        time.sleep(0.1)


def run(*command: str | Path, said: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=said, capture_output=True, text=True, check=False, timeout=120)


def key(url: str, kind: str) -> str:
    vkey: str = httpx.get(f"{url}/keys").json()[kind][0]
    return vkey


def on(part: str, change: Callable[[bytes], bytes]) -> Change:
    """Changes the body of every answer whose path contains ``part``."""

    def altering(path: str, said: Said) -> Said:
        return said._replace(body=change(said.body)) if part in path and said.status == 200 else said

    return altering


def flipped(at: int) -> Callable[[bytes], bytes]:
    """One bit of one byte, counted from the end when negative."""

    def flip(body: bytes) -> bytes:
        changed = bytearray(body)
        changed[at] ^= 1
        return bytes(changed)

    return flip


def relettered(at: int) -> Callable[[bytes], bytes]:
    """One letter of a text in base64, which stays one: another value, in the same spelling."""

    def change(body: bytes) -> bytes:
        changed = bytearray(body)
        changed[at] = ord("B") if changed[at] == ord("A") else ord("A")
        return bytes(changed)

    return change


class TestGo:
    def test_gos_own_code_finds_every_leaf_tile_and_proof_right(
        self, program: Program, url: str, go_checker: Path
    ) -> None:
        earlier = httpx.get(f"{url}/checkpoint").text
        with program.client(program.new_key(["reports:write"])) as client:
            position = client.post("/v1/reports", json=report()).json()["events"][0]["position"]
        wait_for(program, position + 1)
        checked = run(go_checker, url, key(url, "log"), "25", said=earlier)
        assert checked.returncode == 0, checked.stderr
        told = json.loads(checked.stdout)
        assert told["leaves"] == told["size"] > position
        assert told["tiles"] >= 4
        assert (told["inclusion"], told["consistency"]) == (27, 28)
        assert told["earlier"] == int(earlier.split("\n")[1])

    @pytest.mark.parametrize(
        ("change", "finding"),
        [
            pytest.param(on("/checkpoint", relettered(-20)), "invalid signature", id="a signature"),
            pytest.param(
                on("/checkpoint", lambda body: body.replace(b"\n", b"\n1", 1)),
                "invalid signature",
                id="a size",
            ),
            pytest.param(on("/tile/entries/001", flipped(70)), "the leaves give the root", id="an entry"),
            pytest.param(on("/tile/0/000", flipped(33)), "tile/0/000 is not", id="a hash in a full tile"),
            pytest.param(on("/tile/0/002", flipped(0)), "tile/0/002", id="a hash in a partial tile"),
            pytest.param(on("/tile/1/000", flipped(40)), "tile/1/000", id="a hash of a tile"),
            pytest.param(on("/proof/0", relettered(40)), "served proof of 0", id="a proof"),
        ],
    )
    def test_gos_own_code_finds_a_lie(self, url: str, go_checker: Path, change: Change, finding: str) -> None:
        with altered(url.removesuffix("/log"), change) as lying:
            checked = run(go_checker, f"{lying}/log", key(url, "log"))
        assert checked.returncode == 1
        assert finding in checked.stderr

    def test_a_checkpoint_of_another_key_is_refused(self, url: str, go_checker: Path) -> None:
        checked = run(go_checker, url, key(url, "receipt"))
        assert checked.returncode == 1
        assert "checkpoint: note has no verifiable signatures" in checked.stderr


class TestJavaScript:
    @pytest.fixture
    def submission(self, program: Program, url: str) -> Json:
        """What a sender keeps: the answer to a write, and the log's keys."""
        with program.client(program.new_key(["reports:write"])) as client:
            event = client.post("/v1/reports", json=report()).json()["events"][0]
        wait_for(program, event["position"] + 1)
        return {"vkey": key(url, "log"), "receiptVkey": key(url, "receipt"), "event": event}

    def test_a_sender_can_check_all_that_it_was_promised(self, url: str, node: str, submission: Json) -> None:
        checked = run(node, INTEROP / "js" / "check.mjs", url, said=json.dumps(submission))
        assert checked.returncode == 0, checked.stderr
        told = json.loads(checked.stdout)
        assert told["index"] == submission["event"]["position"]
        assert told["opened"] == ["content"]
        assert told["hashes"] >= 2

    @pytest.mark.parametrize(
        ("lie", "finding"),
        [
            ("leaf", "another root"),
            ("opening", "content"),
            ("receipt", "a false signature"),
            ("position", "another root"),
            ("key", "not signed once by"),
        ],
    )
    def test_a_sender_finds_a_broken_promise(
        self, url: str, node: str, submission: Json, lie: str, finding: str
    ) -> None:
        event = submission["event"]
        if lie == "leaf":
            event["leaf"] = event["leaf"].replace('"v":1', '"v":2')
        elif lie == "opening":
            event["openings"]["content"]["value"]["version"] += 1
        elif lie == "receipt":
            event["receipt"] = event["receipt"].replace("received 1", "received 2")
        elif lie == "position":
            event["position"] -= 1
        else:
            submission["vkey"] = submission["receiptVkey"]
        checked = run(node, INTEROP / "js" / "check.mjs", url, said=json.dumps(submission))
        assert checked.returncode == 1
        assert finding in checked.stderr

    @pytest.mark.parametrize("part", ["/checkpoint", "/proof"])
    def test_a_sender_finds_a_lying_server(self, url: str, node: str, submission: Json, part: str) -> None:
        with altered(url.removesuffix("/log"), on(part, relettered(-20))) as lying:
            checked = run(node, INTEROP / "js" / "check.mjs", f"{lying}/log", said=json.dumps(submission))
        assert checked.returncode == 1
        assert "AssertionError" in checked.stderr


class TestLinter:
    def test_the_log_is_served_to_the_letter_of_tlog_tiles(self, url: str) -> None:
        assert lint(url) == []

    @pytest.mark.parametrize(
        ("change", "finding"),
        [
            pytest.param(on("/tile/0/000", flipped(33)), "tile/0/000: not the 256 hashes", id="a hash"),
            pytest.param(
                on("/tile/entries/000", lambda body: body + b"\0"), "tile/entries/000: ", id="a bundle"
            ),
            pytest.param(
                lambda _, said: said._replace(headers={"content-type": "text/html"}),
                "tile/0/000: Content-Type",
                id="content types",
            ),
            pytest.param(
                lambda _, said: said._replace(
                    headers={**said.headers, "cache-control": "public, max-age=31536000, immutable"}
                ),
                "checkpoint: Cache-Control",
                id="a checkpoint that is kept",
            ),
            pytest.param(
                lambda path, said: Said(200, said.headers, b"") if said.status == 404 else said,
                "no checkpoint implies it",
                id="empty tiles",
            ),
        ],
    )
    def test_the_linter_finds_departures(self, url: str, change: Change, finding: str) -> None:
        with altered(url.removesuffix("/log"), change) as lying:
            found = lint(f"{lying}/log")
        assert any(finding in each for each in found), found
