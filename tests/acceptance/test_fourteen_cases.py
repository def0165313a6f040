"""The histories of the published cases, played through the API as they came about, one decision after another.

What each source said of the date, and who published it, comes from the data beside the project. People are invented,
and so is one case more, of a student who dies of an attack a month later.
"""

import asyncio
import csv
import os
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from api.start import open_services, read_settings
from projections.releases import Releases
from tests.acceptance.conftest import CONSTANCIA, Program, directory, free_port

Row = dict[str, str]
Json = dict[str, Any]


def day(on: str) -> Json:
    return {"earliest": on, "latest": on, "precision": "DAY"}


def between(earliest: str | None, latest: str) -> Json:
    return {"earliest": earliest, "latest": latest, "precision": "INTERVAL"}


def in_municipality(code: str) -> Json:
    return {"cvegeo": code, "precision": "MUNICIPALITY"}


def in_state(code: str) -> Json:
    return {"state": code, "precision": "STATE"}


def student(outcome: str = "NOT_REPORTED", nexus: str = "ON_DUTY_AT_SITE", **more: Any) -> Json:
    return {"role": "PASANTE_MEDICINE", "outcome": outcome, "nexus": nexus, **more}


def alike(number: int) -> Json:
    return {"low": number, "best": number, "high": number}


KILLED = {"outcome": "KILLED", "manner": "HOMICIDE"}
DRIVER = {"role": "STAFF", **KILLED, "nexus": "ON_DUTY_TRANSFER"}


class Case(NamedTuple):
    """What the sources of one case agree on. ``when``: for those that give no calendar date."""

    kind: str
    when: Json
    where: Json
    victims: list[Json]
    incident_class: str = "ATTACK"
    direct: tuple[str, ...] = ()
    """The sources that name a witness or a document."""


CASES = {
    "DGO-2022-07-15": Case(
        "ARMED_ATTACK", between(None, "2022-07-21"), in_municipality("10023"), [student(**KILLED, sex="MALE")]
    ),
    "CHIS-2021-01-28": Case(
        "DEATH_UNDETERMINED",
        between(None, "2021-01-31"),
        in_municipality("07059"),
        [student("KILLED", "LIVING_QUARTERS", sex="FEMALE", manner="SUICIDE_REPORTED")],
        direct=("1", "5", "7"),
    ),
    "ZAC-2021-06-30": Case(
        "ARMED_ATTACK",
        between(None, "2021-07-05"),
        in_municipality("32049"),
        [student(**KILLED, nexus="ON_DUTY_TRANSFER", sex="MALE")],
    ),
    "SON-2013": Case(
        "DEATH_UNDETERMINED",
        {"earliest": "2013-01-01", "latest": "2013-12-31", "precision": "YEAR"},
        in_municipality("26061"),
        [student("KILLED", "UNKNOWN", sex="FEMALE", manner="UNDETERMINED")],
    ),
    "OAX-2015-10": Case(
        "SEXUAL_VIOLENCE", between("2015-10-19", "2015-10-31"), in_municipality("20305"), [student()]
    ),
    "MEX-2013-11": Case(
        "SITE_ATTACK", between("2013-11-01", "2013-11-30"), in_state("15"), [student(count=alike(2))]
    ),
    "MICH-2020-spring": Case(
        "COERCED_CARE",
        between("2020-03-01", "2020-06-20"),
        in_state("16"),
        [student()],
        direct=("1", "2"),
    ),
    "MICH-2022-08-24": Case(
        "ARMED_INTIMIDATION",
        day("2022-08-24"),
        in_municipality("16099"),
        [student(count={"low": 1, "best": 1, "high": 2})],
        incident_class="THREAT",
    ),
    "MICH-2021-07-11": Case(
        "ORDER_TO_LEAVE",
        between("2021-07-11", "2021-07-13"),
        in_municipality("16012"),
        [student(nexus="UNKNOWN", count=alike(2))],
        incident_class="THREAT",
        direct=("1",),
    ),
    "CHIH-2021-06": Case("COERCED_CARE", between("2021-06-01", "2021-06-30"), in_state("08"), [student()]),
    "CHIH-2015-07": Case(
        "UNKNOWN",
        between("2015-07-01", "2015-07-31"),
        in_state("08"),
        [student()],
        incident_class="THREAT",
        direct=("1",),
    ),
    "CHIS-2020-06-10": Case(
        "ABDUCTION",
        day("2020-06-10"),
        in_municipality("07052"),
        [{"role": "STAFF", "nexus": "NOT_APPLICABLE"}],
    ),
    "PUE-2020-02-23": Case(
        "NOT_REPORTED",
        day("2020-02-23"),
        in_municipality("21074"),
        [
            student("KILLED", "OFF_DUTY_ELSEWHERE", manner="HOMICIDE"),
            {"role": "OTHER", **KILLED, "nexus": "NOT_APPLICABLE", "count": alike(3)},
        ],
    ),
    "NL-2011": Case(
        "ABDUCTION", between(None, "2011-03-31"), in_state("19"), [student(nexus="UNKNOWN", count=alike(10))]
    ),
}

DATES = {
    "15 de julio": "2022-07-15",
    "viernes 15 de julio": "2022-07-15",
    "15 julio": "2022-07-15",
    "July 15": "2022-07-15",
    "15 de junio": "2022-06-15",
    "28 de enero": "2021-01-28",
    "jueves 28 de enero": "2021-01-28",
    "29 de enero": "2021-01-29",
    "30 de junio": "2021-06-30",
    "1 de julio": "2021-07-01",
    "jueves pasado [1 de julio]": "2021-07-01",
}
"""Calendar days as sources write them; all other words leave the interval of the case."""

LA_TIMES = "Los Angeles Times"
NEWSROOMS = {"Sun Sentinel (LA Times)": LA_TIMES, "seed article": LA_TIMES}
COPIES = {("ZAC-2021-06-30", "4"): "3", ("MICH-2020-spring", "1"): "2"}
"""Pieces that repeat another of the same case."""

# What the public is told in the end, computed by hand: [low, best, high], from the definition of the count.
NOTHING, POSSIBLE, PROBABLE, CONFIRMED = (0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1)
EXPECTED = {
    # case: (INCIDENTS strict, INCIDENTS broad, DEATHS)
    "DGO-2022-07-15": (CONFIRMED, CONFIRMED, CONFIRMED),
    "CHIS-2021-01-28": (PROBABLE, PROBABLE, PROBABLE),
    "ZAC-2021-06-30": (PROBABLE, PROBABLE, PROBABLE),
    "EJEMPLO-2022-05": (PROBABLE, PROBABLE, PROBABLE),
    "MICH-2020-spring": (POSSIBLE, POSSIBLE, NOTHING),
    "CHIH-2015-07": (POSSIBLE, POSSIBLE, NOTHING),
    "MICH-2021-07-11": (NOTHING, POSSIBLE, NOTHING),
    "CHIS-2020-06-10": (NOTHING, NOTHING, NOTHING),
}


class Desk:
    """Those who report, keep assignments and adjudicate, each with a key of their own; the program they talk to."""

    press: httpx.Client
    university: httpx.Client
    ministry: httpx.Client
    first: httpx.Client
    second: httpx.Client
    third: httpx.Client

    def __init__(self, program: Program, sources: dict[str, list[Row]]) -> None:
        self.program, self.sources = program, sources
        self.size = 0
        """Of the log after the last write."""
        self.incidents: dict[str, str] = {}
        self.reports: dict[tuple[str, str], str] = {}
        self._clients = ExitStack()
        self._runner = self._clients.enter_context(asyncio.Runner())

    def join(self) -> None:
        """Gives everybody their key. Releases are made here, beside the program, as ``constancia release`` does."""
        services = open_services(read_settings(data=self.program.data))
        running = self._runner.run(services.__aenter__())
        self._clients.callback(lambda: self._runner.run(services.__aexit__(None, None, None)))
        self._releases = Releases(running.application, running.pool)
        submits = ["reports:write", "assignments:write", "events:read"]
        self.press = self._client(["reports:write"], "ASSOCIATION")
        self.university = self._client(submits, "UNIVERSITY")
        self.ministry = self._client(submits, "MINISTRY_HEALTH")
        self.first, self.second, self.third = (
            self._client(["incidents:verify"], "ASSOCIATION") for _ in range(3)
        )

    def _client(self, scopes: list[str], kind: str) -> httpx.Client:
        return self._clients.enter_context(self.program.client(self.program.new_key(scopes, kind=kind)))

    def close(self) -> None:
        self._clients.close()

    def send(self, who: httpx.Client, path: str, body: Json, read: str | None = None) -> httpx.Response:
        """As it stands when ``read``, the record that is decided about, was read."""
        headers = {"If-Match": who.get(read).headers["etag"]} if read else {}
        return who.post(path, json=body, headers=headers)

    def made(self, who: httpx.Client, path: str, body: Json, read: str | None = None) -> str:
        answer = self.send(who, path, body, read)
        assert answer.status_code == 201, (path, answer.text)
        self.size = answer.json()["events"][-1]["position"] + 1
        return str(answer.json()["id"])

    def refused(self, who: httpx.Client, path: str, body: Json, read: str | None = None) -> str:
        """The rule that refuses it."""
        answer = self.send(who, path, body, read)
        assert answer.status_code == 409, (path, answer.text)
        return str(answer.json()["rule"])

    def decide(self, who: httpx.Client, case: str, what: str, body: Json) -> str:
        path = f"/v1/incidents/{self.incidents[case]}"
        return self.made(who, f"{path}/{what}", body, path)

    def decide_unread(self, who: httpx.Client, case: str, what: str, body: Json) -> str:
        """By somebody who may not read the record."""
        return self.made(who, f"/v1/incidents/{self.incidents[case]}/{what}", body)

    def forbidden(self, who: httpx.Client, case: str, what: str, body: Json) -> str:
        path = f"/v1/incidents/{self.incidents[case]}"
        return self.refused(who, f"{path}/{what}", body, path)

    def read(self, case: str) -> Json:
        return dict(self.first.get(f"/v1/incidents/{self.incidents[case]}").json())

    def warned(self, case: str, what: str) -> Json:
        """What came before and followed, once there is some of ``what``: this view may lag a moment behind."""
        deadline = time.monotonic() + 60
        while not (answer := self.first.get(f"/v1/incidents/{self.incidents[case]}/warnings").json())[what]:
            assert time.monotonic() < deadline, "it did not come about in time"
            time.sleep(0.1)
        return dict(answer)

    def report(self, case: str, row: Row) -> str:
        """One source as the press desk sends it."""
        said, number = CASES[case], row["source_no"]
        words = row["event_date_as_reported"]
        when = day(DATES[words]) if words in DATES else said.when
        body = {
            "class": said.incident_class,
            "source_type": "PRESS",
            "directness": "DIRECT" if number in said.direct else "INDIRECT",
            "source_name": NEWSROOMS.get(row["outlet"], row["outlet"]),
            "when": {**when, "wording": words},
            "where": said.where,
            "kind": said.kind,
            "victims": said.victims,
            "source_record_id": f"{case}/{number}",
        }
        if original := COPIES.get((case, number)):
            body["derived_from"] = self.reports[case, original]
        self.reports[case, number] = self.made(self.press, "/v1/reports", body)
        return self.reports[case, number]

    def report_all(self, case: str) -> list[str]:
        """All sources of a case, what is copied before its copies."""
        rows = sorted(self.sources[case], key=lambda row: (case, row["source_no"]) in COPIES)
        return [self.report(case, row) for row in rows]

    def open(self, case: str, *reports: str, when: Json, victims: list[Json], **more: Any) -> None:
        said = CASES[case]
        findings = [{"when": when}, {"where": said.where}, {"kind": said.kind}]
        body = {
            "class": said.incident_class,
            "reports": list(reports),
            "findings": findings,
            "victims": victims,
        }
        self.incidents[case] = self.made(self.first, "/v1/incidents", {**body, **more})

    def link(self, case: str, report: str) -> None:
        """From the waiting report, as a reviewer who works through the queue does."""
        decided = {"decision": "LINK", "incident": self.incidents[case]}
        self.made(self.first, f"/v1/reports/{report}/triage", decided)

    def assign(self, cvegeo: str, promotion: str, starts: str, ends: str, number: str) -> tuple[str, str]:
        """(site, assignment) of an invented student whose service has begun."""
        site = self.site(cvegeo)
        body = {"student": {"internal_id": number}, "site": site, "promotion": promotion, "plaza_type": "C"}
        planned = {"starts": starts, "planned_end": ends}
        assignment = self.made(self.university, "/v1/assignments", body | planned)
        self.made(self.university, f"/v1/assignments/{assignment}/start", {"on": starts})
        return site, assignment

    def site(self, cvegeo: str) -> str:
        return self.made(self.ministry, "/v1/sites", {"name": "Centro de Salud El Ejemplo", "cvegeo": cvegeo})

    def release(self) -> None:
        """One release, and the checkpoint that shows it."""
        self._runner.run(self._releases.release_once())
        deadline = time.monotonic() + 60
        while (size := (ask(self.program) or {}).get("asOf", {}).get("size", 0)) <= self.size:
            assert time.monotonic() < deadline, "the release was not published in time"
            time.sleep(0.1)
        self.size = size


def constancia(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(CONSTANCIA), *arguments],
        env={name: value for name, value in os.environ.items() if not name.startswith("CONSTANCIA_")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def ask(program: Program, unit: str = "INCIDENTS", nexus: str = "STRICT", by: str = "CLASS") -> Json | None:
    """What everybody is told: the total, and its rows by one dimension. None before there is any count."""
    numbers = "low best high"
    question = (
        f"{{ counts(groupBy: [{by}], unit: {unit}, filter: {{nexus: {nexus}}}) {{ rows {{ key {{ state value }} "
        f"{numbers} }} total {{ {numbers} disputed excluded {{ reason incidents }} asOf {{ size }} }} }} }}"
    )
    answer = httpx.post(f"{program.url}/graphql", json={"query": question}, timeout=30).json()
    if answer.get("errors"):
        return None
    counts: Json = answer["data"]["counts"]
    rows = {one["key"][0]["value"] or one["key"][0]["state"]: bounds(one) for one in counts["rows"]}
    return {"total": bounds(counts["total"]), "rows": rows, **counts["total"]}


def bounds(numbers: Json) -> tuple[int, int, int]:
    return numbers["low"], numbers["best"], numbers["high"]


def total(column: int) -> tuple[int, ...]:
    return tuple(sum(part) for part in zip(*(row[column] for row in EXPECTED.values()), strict=True))


# The histories.


def killed_at_work(desk: Desk) -> None:
    """Fourteen pieces of one killing; one gives another month, and was taken for another killing at first."""
    case = "DGO-2022-07-15"
    first, *others = desk.report_all(case)
    desk.open(case, first, when=CASES[case].when, victims=CASES[case].victims)
    desk.decide(desk.first, case, "certainty", {"level": "RUMOUR"})
    raised = {"level": "PROBABLE"}
    assert desk.forbidden(desk.first, case, "certainty", raised) == "certainty-criteria-missing"
    another = desk.reports[case, "8"]
    for report in others:
        if report != another:
            desk.link(case, report)
    desk.decide(desk.first, case, "certainty", raised)
    desk.decide(desk.second, case, "corrections", {"when": day("2022-07-15"), "reason": "NEW_EVIDENCE"})

    body = {"class": "ATTACK", "reports": [another], "findings": [{"when": day("2022-06-15")}]}
    twin = desk.made(desk.second, "/v1/incidents", body | {"victims": CASES[case].victims})
    path = f"/v1/incidents/{twin}"
    assert desk.refused(
        desk.first, f"/v1/reports/{another}/triage", {"decision": "LINK", "incident": desk.incidents[case]}
    ) == ("report-linked-elsewhere")
    desk.made(desk.first, f"{path}/merge", {"into": desk.incidents[case]}, path)
    assert desk.first.get(path).json()["merged_into"] == desk.incidents[case]
    assert len(desk.read(case)["reports"]) == 14

    confirmed = {"level": "CONFIRMED", "basis": ["JUDICIAL_DOCUMENT"]}
    desk.decide(desk.first, case, "certainty", confirmed)
    assert desk.read(case)["status"] == "PROVISIONAL"
    desk.decide(desk.second, case, "certainty", confirmed)
    assert desk.read(case)["status"] == "VERIFIED"


def found_dead_in_the_clinic(desk: Desk) -> None:
    """She had asked to be moved and was refused; how she died is disputed, and later whether it was on duty."""
    case = "CHIS-2021-01-28"
    site, assignment = desk.assign("07059", "2020-2", "2020-08-01", "2021-07-31", "EJEMPLO-CHIS")
    path = f"/v1/assignments/{assignment}"
    asked = {"by": "STUDENT", "reason": "INSECURITY", "on": "2020-11-20"}
    desk.made(desk.university, f"{path}/relocation-requests", asked)
    denied = {"request": 3, "decision": "DENIED", "on": "2020-11-27"}
    desk.made(desk.university, f"{path}/relocation-decisions", denied)
    move = {"to": desk.site("07101"), "effective": "2020-12-01", "reason": "INSECURITY", "request": 3}
    assert desk.refused(desk.university, f"{path}/relocations", move) == "relocation-needs-granted-request"
    desk.made(desk.university, f"{path}/suspension", {"on": "2020-12-01", "reason": "PERSONAL"})
    desk.made(desk.university, f"{path}/resumption", {"on": "2020-12-16"})

    (victim,) = CASES[case].victims
    first, *others = desk.report_all(case)
    found = {**victim, "assignment": assignment}
    desk.open(case, first, when=day("2021-01-28"), victims=[found], certainty={"level": "POSSIBLE"})
    desk.made(desk.university, f"{path}/end", {"reason": "DEATH", "on": "2021-01-28"})
    for report in others:
        desk.link(case, report)
    desk.decide(desk.first, case, "certainty", {"level": "PROBABLE"})
    corrected = {"when": between("2021-01-28", "2021-01-29"), "reason": "NEW_EVIDENCE"}
    desk.decide(desk.second, case, "corrections", corrected)

    warned = desk.warned(case, "requests")
    assert warned["sites"] == [site]
    (request,) = warned["requests"]
    assert request["decision"] == {"decision": "DENIED", "on": "2020-11-27"}
    assert request["days"] == {"least": 69, "most": 70}
    assert desk.university.get(f"/v1/incidents/{desk.incidents[case]}/warnings").status_code == 403


def disputed_cause_of_death(desk: Desk) -> None:
    """After it is public, institutions that know no more than everybody contest it."""
    case = "CHIS-2021-01-28"
    statement = {"ground": "CAUSE_OF_DEATH", "statement": "La necropsia y la carpeta no dicen lo mismo."}
    desk.decide_unread(desk.university, case, "dispute", statement)
    upheld = {"decision": "UPHELD", "resolution": "Hay carpeta por feminicidio."}
    desk.decide(desk.third, case, "dispute-resolution", upheld)
    manner = {"victim": 1, "outcome": "KILLED", "manner": "DISPUTED", "known_on": "2021-02-02"}
    desk.decide(desk.first, case, "outcomes", manner)
    assert (
        desk.forbidden(desk.first, case, "outcomes", {"victim": 1, "outcome": "NONE"})
        == "killed-is-corrected"
    )
    desk.decide_unread(
        desk.ministry, case, "dispute", {"ground": "NEXUS", "statement": "No fue en servicio."}
    )
    shown = desk.read(case)
    assert [one["open"] for one in shown["disputes"]] == [False, True]
    assert shown["victims"][0]["manner"] == "DISPUTED"


def killed_during_a_transfer(desk: Desk) -> None:
    """Assigned in Jalisco, killed in Zacatecas; two dates; the driver is a victim, and no student."""
    case = "ZAC-2021-06-30"
    _, assignment = desk.assign("14041", "2021-1", "2021-02-01", "2022-01-31", "EJEMPLO-ZAC")
    reports = desk.report_all(case)
    (victim,) = CASES[case].victims
    named = {**victim, "assignment": assignment}
    desk.open(case, reports[0], when=day("2021-06-30"), victims=[named], certainty={"level": "RUMOUR"})
    for report in reports[1:]:
        desk.link(case, report)
    desk.decide(desk.first, case, "certainty", {"level": "PROBABLE"})
    two_dates = {"when": between("2021-06-30", "2021-07-01"), "reason": "NEW_EVIDENCE"}
    desk.decide(desk.second, case, "corrections", two_dates)
    desk.decide(desk.first, case, "victims", DRIVER)
    (correction,) = desk.read(case)["corrections"]
    assert (correction["old"]["latest"], correction["new"]["latest"]) == ("2021-06-30", "2021-07-01")
    path = f"/v1/assignments/{assignment}"
    desk.made(desk.university, f"{path}/end", {"reason": "DEATH", "on": "2021-06-30"})
    move = {"to": desk.site("14041"), "effective": "2021-07-02", "reason": "ATTACK"}
    assert desk.refused(desk.university, f"{path}/relocations", move) == "assignment-ended"


def held_director(desk: Desk) -> None:
    """No student among the victims, so it counts nowhere; and yet a student is moved because of it."""
    case = "CHIS-2020-06-10"
    (report,) = desk.report_all(case)
    desk.open(case, report, when=CASES[case].when, victims=CASES[case].victims)
    own = {"class": "ATTACK", "source_type": "MINISTRY_HEALTH", "directness": "DIRECT", "kind": "ABDUCTION"}
    more = desk.made(desk.ministry, "/v1/reports", own | {"when": day("2020-06-10")})
    desk.link(case, more)
    desk.decide(desk.first, case, "certainty", {"level": "POSSIBLE"})
    _, assignment = desk.assign("07052", "2020-1", "2020-02-01", "2021-01-31", "EJEMPLO-MARG")
    trigger = desk.incidents[case]
    move = {"to": desk.site("07101"), "effective": "2020-06-15", "reason": "ATTACK"}
    unknown = desk.send(
        desk.university, f"/v1/assignments/{assignment}/relocations", move | {"trigger_incident": assignment}
    )
    assert unknown.json()["errors"][0]["field"] == "trigger_incident"
    desk.made(
        desk.university, f"/v1/assignments/{assignment}/relocations", move | {"trigger_incident": trigger}
    )
    warned = desk.warned(case, "triggered_relocations")
    assert [one["assignment"] for one in warned["triggered_relocations"]] == [assignment]


def possible(desk: Desk) -> None:
    """One direct source each, or one newsroom twice: never PROBABLE."""
    for case in ("MICH-2020-spring", "MICH-2021-07-11", "CHIH-2015-07"):
        desk.open(case, *desk.report_all(case), when=CASES[case].when, victims=CASES[case].victims)
        assert (
            desk.forbidden(desk.first, case, "certainty", {"level": "PROBABLE"})
            == "certainty-criteria-missing"
        )
        desk.decide(desk.first, case, "certainty", {"level": "POSSIBLE"})


def rumours(desk: Desk) -> None:
    """One indirect source each: adjudicated, and never public."""
    for case in CASES.keys() - EXPECTED.keys():
        (report,) = desk.report_all(case)
        desk.open(case, report, when=CASES[case].when, victims=CASES[case].victims)
        assert (
            desk.forbidden(desk.first, case, "certainty", {"level": "POSSIBLE"})
            == "certainty-criteria-missing"
        )
        desk.decide(desk.first, case, "certainty", {"level": "RUMOUR"})
        assert desk.read(case)["status"] == "PROVISIONAL"


def wounded_in_may(desk: Desk) -> None:
    """An invented student is wounded in May; two institutions say so, and two reviewers find that it was public."""
    case = "EJEMPLO-2022-05"
    said: Json = {
        "class": "ATTACK",
        "directness": "DIRECT",
        "kind": "ARMED_ATTACK",
        "when": day("2022-05-20"),
    }
    said |= {"where": in_municipality("16012"), "victims": [student("SEVERE")]}
    sources = ((desk.university, "UNIVERSITY"), (desk.ministry, "MINISTRY_HEALTH"))
    reports = [desk.made(who, "/v1/reports", said | {"source_type": kind}) for who, kind in sources]
    findings = [{name: said[name]} for name in ("when", "where", "kind")]
    body = {"class": "ATTACK", "reports": reports, "findings": findings, "victims": said["victims"]}
    certainty = {"certainty": {"level": "PROBABLE"}}
    desk.incidents[case] = desk.made(desk.first, "/v1/incidents", body | certainty)
    for who in (desk.first, desk.second):
        desk.decide(who, case, "findings", {"already_public": True, "sources": ["https://example.org/nota"]})


def died_in_june(desk: Desk) -> None:
    """What becomes known in June happened in May."""
    died: Json = {"victim": 1, "outcome": "KILLED", "manner": "HOMICIDE", "known_on": "2022-06-03"}
    early = {**died, "known_on": "2022-05-01"}
    path = f"/v1/incidents/{desk.incidents['EJEMPLO-2022-05']}/outcomes"
    assert desk.send(desk.second, path, early).json()["errors"][0]["field"] == "known_on"
    desk.decide(desk.second, "EJEMPLO-2022-05", "outcomes", died)


@pytest.fixture(scope="module")
def desk(shared_data: Path) -> Iterator[Desk]:
    """After all histories and three releases: what came first, what was learnt since, what then opened."""
    sources: dict[str, list[Row]] = defaultdict(list)
    with (shared_data / "social_service" / "news_claims.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            sources[row["case_id"]].append(row)
    assert sources.keys() == CASES.keys()
    with directory() as place:
        program = Program(
            place / "data", free_port(), CONSTANCIA_PUBLISH_EVERY="0.2", CONSTANCIA_RELEASE_EVERY="86400"
        )
        played = Desk(program, sources)
        try:
            program.wait_until_ready()
            played.join()
            for history in (
                killed_at_work,
                found_dead_in_the_clinic,
                killed_during_a_transfer,
                held_director,
                possible,
                rumours,
                wounded_in_may,
            ):
                history(played)
            played.release()
            disputed_cause_of_death(played)
            died_in_june(played)
            played.release()
            # What was learnt behind a seal is sealed anew first, and opens one release later.
            played.release()
            yield played
        finally:
            played.close()
            program.stop()


@pytest.mark.parametrize(
    ("unit", "nexus", "expected"),
    [
        ("INCIDENTS", "STRICT", (1, 4, 6)),
        ("INCIDENTS", "BROAD", (1, 4, 7)),
        ("VICTIMISATIONS", "STRICT", (1, 4, 6)),
        ("VICTIMISATIONS", "BROAD", (1, 4, 8)),
        ("DEATHS", "STRICT", (1, 4, 4)),
        ("DEATHS", "BROAD", (1, 4, 4)),
    ],
)
def test_the_figures_are_those_computed_by_hand(
    desk: Desk, unit: str, nexus: str, expected: tuple[int, int, int]
) -> None:
    if unit != "VICTIMISATIONS":
        column = 2 if unit == "DEATHS" else ("STRICT", "BROAD").index(nexus)
        assert total(column) == expected
    answer = ask(desk.program, unit, nexus)
    assert answer is not None
    assert answer["total"] == expected


def test_a_dispute_shows_and_what_has_no_student_is_left_out(desk: Desk) -> None:
    answer = ask(desk.program)
    assert answer is not None
    assert answer["disputed"] == 1
    assert answer["rows"] == {"ATTACK": (1, 4, 5), "THREAT": POSSIBLE}


def test_deaths_lie_where_and_when_the_attacks_were(desk: Desk) -> None:
    for by, expected in (
        ("YEAR", {"2021": (0, 2, 2), "2022": (1, 2, 2)}),
        ("STATE", {"07": PROBABLE, "10": CONFIRMED, "16": PROBABLE, "32": PROBABLE}),
    ):
        answer = ask(desk.program, "DEATHS", by=by)
        assert answer is not None
        assert answer["rows"] == expected
    by_month = ask(desk.program, "DEATHS", by="MONTH")
    assert by_month is not None
    assert by_month["rows"]["2022-05"] == PROBABLE
    assert "2022-06" not in by_month["rows"]


def test_anybody_can_verify_all_of_it(desk: Desk, tmp_path: Path) -> None:
    state = str(tmp_path / "verify.state")
    checked = constancia("verify", desk.program.url, "--state", state, "--trust-on-first-use")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.rstrip().endswith("VERIFIED")
