"""Published claims and the cases that they support, through the running program to the public figures.

The expected figures are computed by hand, case by case, from the definition of the count and the shipped policy. The
data lies beside the project; the profiles and the adjudicated cases are its documented examples.
"""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import pytest

from api.imports.answers import Mode, Status
from api.imports.records import Records
from api.imports.sending import CHUNK_ROWS, Sender
from tests.acceptance.conftest import CONSTANCIA, Program, free_port

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SECONDS = 60
IMPORTED = {
    "submitter": ["imports:write", "reports:write"],
    # It also collects what others say about relocations, which is never linked to an incident.
    "verifier": ["imports:write", "incidents:verify", "reports:write"],
}

Bounds = tuple[int, int, int]


class Case(NamedTuple):
    """What the public sees of one case after one release: [low, best, high] of its incident, by nexus."""

    name: str
    incident_class: str
    year: str
    state: str
    strict: Bounds
    broad: Bounds
    dead: Bounds


PROBABLE, POSSIBLE, NOTHING = (0, 1, 1), (0, 0, 1), (0, 0, 0)
SEALED = "UNDISCLOSED"

# Killed, without a survivor in scope: the state opens at the next release. All others wait 90 days for it.
COUNTED = [
    # Several independent outlets agree on class, 15 July and the municipality; killed at work.
    Case("DGO-2022-07-15", "ATTACK", "2022", "10", PROBABLE, PROBABLE, PROBABLE),
    # Independent outlets agree; how she died is disputed, that she died in the quarters of her clinic is not.
    Case("CHIS-2021-01-28", "ATTACK", "2021", "07", PROBABLE, PROBABLE, PROBABLE),
    # Assigned in Jalisco, killed in Zacatecas during a transfer, which is where it counts. The driver is no student.
    Case("ZAC-2021-06-30", "ATTACK", "2021", "32", PROBABLE, PROBABLE, PROBABLE),
    # Two pieces of one newsroom are one source; it names the survivor, so it is direct: POSSIBLE.
    Case("MICH-2020-spring", "ATTACK", "2020", SEALED, POSSIBLE, POSSIBLE, NOTHING),
    # One source that quotes the students' message. Where they were held up is not said: no strict nexus.
    Case("MICH-2021-07-11", "THREAT", "2021", SEALED, NOTHING, POSSIBLE, NOTHING),
    # One source that names the witness, at his health centre.
    Case("CHIH-2015-07", "THREAT", "2015", SEALED, POSSIBLE, POSSIBLE, NOTHING),
]

# One indirect source each: rumours, which are never disclosed and never counted.
RUMOURS = [
    "SON-2013",  # found dead after threats; one outlet, no witness or document named
    "OAX-2015-10",  # the student is not named, nor is a document
    "MEX-2013-11",  # "several interns", unnamed
    "MICH-2022-08-24",  # three students, unnamed
    "CHIH-2021-06",  # "a student of the university"
    "CHIS-2020-06-10",  # the director was held, no student: it would count 0 at any certainty
    "PUE-2020-02-23",  # off duty, one outlet
    "NL-2011",  # "at least ten students", no date: an aggregate, not an occurrence
]


def total(bounds: list[Bounds]) -> Bounds:
    """Component by component."""
    low, best, high = (sum(part) for part in zip(NOTHING, *bounds, strict=True))
    return low, best, high


def by(cases: list[tuple[str, Bounds]]) -> dict[str, Bounds]:
    """Rows of a breakdown; those that are nothing throughout do not appear."""
    keys = {key for key, _ in cases}
    rows = {key: total([bounds for other, bounds in cases if other == key]) for key in keys}
    return {key: bounds for key, bounds in rows.items() if bounds != NOTHING}


class Register(NamedTuple):
    """A program with the two keys that imports take."""

    program: Program
    submitter: str
    verifier: str


@pytest.fixture(scope="module")
def files(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copies, since an import leaves its annotated copy beside the file."""
    directory = tmp_path_factory.mktemp("files")
    for name in ("news_claims.csv", "relocations_suspensions.csv"):
        shutil.copy(shared_data / "social_service" / name, directory)
    for name in ("cases.ndjson", "bocoyna-report.ndjson", "bocoyna-case.ndjson"):
        shutil.copy(EXAMPLES / name, directory)
    return directory


@pytest.fixture(scope="module")
def register(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    """Claims, statements and cases imported, then one release."""
    program = Program(
        tmp_path_factory.mktemp("real") / "data",
        free_port(),
        CONSTANCIA_PUBLISH_EVERY="1",
        CONSTANCIA_RELEASE_EVERY="86400",
    )
    try:
        program.wait_until_ready()
        keys = Register(
            program,
            program.new_key(IMPORTED["submitter"]),
            program.new_key(IMPORTED["verifier"], kind="ASSOCIATION", name="Observatorio"),
        )
        for imported in import_everything(keys, files):
            assert imported.returncode == 0, imported.stderr
        release(program)
        wait_for(lambda: ask(program)["count"]["high"] > 0)
        yield keys
    finally:
        program.stop()


def import_everything(register: Register, files: Path) -> list[subprocess.CompletedProcess[str]]:
    return [
        run_import(register, files / "news_claims.csv", "reports", register.submitter, "claims.toml"),
        run_import(register, files / "bocoyna-report.ndjson", "reports", register.submitter, None),
        run_import(register, files / "cases.ndjson", "incidents", register.verifier, None, mode="atomic"),
        run_import(register, files / "bocoyna-case.ndjson", "incidents", register.verifier, None),
        run_import(
            register,
            files / "relocations_suspensions.csv",
            "relocations",
            register.verifier,
            "relocations.toml",
        ),
    ]


def run_import(
    register: Register, file: Path, records: str, key: str, profile: str | None, mode: str = "partial"
) -> subprocess.CompletedProcess[str]:
    """``constancia import``, as a person runs it."""
    arguments = [str(CONSTANCIA), "import", str(file), "--records", records, "--mode", mode]
    arguments += ["--url", register.program.url]
    arguments += ["--profile", str(EXAMPLES / profile)] if profile else []
    return subprocess.run(
        arguments,
        env={**os.environ, "CONSTANCIA_KEY": key},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def release(program: Program) -> None:
    arguments = [str(CONSTANCIA), "release", "--data", str(program.data)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.2)


def ask(program: Program, unit: str = "INCIDENTS", nexus: str = "STRICT", *dimensions: str) -> dict[str, Any]:
    """The count, and its breakdown if dimensions are given, as a journalist asks for them."""
    numbers = "low best high"
    rows = f"rows {{ key {{ state value }} {numbers} }}"
    breakdown = (
        f"counts(groupBy: [{', '.join(dimensions)}], unit: {unit}, filter: {{nexus: {nexus}}}) {{ {rows} }}"
    )
    count = f"count(unit: {unit}, filter: {{nexus: {nexus}}}) {{ {numbers} waiting asOf {{ size }} }}"
    query = f"{{ {count} {breakdown if dimensions else ''} }}"
    answer = httpx.post(f"{program.url}/graphql", json={"query": query}, timeout=30).json()
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data


def whole(program: Program, unit: str, nexus: str) -> Bounds:
    count = ask(program, unit, nexus)["count"]
    return count["low"], count["best"], count["high"]


def breakdown(
    program: Program, dimension: str, unit: str = "INCIDENTS", nexus: str = "STRICT"
) -> dict[str, Bounds]:
    return {
        (row["key"][0]["value"] or row["key"][0]["state"]): (row["low"], row["best"], row["high"])
        for row in ask(program, unit, nexus, dimension)["counts"]["rows"]
    }


def test_the_example_adjudicates_every_case_once() -> None:
    cases = [
        json.loads(line) for line in (EXAMPLES / "cases.ndjson").read_text(encoding="utf-8").splitlines()
    ]
    assert sorted(case["source_record_id"] for case in cases) == sorted(
        [*RUMOURS, *(case.name for case in COUNTED)]
    )
    certain = {case["source_record_id"]: case["certainty"]["level"] for case in cases}
    assert {name for name, level in certain.items() if level == "RUMOUR"} == set(RUMOURS)
    assert {name for name, level in certain.items() if level == "PROBABLE"} == {
        case.name for case in COUNTED if case.broad == PROBABLE
    }


@pytest.mark.parametrize(
    ("unit", "nexus", "expected"),
    [
        ("INCIDENTS", "STRICT", total([case.strict for case in COUNTED])),
        ("INCIDENTS", "BROAD", total([case.broad for case in COUNTED])),
        ("DEATHS", "STRICT", total([case.dead for case in COUNTED])),
        ("DEATHS", "BROAD", total([case.dead for case in COUNTED])),
        # One student each; the two who were held up in Buenavista count in BROAD only.
        ("VICTIMISATIONS", "STRICT", (0, 3, 5)),
        ("VICTIMISATIONS", "BROAD", (0, 3, 7)),
    ],
)
def test_the_totals_are_those_computed_by_hand(
    register: Register, unit: str, nexus: str, expected: Bounds
) -> None:
    assert whole(register.program, unit, nexus) == expected


def test_the_totals_in_figures(register: Register) -> None:
    assert whole(register.program, "INCIDENTS", "STRICT") == (0, 3, 5)
    assert whole(register.program, "INCIDENTS", "BROAD") == (0, 3, 6)
    assert whole(register.program, "DEATHS", "STRICT") == (0, 3, 3)


@pytest.mark.parametrize("nexus", ["STRICT", "BROAD"])
def test_classes_years_and_states_are_those_computed_by_hand(register: Register, nexus: str) -> None:
    bounds = [case.strict if nexus == "STRICT" else case.broad for case in COUNTED]
    classes, years, states = (
        by([(str(getattr(case, facet)), bound) for case, bound in zip(COUNTED, bounds, strict=True)])
        for facet in ("incident_class", "year", "state")
    )
    assert breakdown(register.program, "CLASS", nexus=nexus) == classes
    assert breakdown(register.program, "YEAR", nexus=nexus) == years
    assert breakdown(register.program, "STATE", nexus=nexus) == states


def test_deaths_by_year_and_state_are_those_computed_by_hand(register: Register) -> None:
    assert breakdown(register.program, "YEAR", "DEATHS") == {"2021": (0, 2, 2), "2022": PROBABLE}
    assert breakdown(register.program, "STATE", "DEATHS") == {"07": PROBABLE, "10": PROBABLE, "32": PROBABLE}


def test_one_statement_names_the_incident_that_moved_the_students(register: Register) -> None:
    """A doctor's killing: no victim in scope, so it counts nowhere, and six students were moved because of it."""
    with register.program.client(register.verifier) as client:
        incidents = client.get("/v1/incidents", params={"source_record_id": "CHIH-2022-BOC"}).json()["items"]
        statements = []
        after = None
        while True:
            page = client.get(
                "/v1/reports", params={"limit": 100, **({"after": after} if after else {})}
            ).json()
            statements += [one for one in page["items"] if one["class"] == "RELOCATION"]
            if not (after := page["next"]):
                break
    assert len(statements) == 16
    (moved,) = [one for one in statements if one["trigger_incident"] is not None]
    assert moved["trigger_incident"] == incidents[0]["id"]
    assert moved["count"] == {"low": 6, "best": 6, "high": 6}


def test_no_word_of_a_source_is_public(register: Register) -> None:
    program = register.program
    size = int(httpx.get(f"{program.url}/log/checkpoint", timeout=30).text.splitlines()[1])
    bundle = httpx.get(f"{program.url}/log/tile/entries/000.p/{size}", timeout=30)
    assert bundle.status_code == 200
    for word in ("viernes", "pasante", "El Salto", "Palestina", "DGO-2022", "http", "Debate"):
        assert word.encode() not in bundle.content


def test_a_second_import_adds_nothing(register: Register, files: Path) -> None:
    before = ask(register.program)["count"]["asOf"]["size"]
    for again in import_everything(register, files):
        assert again.returncode == 0, again.stderr
        assert " 0 creadas" in again.stderr
    time.sleep(2.5)
    assert ask(register.program)["count"]["asOf"]["size"] == before


def test_rows_that_contradict_what_was_sent_before_are_shown_beside_the_file(
    register: Register, files: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "claims.csv"
    text = (files / "news_claims.csv").read_text(encoding="utf-8")
    changed.write_text(text.replace("15 de junio", "16 de junio"), encoding="utf-8")
    refused = run_import(register, changed, "reports", register.submitter, "claims.toml")

    assert refused.returncode == 1
    assert "40 ya estaban, 1 con errores" in refused.stderr
    lines = (tmp_path / "claims.csv.errors.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].endswith(",error")
    assert "source_record_id" in lines[8]


def test_a_kill_during_the_import_loses_nothing_that_was_acknowledged(
    start_program: Callable[..., Program],
) -> None:
    program = start_program(CONSTANCIA_RELEASE_EVERY="86400").wait_until_ready()
    rows = [
        json.dumps(
            {
                "class": "THREAT",
                "source_type": "UNIVERSITY",
                "kind": "MESSAGE",
                "source_record_id": f"2026/{number}",
            }
        ).encode()
        for number in range(3 * CHUNK_ROWS)
    ]
    with program.client(program.new_key(IMPORTED["submitter"])) as client:
        killing: list[threading.Thread] = []

        def kill_and_restart() -> None:
            time.sleep(0.1)
            program.stop(signal.SIGKILL)
            start_program(program.data, program.port, CONSTANCIA_RELEASE_EVERY="86400").wait_until_ready()

        acknowledged: dict[int, UUID | None] = {}
        retried: list[int] = []
        for answers in Sender(client, Records.REPORTS, Mode.PARTIAL, retrying=retried.append).send(rows):
            acknowledged |= {answer.place: answer.result.id for answer in answers}
            assert all(answer.result.status in (Status.CREATED, Status.UNCHANGED) for answer in answers)
            if not killing:
                killing.append(threading.Thread(target=kill_and_restart))
                killing[0].start()
        killing[0].join()
        assert retried, "the kill came too late to cut anything"
        assert len(acknowledged) == len(rows)

        again = [
            answer
            for answers in Sender(client, Records.REPORTS, Mode.PARTIAL).send(rows)
            for answer in answers
        ]
        assert {answer.result.status for answer in again} == {Status.UNCHANGED}
        assert {answer.place: answer.result.id for answer in again} == acknowledged
