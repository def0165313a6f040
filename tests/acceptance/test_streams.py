"""Those who follow the running register: our command, the examples, and a mirror that must survive everything."""

import hashlib
import io
import itertools
import json
import os
import runpy
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.log.canonical import encode
from tests.acceptance.conftest import CONSTANCIA, Program, report

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
MIRROR = [sys.executable, str(EXAMPLES / "mirror.py")]
PATIENCE = 60

Json = dict[str, Any]


def size_of(client: httpx.Client) -> int:
    """The size of the published log."""
    answer = client.get("/log/checkpoint")
    return int(answer.text.split("\n")[1]) if answer.status_code == 200 else 0


def published(client: httpx.Client, least: int) -> int:
    """The size of the log, once it has so much."""
    deadline = time.monotonic() + PATIENCE
    while (size := size_of(client)) < least:
        assert time.monotonic() < deadline, "no larger checkpoint came"
        time.sleep(0.1)
    return size


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CONSTANCIA_")}


@contextmanager
def running(command: list[str], cwd: Path, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A client, which is ended as its user would end it."""
    with output.open("ab") as file:
        process = subprocess.Popen(command, stdout=file, cwd=cwd, env=environment(), start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(PATIENCE)


def wait_for(reached: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def prints(path: Path, least: int) -> None:
    """Returns when a client has printed so many lines."""
    wait_for(lambda: len(lines(path)) >= least, f"of {least} lines it printed {len(lines(path))}")


def lines(path: Path) -> list[str]:
    """The whole lines of a file."""
    return path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []


def positions(path: Path) -> list[int]:
    return [json.loads(line)["position"] for line in lines(path)]


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("python", [sys.executable, "follow.py"]),
        ("node", ["node", "follow.mjs"]),
        ("curl", ["sh", "follow.sh"]),
    ],
)
def test_every_example_prints_the_whole_log(
    program: Program, anybody: httpx.Client, place: Path, name: str, command: list[str]
) -> None:
    needed = "curl" if name == "curl" else command[0]
    if shutil.which(needed) is None:
        pytest.skip(f"{needed} is absent")
    size = published(anybody, 3)
    output = place / "output"
    script = [command[0], str(EXAMPLES / command[1]), program.url]
    with running(script, place, output):
        prints(output, size)
    shown = positions(output) if name == "curl" else [int(line.split()[0]) for line in lines(output)]
    assert shown == list(range(len(shown)))
    if name == "curl":
        assert lines(place / "position")[-1] == str(len(shown))


def test_tail_prints_what_comes_and_goes_on_where_it_stopped(
    program: Program, anybody: httpx.Client, submitter: httpx.Client, place: Path
) -> None:
    output, state = place / "output", place / "state"
    command = [str(CONSTANCIA), "tail", program.url, "--json", "--state", str(state)]
    size = published(anybody, 3)
    for _ in range(2):
        with running(command, place, output) as tail:
            prints(output, size)
            assert submitter.post("/v1/reports", json=report()).status_code == 201
            size = published(anybody, size + 1)
            prints(output, size)
        assert tail.returncode == 0
        shown = positions(output)
        assert shown == list(range(len(shown)))
        assert json.loads(state.read_text()) == {"url": program.url, "after": len(shown)}


def test_tail_says_why_it_is_refused(program: Program, place: Path) -> None:
    (place / "key").write_text("cst_live_nobody")
    refused = subprocess.run(
        [str(CONSTANCIA), "tail", program.url, "--key-file", str(place / "key")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment(),
        check=False,
    )
    assert refused.returncode == 3
    assert "HTTP 401" in refused.stderr


class Mirror:
    """The reference mirror, as a process that is killed and started again, and what it has."""

    def __init__(self, program: Program, database: Path) -> None:
        self.program, self.database = program, database
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [*MIRROR, "follow", self.program.url, str(self.database)], stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE)

    def size(self) -> int:
        try:
            with sqlite3.connect(self.database) as database:
                return int(database.execute("SELECT count(*) FROM events").fetchone()[0])
        except sqlite3.OperationalError:  # not begun, or busy
            return 0

    def leaves(self) -> list[bytes]:
        with sqlite3.connect(self.database) as database:
            found = database.execute("SELECT position, leaf FROM events ORDER BY rowid").fetchall()
        assert [position for position, _ in found] == list(range(len(found)))
        return [leaf for _, leaf in found]

    def count(self, as_of: int, *arguments: str) -> Json:
        """Its answer, with the question in its canonical form."""
        answered = io.StringIO()
        with redirect_stdout(answered):
            runpy.run_path(str(EXAMPLES / "mirror.py"))["main"](
                ["count", str(self.database), "--as-of", str(as_of), *arguments]
            )
        answer: Json = json.loads(answered.getvalue())
        return answer


def certified(
    client: httpx.Client, as_of: int, unit: str, nexus: str, by: list[str], filters: str = ""
) -> Json:
    """The answer of the register in its canonical form, which its certificate carries."""
    query = (
        f"{{ counts(asOf: {as_of}, unit: {unit}, groupBy: [{', '.join(by)}], filter: {{nexus: {nexus} {filters}}})"
        " { certificate } }"
    )
    answer = client.post("/graphql", json={"query": query}).json()
    assert "errors" not in answer, answer
    result: Json = json.loads(answer["data"]["counts"]["certificate"].split("\n")[3])
    return result


class History:
    """What happens in the register while it is followed."""

    def __init__(self, program: Program) -> None:
        self.sender = program.client(program.new_key(["reports:write"]))
        self.reviewer = program.client(
            program.new_key(["incidents:verify"], kind="ASSOCIATION", name="Observatorio")
        )

    def incident(self, number: int, **changes: Any) -> str:
        """One more, reported and judged; every other one is a death."""
        victim = {
            "role": "PASANTE_MEDICINE",
            "sex": ("FEMALE", "MALE")[number % 2],
            "outcome": ("KILLED", "MINOR")[number % 2],
            "nexus": ("ON_DUTY_AT_SITE", "OFF_DUTY_ELSEWHERE")[number % 3 == 0],
            "student": {"internal_id": f"EJEMPLO-{number}"},
        }
        if number % 2 == 0:
            victim["manner"] = "HOMICIDE"
        when = {"earliest": f"202{number % 4}-03-02", "latest": f"202{number % 4}-03-02", "precision": "DAY"}
        where = {"state": f"{1 + number:02d}", "precision": "STATE"}
        told = report(**{"class": "ATTACK"}, when=when, where=where, kind="ARMED_ATTACK", victims=[victim])
        sent = self.sender.post("/v1/reports", json=told)
        assert sent.status_code == 201, sent.text
        made = self.reviewer.post(
            "/v1/incidents",
            json={
                "class": "ATTACK",
                "reports": [sent.json()["id"]],
                "findings": [{"when": when}, {"where": where}, {"kind": "ARMED_ATTACK"}],
                "victims": [victim],
                "certainty": {"level": "POSSIBLE", "basis": ["LINKED_REPORTS"]},
            },
        )
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def change(self, incident: str, path: str, body: Json) -> None:
        tag = self.reviewer.get(f"/v1/incidents/{incident}").headers["etag"]
        done = self.reviewer.post(f"/v1/incidents/{incident}/{path}", json=body, headers={"If-Match": tag})
        assert done.status_code == 201, done.text

    def close(self) -> None:
        self.sender.close()
        self.reviewer.close()


@pytest.mark.slow
def test_a_mirror_survives_everything_and_counts_as_the_register_does(
    start_program: Callable[..., Program], place: Path
) -> None:
    cadence = {"CONSTANCIA_PUBLISH_EVERY": "1", "CONSTANCIA_RELEASE_EVERY": "1"}
    program = start_program(place / "data", None, **cadence).wait_until_ready()
    output, state = place / "output", place / "state"
    tail = [str(CONSTANCIA), "tail", program.url, "--json", "--state", str(state)]
    mirror = Mirror(program, place / "mirror.db")
    mirror.start()
    with running(tail, place, output) as tailing, program.client() as anybody:
        history = History(program)
        incidents = [history.incident(number) for number in range(6)]
        sizes = [released(anybody, 6)]
        wait_for(lambda: mirror.size() >= sizes[0], "the mirror did not come along")

        # Killed in the midst, as its machine may be, again and again; meanwhile decisions are revised.
        history.change(incidents[0], "corrections", CORRECTION)
        mirror.kill()
        history.change(incidents[1], "retraction", {"reason": "OUT_OF_SCOPE"})
        mirror.start()
        sizes.append(released(anybody, 8))

        # And so is the register, and its database with it.
        program.process.kill()
        program.process.wait(PATIENCE)
        program = start_program(place / "data", program.port, **cadence).wait_until_ready()
        history.close()
        history = History(program)
        history.change(incidents[2], "merge", {"into": incidents[4], "reason": "DUPLICATE"})
        history.change(incidents[3], "certainty", {"level": "RUMOUR", "basis": []})
        sizes.append(released(anybody, 10))
        erased = subprocess.run(
            [str(CONSTANCIA), "erase", f"incident:{incidents[5]}", "--yes", "--data", str(program.data)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=environment(),
            check=False,
        )
        assert erased.returncode == 0, erased.stderr
        sizes.append(published(anybody, sizes[-1] + 1))
        history.close()

        wait_for(lambda: mirror.size() >= sizes[-1], "the mirror did not come along")
        prints(output, sizes[-1])
        mirror.kill()
        assert tailing.poll() is None
        same_log(anybody, mirror.leaves())
        asked = 0
        for as_of, unit, nexus in itertools.product(sizes, UNITS, ("STRICT", "BROAD")):
            by = ["YEAR", "STATE", "KIND", "CLASS", "CERTAINTY", "MONTH"]
            answer = mirror.count(as_of, "--unit", unit, "--nexus", nexus, "--by", ",".join(by))
            assert answer["result"] == certified(anybody, as_of, unit, nexus, by), (as_of, unit)
            asked += bool(answer["result"]["rows"])
        assert asked
        sex = mirror.count(sizes[-1], "--unit", "DEATHS", "--nexus", "BROAD", "--by", "SEX")
        assert sex["result"] == certified(anybody, sizes[-1], "DEATHS", "BROAD", ["SEX"])
        filtered = mirror.count(
            sizes[-1], "--by", "CLASS", "--state", "01,03", "--from", "2020-01", "--to", "2022-12"
        )
        asked_for = 'state: ["01", "03"], period: {from: "2020-01", to: "2022-12"}'
        assert filtered["result"] == certified(
            anybody, sizes[-1], "INCIDENTS", "STRICT", ["CLASS"], asked_for
        )
        totals = [mirror.count(as_of)["result"]["excluded"] for as_of in sizes]
        assert {one["reason"] for one in totals[-1]} >= {"RETRACTED", "MERGED"}
        assert totals[0] != totals[-1]
    assert tailing.returncode == 0
    shown = positions(output)
    assert shown == list(range(len(shown)))
    assert program.stop() == 0


UNITS = ("INCIDENTS", "VICTIMISATIONS", "DEATHS")
CORRECTION = {
    "when": {"earliest": "2019-09-27", "latest": "2019-09-27", "precision": "DAY"},
    "reason": "NEW_EVIDENCE",
}


def released(client: httpx.Client, disclosures: int) -> int:
    """The size of a published log with so many leaves about incidents."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        size = size_of(client)
        page = client.get("/v1/events", params={"types": "incident.disclosed", "limit": 500}).json()
        if len(page["items"]) >= disclosures and size > page["items"][-1]["position"]:
            return size
        time.sleep(0.1)
    pytest.fail("nothing more was released")


def same_log(client: httpx.Client, leaves: list[bytes]) -> None:
    """What the mirror has is what the feed says, which is what the log has."""
    found: list[bytes] = []
    while len(found) < len(leaves):
        page = client.get("/v1/events", params={"after": len(found), "limit": 500}).json()
        assert page["items"]
        for event in page["items"]:
            leaf = encode(event["data"]["leaf"])
            assert hashlib.sha256(b"\0" + leaf).hexdigest() == event["leafhash"]
            found.append(leaf)
    assert found[: len(leaves)] == leaves


DYING = """
import os, random, sqlite3, sys
sys.argv = {arguments!r}
sys.path.insert(0, {examples!r})
import mirror
take, chance = mirror.take, random.Random({seed})
def dying(database, events):
    if chance.random() < 0.5:
        if chance.random() < 0.5:
            # Within the transaction, before it is committed.
            database.execute("INSERT INTO events VALUES (?, '', '', '')", (mirror.size(database),))
        os.kill(os.getpid(), 9)
    take(database, events)
mirror.take = dying
mirror.main()
"""


def test_a_client_killed_between_receipt_and_commit_has_neither_gap_nor_double(
    program: Program, anybody: httpx.Client, submitter: httpx.Client, place: Path
) -> None:
    mirror = Mirror(program, place / "mirror.db")
    deaths = 0
    for seed in range(40):
        assert submitter.post("/v1/reports", json=report()).status_code == 201
        size = published(anybody, mirror.size() + 1)
        arguments = ["mirror.py", "follow", program.url, str(mirror.database), "--until", str(size)]
        done = subprocess.run(
            [sys.executable, "-c", DYING.format(arguments=arguments, examples=str(EXAMPLES), seed=seed)],
            timeout=PATIENCE,
            check=False,
        )
        deaths += done.returncode == -signal.SIGKILL
        if deaths >= 3 and done.returncode == 0:
            break
    assert deaths >= 3
    same_log(anybody, mirror.leaves())
