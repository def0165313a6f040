"""Was there a warning? Threats and refused changes of site before an attack, and whom an attack set in motion."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from api.auth.keys import Keys
from api.auth.scopes import Scope
from projections.models.mentions import MentionsProjection
from projections.runner import Runner
from tests.integration.rest import Institution

STUDENT = {"internal_id": "EJEMPLO-1"}
OTHER_STUDENT = {"internal_id": "EJEMPLO-2"}


def on(day: str) -> dict[str, str]:
    return {"earliest": day, "latest": day, "precision": "DAY"}


class Register:
    """A university with students at two clinics, a verifier, and what they say; ids of what they made."""

    def __init__(self, university: Institution, verifier: Institution, admin: Institution) -> None:
        self.university, self.verifier, self.admin = university, verifier, admin

    async def made(self, sender: Institution, path: str, body: Any, **headers: str) -> str:
        answer = await sender.post(path, body, **headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def site(self) -> str:
        return await self.made(self.admin, "/v1/sites", {"name": "Clínica", "cvegeo": "07059"})

    async def assignment(self, site: str, student: dict[str, str]) -> str:
        body = {
            "student": student,
            "site": site,
            "promotion": "2025-2",
            "plaza_type": "C",
            "starts": "2025-08-01",
            "planned_end": "2026-07-31",
        }
        return await self.made(self.university, "/v1/assignments", body)

    async def report(self, what: str, day: str | None, site: str | None, student: Any = None) -> str:
        body: dict[str, Any] = {"class": what, "source_type": "UNIVERSITY", "directness": "DIRECT"}
        body |= {"when": on(day)} if day else {}
        body |= {"where": {"site": site, "precision": "SITE"}} if site else {}
        body |= {"victims": [{"role": "PASANTE_MEDICINE", "student": student}]} if student else {}
        return await self.made(self.university, "/v1/reports", body)

    async def incident(
        self, what: str, report: str, day: str | None, site: str | None, victim: dict[str, Any] | None = None
    ) -> str:
        findings: list[dict[str, Any]] = [{"when": on(day)}] if day else []
        findings += [{"where": {"site": site, "precision": "SITE"}}] if site else []
        body = {"class": what, "reports": [report], "findings": findings}
        body |= {"victims": [victim]} if victim else {}
        return await self.made(self.verifier, "/v1/incidents", body)


@pytest.fixture
async def register(http: Any, keys: Keys, join: Callable[..., Any]) -> Register:
    university = await join(Scope.ASSIGNMENTS_WRITE, Scope.REPORTS_WRITE)
    verifier = await join(Scope.INCIDENTS_VERIFY)
    admin = Institution(http, (await keys.issue(None, [Scope.ADMIN], None)).key)
    return Register(university, verifier, admin)


async def test_a_refused_change_of_site_and_earlier_threats_are_found_before_a_death(
    register: Register, pool: asyncpg.Pool, join: Callable[..., Any]
) -> None:
    here, there = await register.site(), await register.site()
    assignment = await register.assignment(here, STUDENT)
    path = f"/v1/assignments/{assignment}"
    university = register.university
    # An earlier threat at the site became an incident; another of the same person elsewhere was never adjudicated.
    threat_report = await register.report("THREAT", "2025-11-02", here)
    threat = await register.incident("THREAT", threat_report, "2025-11-02", here)
    personal = await register.report("THREAT", "2025-12-20", there, STUDENT)
    undated = await register.report("THREAT", None, here)
    await register.report("THREAT", "2025-12-24", there, OTHER_STUDENT)  # nobody of this case, and elsewhere
    await register.report("THREAT", "2026-02-01", here)  # came after
    withdrawn = await register.report("THREAT", "2025-12-01", here)
    withdrawal = {"reason": "SOURCE_WITHDRAWN"}
    await register.made(university, f"/v1/reports/{withdrawn}/withdrawal", withdrawal, If_Match='"1"')
    asked = {"by": "STUDENT", "reason": "THREAT", "on": "2025-12-22"}
    await register.made(university, f"{path}/start", {"on": "2025-08-01"})
    await register.made(university, f"{path}/relocation-requests", asked)
    refused = {"request": 3, "decision": "DENIED", "on": "2025-12-28"}
    await register.made(university, f"{path}/relocation-decisions", refused)
    rest = {"on": "2025-12-28", "reason": "PERSONAL"}
    await register.made(university, f"{path}/suspension", rest)
    await register.made(university, f"{path}/resumption", {"on": "2026-01-20"})

    killing = await register.report("ATTACK", "2026-01-27", None, STUDENT)
    victim = {
        "role": "PASANTE_MEDICINE",
        "outcome": "KILLED",
        "nexus": "LIVING_QUARTERS",
        "assignment": assignment,
    }
    death = await register.incident("ATTACK", killing, "2026-01-27", None, victim)
    await Runner(pool, [MentionsProjection()]).catch_up()

    answer = await register.verifier.get(f"/v1/incidents/{death}/warnings")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["sites"] == [here]
    assert [(one["noun"], one["id"], one["basis"]) for one in body["threats"]] == [
        ("report", personal, ["STUDENT"]),
        ("incident", threat, ["ASSIGNED_SITE"]),
        ("report", undated, ["ASSIGNED_SITE"]),
    ]
    assert [(one["before"], one["days"]) for one in body["threats"]] == [
        (True, {"least": 38, "most": 38}),
        (True, {"least": 86, "most": 86}),
        (None, None),
    ]
    (request,) = body["requests"]
    assert request["decision"] == {"decision": "DENIED", "on": "2025-12-28"}
    assert (request["assignment"], request["victims"], request["days"]["least"]) == (assignment, [1], 36)
    assert request["relocated_on"] is None

    # Nobody is named, and that somebody looked is on record for the institution whose students these are.
    assert "person" not in answer.text
    reads = (await university.get("/v1/private-reads", record=assignment)).json()["items"]
    assert {"relocation_requests", "relocations"} <= set(reads[-1]["fields"])
    analyst = await join(Scope.RESTRICTED_READ)
    assert (await analyst.get(f"/v1/incidents/{death}/warnings")).status_code == 200
    assert (await university.get(f"/v1/incidents/{death}/warnings")).status_code == 403
    assert (await analyst.get(f"/v1/incidents/{uuid4()}/warnings")).status_code == 404

    # What is corrected is asked anew: the request was never made.
    version = (await university.get(path)).json()["version"]
    undone = {"event": 4, "field": "on", "new": None, "reason": "DATA_ENTRY"}
    await register.made(university, f"{path}/corrections", undone, If_Match=f'"{version}"')
    undone["event"] = 3
    await register.made(university, f"{path}/corrections", undone, If_Match=f'"{version + 1}"')
    assert (await analyst.get(f"/v1/incidents/{death}/warnings")).json()["requests"] == []


async def test_an_attack_without_a_student_among_its_victims_sets_students_in_motion(
    register: Register, pool: asyncpg.Pool
) -> None:
    here, there = await register.site(), await register.site()
    report = await register.report("ATTACK", "2026-01-10", here)
    victim = {"role": "STAFF", "outcome": "KILLED", "nexus": "ON_DUTY_AT_SITE"}
    attack = await register.incident("ATTACK", report, "2026-01-10", here, victim)
    for number in range(2):
        assignment = await register.assignment(here, {"internal_id": f"EJEMPLO-{number}"})
        path = f"/v1/assignments/{assignment}"
        move = {"to": there, "effective": "2026-02-01", "reason": "ATTACK", "trigger_incident": attack}
        await register.made(register.university, f"{path}/relocations", move)
        asked = {"by": "FAMILY", "reason": "ATTACK", "on": "2026-01-12", "trigger_incident": attack}
        await register.made(register.university, f"{path}/relocation-requests", asked)
    many = {
        "class": "RELOCATION",
        "source_type": "PRESS",
        "action": "RELOCATED",
        "unit": "STUDENTS",
        "low": 6,
        "best": 6,
        "high": 9,
        "trigger_incident": attack,
    }
    said = await register.made(register.university, "/v1/reports", many)
    suspension = {"reason": "ATTACK", "on": "2026-02-01"}
    await register.made(register.admin, f"/v1/sites/{here}/suspension", suspension)
    await Runner(pool, [MentionsProjection()]).catch_up()

    body = (await register.verifier.get(f"/v1/incidents/{attack}/warnings")).json()
    assert (body["threats"], body["requests"]) == ([], [])
    assert [(one["to"], one["days"]["least"]) for one in body["triggered_relocations"]] == [(there, 22)] * 2
    assert [one["days"]["least"] for one in body["triggered_requests"]] == [2, 2]
    (statement,) = body["triggered_reports"]
    assert (statement["id"], statement["count"]) == (said, {"low": 6, "best": 6, "high": 9})

    # What names an incident that another one took in is about that one.
    again = await register.report("ATTACK", "2026-01-10", here)
    other = await register.incident("ATTACK", again, "2026-01-10", here)
    merge = {"into": other, "reason": "DUPLICATE"}
    version = (await register.verifier.get(f"/v1/incidents/{attack}")).json()["version"]
    await register.made(register.verifier, f"/v1/incidents/{attack}/merge", merge, If_Match=f'"{version}"')
    await Runner(pool, [MentionsProjection()]).catch_up()
    taken_in = (await register.verifier.get(f"/v1/incidents/{other}/warnings")).json()
    for what in ("triggered_relocations", "triggered_requests", "triggered_reports"):
        assert taken_in[what] == body[what]
    assert (await register.verifier.get(f"/v1/incidents/{attack}/warnings")).json()["merged_into"] == other

    history = (await register.verifier.get(f"/v1/sites/{here}/history")).json()
    assert {one["id"]: one["status"] for one in history["incidents"]} == {
        attack: "MERGED",
        other: "UNDER_REVIEW",
    }
    assert [(one["direction"], one["trigger_incident"]) for one in history["relocations"]] == [
        ("FROM", attack)
    ] * 2
    assert [one["reason"] for one in history["suspensions"]] == ["ATTACK"]
    assert (await register.university.get(f"/v1/sites/{here}/history")).status_code == 403
    arrivals = (await register.verifier.get(f"/v1/sites/{there}/history")).json()["relocations"]
    assert [one["direction"] for one in arrivals] == ["TO", "TO"]
