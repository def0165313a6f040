"""The histories of the published cases, played through the API as they came about, one decision after another.

What each source said of the date, and who published it, comes from the data beside the project. People are invented,
and so is one case more, of a student who dies of an attack a month later.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.cases import CASES, KILLED, Json, Row, between, day, in_municipality, student
from tests.acceptance.conftest import Program, constancia, directory, free_port
from tests.acceptance.desk import Desk, ask

DRIVER = {"role": "STAFF", **KILLED, "nexus": "ON_DUTY_TRANSFER"}

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
