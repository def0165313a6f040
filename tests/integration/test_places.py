"""Assignments and sites over HTTP: a year of service as it is kept, where students may be sent, who is present when."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from api.auth.keys import Keys
from api.auth.scopes import Scope
from projections.models.placements import Crowd, PlacementsProjection, promotions, students
from projections.runner import Runner
from registry.application.execution.application import Application
from registry.domain.codes import InstitutionKind
from registry.log.leaf import OpenLeaf, parse_leaf
from tests.integration.conftest import Clock, new_institution
from tests.integration.rest import Institution

ASSIGNMENT = {
    "student": {"internal_id": "EJEMPLO-1"},
    "promotion": "2026-1",
    "plaza_type": "C",
    "starts": "2026-02-01",
    "planned_end": "2027-01-31",
}
SITE = {"name": "Clínica del Lago", "cvegeo": "16012", "clues": "MNSSA000123"}


@pytest.fixture
async def admin(http: Any, keys: Keys) -> Institution:
    return Institution(http, (await keys.issue(None, [Scope.ADMIN], None)).key)


@pytest.fixture
async def university(join: Callable[..., Any]) -> Institution:
    joined: Institution = await join(Scope.ASSIGNMENTS_WRITE, Scope.REPORTS_WRITE)
    return joined


@pytest.fixture
async def clinics(admin: Institution) -> list[str]:
    """Three sites, two of them in one municipality."""
    found = []
    for cvegeo, clues in (("16012", SITE["clues"]), ("16012", None), ("16053", None)):
        answer = await admin.post("/v1/sites", {**SITE, "cvegeo": cvegeo, "clues": clues})
        assert answer.status_code == 201, answer.text
        found.append(answer.json()["id"])
    return found


async def done(sender: Institution, path: str, body: Any, **headers: str) -> dict[str, Any]:
    answer = await sender.post(path, body, **headers)
    assert answer.status_code == 201, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def assigned(university: Institution, site: str, student: str = "EJEMPLO-1") -> str:
    """The path of a new assignment."""
    body = {**ASSIGNMENT, "site": site, "student": {"internal_id": student}}
    return f"/v1/assignments/{(await done(university, '/v1/assignments', body))['id']}"


async def refused(sender: Institution, path: str, body: Any, **headers: str) -> str:
    answer = await sender.post(path, body, **{"Accept-Language": "en", **headers})
    assert answer.status_code == 409, answer.text
    assert answer.json()["detail"].isascii()
    return str(answer.json()["rule"])


async def test_a_year_of_service_is_kept_from_registration_to_end(
    university: Institution, clinics: list[str]
) -> None:
    path = await assigned(university, clinics[0])
    steps = [
        ("start", {"on": "2026-02-02"}),
        ("relocation-requests", {"by": "FAMILY", "reason": "THREAT", "on": "2026-02-10"}),
        ("suspension", {"on": "2026-02-11", "reason": "THREAT"}),
        ("relocation-decisions", {"request": 3, "decision": "GRANTED", "on": "2026-02-15"}),
        ("relocations", {"to": clinics[2], "effective": "2026-02-20", "reason": "THREAT", "request": 3}),
        ("resumption", {"on": "2026-02-20"}),
        ("end", {"reason": "COMPLETED", "on": "2027-01-31"}),
    ]
    for step, body in steps:
        await done(university, f"{path}/{step}", body)
    assert await refused(university, f"{path}/relocations", steps[4][1]) == "assignment-ended"

    read = await university.get(path)
    body = read.json()
    assert (body["started"], body["ended"], body["end_reason"]) == ("2026-02-02", "2027-01-31", "COMPLETED")
    assert body["site"] == clinics[2]
    assert body["stays"] == [
        {"site": clinics[0], "since": "2026-02-02", "until": "2026-02-20"},
        {"site": clinics[2], "since": "2026-02-20", "until": "2027-02-01"},
    ]
    assert body["suspensions"] == [
        {
            "version": 4,
            "reason": "THREAT",
            "since": "2026-02-11",
            "until": "2026-02-20",
            "resumed": "2026-02-20",
        }
    ]
    assert body["relocation_requests"] == [
        {
            "version": 3,
            "by": "FAMILY",
            "reason": "THREAT",
            "on": "2026-02-10",
            "trigger_incident": None,
            "decision": {"version": 5, "request": 3, "decision": "GRANTED", "on": "2026-02-15"},
            "relocation": 6,
        }
    ]

    # A correction is a decision on what was read, and says what stood there before.
    mended = {"event": 8, "field": "on", "new": "2027-01-15", "reason": "DATA_ENTRY"}
    assert (await university.post(f"{path}/corrections", mended)).status_code == 428
    tag = read.headers["etag"]
    assert (await university.post(f"{path}/corrections", mended, If_Match='"7"')).status_code == 412
    await done(university, f"{path}/corrections", mended, If_Match=tag)
    (correction,) = (await university.get(path)).json()["corrections"]
    assert correction == {**mended, "version": 9, "old": "2027-01-31"}
    undated = {**mended, "new": "31/01/2027"}
    answer = await university.post(f"{path}/corrections", undated, If_Match='"9"')
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "new")


async def test_what_happens_is_recorded_once_it_has_happened(
    university: Institution, clinics: list[str]
) -> None:
    path = await assigned(university, clinics[0])
    for step, body in (
        ("start", {"on": "2026-03-20"}),
        ("relocation-requests", {"by": "STUDENT", "reason": "THREAT", "on": "2026-03-20"}),
    ):
        assert (await university.post(f"{path}/{step}", body)).status_code == 422
    announced = {"to": clinics[2], "effective": "2026-03-20", "reason": "THREAT"}
    await done(university, f"{path}/relocations", announced)


async def test_another_institutions_assignment_does_not_exist(
    university: Institution, join: Callable[..., Any], clinics: list[str]
) -> None:
    path = await assigned(university, clinics[0])
    stranger = await join(Scope.ASSIGNMENTS_WRITE)
    for step, body in (("start", {"on": "2026-02-01"}), ("end", {"reason": "RESIGNED", "on": "2026-02-20"})):
        assert (await stranger.post(f"{path}/{step}", body)).status_code == 404
    assert (await stranger.get(path)).status_code == 404


async def test_a_move_names_an_incident_that_exists_by_its_id_or_an_own_record(
    university: Institution, join: Callable[..., Any], clinics: list[str]
) -> None:
    verifier = await join(Scope.INCIDENTS_VERIFY)
    report = await done(
        university, "/v1/reports", {"class": "THREAT", "source_type": "UNIVERSITY", "source_record_id": "R-1"}
    )
    opened = {"class": "THREAT", "reports": [report["id"]], "source_record_id": "CASE-1"}
    incident = (await done(verifier, "/v1/incidents", opened))["id"]
    path = await assigned(university, clinics[0])
    move = {"to": clinics[1], "effective": "2026-02-20", "reason": "THREAT"}
    for unknown in (str(uuid4()), report["id"], {"source_record_id": "CASE-1"}, {"source_record_id": "R-1"}):
        answer = await university.post(f"{path}/relocations", {**move, "trigger_incident": unknown})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "trigger_incident"
    await done(university, f"{path}/relocations", {**move, "trigger_incident": incident})
    # The case is often opened after the move: what set it off is corrected then.
    request = {"by": "STUDENT", "reason": "THREAT", "on": "2026-02-10"}
    asked = await done(university, f"{path}/relocation-requests", request)
    named = {"event": asked["version"], "field": "trigger_incident", "reason": "NEW_EVIDENCE"}
    wrong = await university.post(f"{path}/corrections", {**named, "new": str(uuid4())}, If_Match='"3"')
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "new")
    await done(university, f"{path}/corrections", {**named, "new": incident}, If_Match='"3"')
    shown = (await university.get(path)).json()["relocation_requests"]
    assert shown[0]["trigger_incident"] == incident


async def test_nobody_is_sent_to_a_suspended_site(
    university: Institution, admin: Institution, clinics: list[str]
) -> None:
    here, there, _ = clinics
    path = await assigned(university, here)
    await done(admin, f"/v1/sites/{there}/suspension", {"reason": "INSECURITY", "on": "2026-02-10"})
    to_it = {"to": there, "effective": "2026-03-01", "reason": "PERSONAL"}
    starting = {**ASSIGNMENT, "site": there, "starts": "2026-02-15", "student": {"internal_id": "EJEMPLO-2"}}
    assert await refused(university, f"{path}/relocations", to_it) == "site-suspended"
    assert await refused(university, "/v1/assignments", starting) == "site-suspended"
    correction = {"field": "site", "new": there, "reason": "DATA_ENTRY"}
    await done(admin, f"/v1/sites/{here}/suspension", {"reason": "THREAT", "on": "2026-03-01"})
    late = {"field": "starts", "new": "2026-03-02", "reason": "DATA_ENTRY"}
    assert await refused(university, f"{path}/corrections", late, If_Match='"1"') == "site-suspended"
    await done(
        university, f"{path}/corrections", correction, If_Match='"1"'
    )  # it began before the suspension
    await done(admin, f"/v1/sites/{there}/reopening", {"on": "2026-02-15"})
    await done(university, "/v1/assignments", starting)
    assert await refused(admin, f"/v1/sites/{there}/reopening", {"on": "2026-03-15"}) == "site-not-suspended"


async def test_a_site_keeps_its_codes_its_conditions_and_its_suspensions(
    university: Institution, admin: Institution, join: Callable[..., Any], clinics: list[str]
) -> None:
    path = f"/v1/sites/{clinics[0]}"
    for wrong in ("MNIMB000123", "JCIMB000125"):
        answer = await admin.post(f"{path}/codes", {"clues": wrong, "valid_from": "2026-01-01"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "clues")
    recoded = await done(admin, f"{path}/codes", {"clues": "MNIMB000126", "valid_from": "2026-01-01"})
    leaf = parse_leaf(recoded["events"][0]["leaf"].encode())
    assert isinstance(leaf, OpenLeaf)
    assert (leaf.type, leaf.public) == (
        "site.recoded",
        {"site": clinics[0], "clues": "MNIMB000126", "valid_from": "2026-01-01"},
    )
    found = {"connectivity": "RADIO", "staff_alone": "YES", "supervision": "NONE", "on": "2026-02-01"}
    await done(admin, f"{path}/conditions", found)
    await done(admin, f"{path}/conditions", {"connectivity": "NONE", "on": "2025-02-01"})
    await done(admin, f"{path}/suspension", {"reason": "THREAT", "on": "2026-02-10"})
    body = (await university.get(path)).json()
    assert body["codes"] == [
        {"clues": "MNSSA000123", "valid_from": None, "valid_until": "2026-01-01"},
        {"clues": "MNIMB000126", "valid_from": "2026-01-01", "valid_until": None},
    ]
    assert (body["clues"], body["suspended"]) == ("MNIMB000126", True)
    assert body["suspensions"] == [{"on": "2026-02-10", "reason": "THREAT", "reopened": None}]
    assert [one["on"] for one in body["conditions"]] == ["2025-02-01", "2026-02-01"]
    assert body["conditions"][0]["staff_alone"] == "NOT_REPORTED"
    # Who sends no students there sees what everybody may.
    public = (await (await join(Scope.REPORTS_WRITE)).get(path)).json()
    assert public["codes"] == body["codes"]
    assert not {"conditions", "suspensions", "suspended"} & public.keys()
    assert (await university.post(f"{path}/reopening", {"on": "2026-02-20"})).status_code == 403


async def test_an_institution_is_renamed_by_the_operator_and_stays_itself(
    app: Application, http: Any, keys: Keys, admin: Institution
) -> None:
    actor = await new_institution(app, "Instituto de Ejemplo", InstitutionKind.UNIVERSITY, set())
    path = f"/v1/institutions/{actor.institution}"
    renamed = await done(admin, f"{path}/names", {"name": "Universidad de Ejemplo"})
    leaf = parse_leaf(renamed["events"][0]["leaf"].encode())
    assert isinstance(leaf, OpenLeaf)
    assert (leaf.type, leaf.public) == (
        "institution.renamed",
        {"institution": str(actor.institution), "name": "Universidad de Ejemplo"},
    )
    body = (await admin.get(path)).json()
    assert (body["name"], body["former_names"]) == (
        "Universidad de Ejemplo",
        [{"name": "Instituto de Ejemplo", "until": "2026-03-02"}],
    )
    assert await refused(admin, f"{path}/names", {"name": "Universidad de Ejemplo"}) == "name-is-another"
    own = Institution(http, (await keys.issue(actor.institution, [Scope.ASSIGNMENTS_WRITE], None)).key)
    assert (await own.post(f"{path}/names", {"name": "Otra"})).status_code == 403


async def test_populations_follow_moves_suspensions_cancellations_and_corrections(
    pool: asyncpg.Pool, app: Application, university: Institution, clinics: list[str], clock: Clock
) -> None:
    clock.advance(days=200)
    february = Crowd("16012", date(2026, 2, 1), date(2026, 2, 28))
    april = Crowd("16012", date(2026, 4, 1), date(2026, 4, 30))
    elsewhere = Crowd("16053", date(2026, 4, 1), date(2026, 4, 30))
    projection = PlacementsProjection()

    async def counted() -> tuple[int, int, int]:
        await Runner(pool, [projection]).catch_up()
        found = await students(pool, [february, april, elsewhere])
        return found[february], found[april], found[elsewhere]

    made = [await assigned(university, clinics[0], f"EJEMPLO-{number}") for number in range(4)]
    assert await counted() == (4, 4, 0)
    # Half-open: who leaves on 1 April was not there in April; another site of the same place is the same place.
    await done(
        university,
        f"{made[0]}/relocations",
        {"to": clinics[2], "effective": "2026-04-01", "reason": "THREAT"},
    )
    await done(
        university,
        f"{made[1]}/relocations",
        {"to": clinics[1], "effective": "2026-04-01", "reason": "THREAT"},
    )
    assert await counted() == (4, 3, 1)
    await done(university, f"{made[1]}/start", {"on": "2026-02-03"})
    await done(university, f"{made[1]}/suspension", {"on": "2026-03-15", "reason": "THREAT"})
    assert await counted() == (4, 2, 1)
    await done(university, f"{made[1]}/resumption", {"on": "2026-04-30"})
    assert await counted() == (4, 3, 1)
    await done(university, f"{made[2]}/end", {"reason": "CANCELLED", "on": "2026-02-10"})
    assert await counted() == (3, 2, 1)
    await done(
        university,
        f"{made[0]}/corrections",
        {"event": 2, "field": "effective", "new": "2026-05-01", "reason": "DATA_ENTRY"},
        If_Match='"2"',
    )
    assert await counted() == (3, 3, 0)
    # Its promotion is still known: nothing opens sooner because it was called off.
    people = [row["student"] for row in await pool.fetch("SELECT student FROM placements.assignments")]
    assert set((await promotions(pool, people)).values()) == {frozenset({"2026-1"})}
    assert len(people) == 4
