"""The life of incidents over HTTP, with a release after each step: what people decide, what the public counts."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import asyncpg
import pytest

from api.auth.scopes import Scope
from api.start import adopt
from projections.counting.disclosure import parse
from projections.counting.fold import Fold, fold
from projections.counting.query import ask
from projections.releases import Releases
from projections.verification.openings import Openings
from registry.application.execution.application import Application
from registry.log.leaf import OpenLeaf, parse_leaf
from tests.integration.rest import Institution

MAY = {"earliest": "2026-01-05", "latest": "2026-01-05", "precision": "DAY"}
PLACE = {"cvegeo": "16012", "precision": "MUNICIPALITY"}
STUDENT = {"internal_id": "EJEMPLO-0417"}
VICTIM = {"role": "PASANTE_MEDICINE", "sex": "FEMALE", "outcome": "SEVERE", "nexus": "ON_DUTY_AT_SITE"}


def report(source: str = "UNIVERSITY", **changes: Any) -> dict[str, Any]:
    return {
        "class": "ATTACK",
        "source_type": source,
        "directness": "DIRECT",
        "when": MAY,
        "where": PLACE,
        "kind": "ARMED_ATTACK",
        "victims": [VICTIM],
    } | changes


class Counted(NamedTuple):
    """What the leaves say: incidents and deaths as (low, best, high), why others count 0, how many are disputed."""

    incidents: tuple[int, ...]
    deaths: tuple[int, ...]
    excluded: dict[str, int]
    disputed: int


class World:
    """A university, a ministry and three reviewers; the public sees what a release opens."""

    def __init__(self, app: Application, pool: asyncpg.Pool, parties: list[Institution]) -> None:
        self.university, self.ministry, self.reviewer, self.second, self.third = parties
        self._app, self._releases = app, Releases(app, pool)

    async def public(self) -> Fold:
        """After a release; every leaf keeps what earlier ones promised."""
        await self._releases.release_once()
        leaves = [one.leaf for one in await self._app.store.read(0, 1000)]
        openings = Openings()
        for index, leaf in enumerate(map(parse_leaf, leaves)):
            if isinstance(leaf, OpenLeaf) and leaf.type == "incident.disclosed":
                openings.follow(index, str(leaf.event_id), parse(leaf.public))
        return fold(leaves)

    async def counted(self) -> Counted:
        leaves = await self.public()
        found, dead = leaves.count(ask("INCIDENTS")), leaves.count(ask("DEATHS"))
        return Counted(
            tuple(found.bounds),
            tuple(dead.bounds),
            {one.reason.value: one.incidents for one in found.excluded},
            found.disputed,
        )

    async def report(self, whose: Institution, **changes: Any) -> str:
        answer = await whose.post("/v1/reports", report(**changes))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def read(self, incident: str) -> dict[str, Any]:
        answer = await self.reviewer.get(f"/v1/incidents/{incident}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def linked(self, report: str) -> list[str]:
        """The incidents of a report."""
        answer = await self.reviewer.get(f"/v1/reports/{report}")
        return list(answer.json()["incidents"])

    async def decide(self, whose: Institution, incident: str, what: str, body: dict[str, Any]) -> Any:
        """The answer to a decision on the incident as it stands."""
        version = (await self.read(incident))["version"]
        return await whose.post(f"/v1/incidents/{incident}/{what}", body, If_Match=f'"{version}"')

    async def done(self, whose: Institution, incident: str, what: str, body: dict[str, Any]) -> str:
        answer = await self.decide(whose, incident, what, body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def refused(self, whose: Institution, incident: str, what: str, body: dict[str, Any]) -> str:
        """The rule that refuses it."""
        answer = await self.decide(whose, incident, what, body)
        assert answer.status_code == 409, answer.text
        return str(answer.json()["rule"])

    async def opened(self, *report_ids: str, **more: Any) -> str:
        body = {
            "class": "ATTACK",
            "reports": list(report_ids),
            "findings": [{"when": MAY}, {"where": PLACE}, {"kind": "ARMED_ATTACK"}],
            "victims": [VICTIM],
            "certainty": {"level": "POSSIBLE"},
        } | more
        answer = await self.reviewer.post("/v1/incidents", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


@pytest.fixture
async def world(app: Application, pool: asyncpg.Pool, join: Callable[..., Any]) -> World:
    await adopt(app)
    submitting = [await join(Scope.REPORTS_WRITE) for _ in range(2)]
    reviewing = [await join(Scope.INCIDENTS_VERIFY) for _ in range(3)]
    return World(app, pool, [*submitting, *reviewing])


async def test_what_is_decided_about_an_incident_shows_in_the_next_release(world: World) -> None:
    first = await world.report(world.university)
    incident = await world.opened(first)
    assert await world.counted() == Counted((0, 0, 1), (0, 0, 0), {}, 0)

    second = await world.report(world.ministry, source="MINISTRY_HEALTH")
    await world.done(world.reviewer, incident, "reports", {"report": second})
    assert await world.linked(second) == [incident]
    confirmed = {"level": "CONFIRMED", "basis": ["FORENSIC_DOCUMENT"]}
    await world.done(world.reviewer, incident, "certainty", confirmed)
    assert (await world.counted()).incidents == (0, 1, 1)
    await world.done(world.second, incident, "certainty", confirmed)
    assert (await world.counted()).incidents == (1, 1, 1)

    # She dies in June of what was done to her in January: it counts in January.
    died = {"victim": 1, "outcome": "KILLED", "manner": "DISPUTED", "known_on": "2026-02-20"}
    await world.done(world.reviewer, incident, "outcomes", died)
    assert await world.counted() == Counted((1, 1, 1), (1, 1, 1), {}, 0)
    assert (await world.public()).disclosures[incident].year == "2026"
    assert await world.refused(world.reviewer, incident, "outcomes", {"victim": 1, "outcome": "MINOR"}) == (
        "killed-is-corrected"
    )

    disputed = {"ground": "CAUSE_OF_DEATH", "statement": "El acta dice otra cosa."}
    await world.done(world.ministry, incident, "dispute", disputed)
    assert (await world.counted()).disputed == 1
    assert await world.refused(world.ministry, incident, "dispute", disputed) == "disputed-already"
    await world.done(world.third, incident, "dispute-resolution", {"decision": "UPHELD"})
    assert (await world.counted()).disputed == 0

    correction = {
        "when": {"earliest": "2025-12-31", "latest": "2025-12-31", "precision": "DAY"},
        "victim": {"number": 1, "outcome": "SEVERE"},
        "reason": "DATA_ENTRY",
        "authority": "Acta 12",
    }
    await world.done(world.second, incident, "corrections", correction)
    leaf = (await world.public()).disclosures[incident]
    assert (leaf.year, leaf.reason) == ("2025", "DATA_ENTRY")
    assert (await world.counted()).deaths == (0, 0, 0)

    # Without the second source PROBABLE no longer holds, nor does what was built on it.
    await world.done(world.reviewer, incident, "reports", {"remove": second, "reason": "MISIDENTIFICATION"})
    assert await world.linked(second) == []
    assert await world.counted() == Counted((0, 0, 1), (0, 0, 0), {}, 0)

    await world.done(world.reviewer, incident, "retraction", {"reason": "OUT_OF_SCOPE"})
    assert await world.counted() == Counted((0, 0, 0), (0, 0, 0), {"RETRACTED": 1}, 0)
    assert await world.refused(world.second, incident, "victims", VICTIM) == "incident-retracted"
    assert await world.refused(world.reviewer, incident, "reinstatement", {"reason": "NEW_EVIDENCE"}) == (
        "reinstated-by-another"
    )
    await world.done(world.second, incident, "reinstatement", {"reason": "NEW_EVIDENCE"})
    assert await world.counted() == Counted((0, 0, 1), (0, 0, 0), {}, 0)
    leaf = (await world.public()).disclosures[incident]
    assert (leaf.status.value, leaf.reason) == ("ACTIVE", "NEW_EVIDENCE")

    shown = await world.read(incident)
    assert shown["status"] == "PROVISIONAL"
    assert [one["level"] for one in shown["certainties"]] == [
        "POSSIBLE",
        "CONFIRMED",
        "CONFIRMED",
        "POSSIBLE",
    ]
    assert [(one["field"], one["reason"]) for one in shown["corrections"]] == [
        ("when", "DATA_ENTRY"),
        ("victim", "DATA_ENTRY"),
    ]
    corrected = shown["corrections"][0]
    assert (corrected["old"]["earliest"], corrected["new"]["earliest"]) == ("2026-01-05", "2025-12-31")
    assert [one["field"] for one in shown["findings"]] == ["when", "where", "kind"]
    assert [(one["number"], one["outcome"]) for one in shown["victims"]] == [(1, "SEVERE")]
    assert [(one["number"], one["open"]) for one in shown["disputes"]] == [(1, False)]
    words = shown["private"][f"incident:{incident}"]
    assert words["authority"][0] == {"version": corrected["version"], "value": "Acta 12"}
    assert words["statement"] == [
        {"version": shown["disputes"][0]["version"], "value": disputed["statement"]}
    ]


async def test_merged_incidents_are_one_and_can_be_split_again(world: World) -> None:
    first = await world.report(world.university)
    second = await world.report(world.ministry, source="MINISTRY_HEALTH")
    kept, merged = await world.opened(first), await world.opened(second)
    assert await world.counted() == Counted((0, 0, 2), (0, 0, 0), {}, 0)

    assert await world.refused(world.reviewer, merged, "merge", {"into": merged}) == "merge-into-another"
    await world.done(world.second, merged, "merge", {"into": kept})
    assert await world.counted() == Counted((0, 0, 1), (0, 0, 0), {"MERGED": 1}, 0)
    shown = await world.read(merged)
    assert (shown["status"], shown["merged_into"]) == ("MERGED", kept)
    assert (await world.public()).disclosures[merged].merged_into == kept
    assert await world.linked(second) == [kept]
    assert await world.refused(world.reviewer, merged, "certainty", {"level": "RUMOUR"}) == "incident-merged"
    assert await world.refused(world.reviewer, kept, "merge", {"into": merged}) == "merge-target-stands"
    # Two independent sources now, which neither had alone.
    await world.done(world.reviewer, kept, "certainty", {"level": "PROBABLE"})
    assert (await world.counted()).incidents == (0, 1, 1)

    assert (
        await world.refused(
            world.second, kept, "split", {"reports": [first, second], "reason": "MISIDENTIFICATION"}
        )
        == "split-leaves-a-report"
    )
    await world.done(world.reviewer, kept, "victims", {**VICTIM, "sex": "MALE"})
    body = {
        "reports": [second],
        "victims": [2],
        "findings": [{"when": MAY}, {"kind": "ROBBERY"}],
        "certainty": {"level": "POSSIBLE"},
        "reason": "MISIDENTIFICATION",
    }
    part = await world.done(world.second, kept, "split", body)
    assert part not in (kept, merged)
    assert await world.counted() == Counted((0, 0, 2), (0, 0, 0), {"MERGED": 1}, 0)
    shown = await world.read(part)
    assert (shown["split_from"], [one["sex"] for one in shown["victims"]]) == (kept, ["MALE"])
    left = await world.read(kept)
    assert [one["count"]["high"] for one in left["victims"]] == [1, 0]
    assert left["certainty"] == "POSSIBLE"
    assert await world.linked(second) == [part]


async def test_two_incidents_never_become_redirects_to_each_other(world: World) -> None:
    one, other = [await world.opened(await world.report(world.university)) for _ in range(2)]
    versions = {incident: (await world.read(incident))["version"] for incident in (one, other)}
    answers = await asyncio.gather(
        *(
            who.post(f"/v1/incidents/{merged}/merge", {"into": into}, If_Match=f'"{versions[merged]}"')
            for who, merged, into in ((world.reviewer, one, other), (world.second, other, one))
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 412]
    assert sorted([(await world.read(incident))["status"] for incident in (one, other)]) == [
        "MERGED",
        "PROVISIONAL",
    ]


async def test_an_institution_disputes_what_it_reported_or_what_is_public_and_no_more(world: World) -> None:
    incident = await world.opened(await world.report(world.university))
    path, body = f"/v1/incidents/{incident}/dispute", {"ground": "WHEN"}
    assert (await world.ministry.post(path, body)).status_code == 404
    assert (await world.university.post(path, body)).status_code == 201
    await world.public()
    assert (await world.ministry.post(path, body)).status_code == 201
    answer = await world.reviewer.post(f"{path}-resolution", {"decision": "DISMISSED"})
    assert answer.json()["errors"][0]["field"] == "dispute"
    await world.third.post(path, {"ground": "CERTAINTY"})
    resolution = {"dispute": 3, "decision": "DISMISSED"}
    assert await world.refused(world.third, incident, "dispute-resolution", resolution) == (
        "disputant-does-not-resolve"
    )
    await world.done(world.reviewer, incident, "dispute-resolution", resolution)


async def test_of_two_reviewers_at_once_one_wins_and_the_other_learns_what_changed(world: World) -> None:
    incident = await world.opened(await world.report(world.university))
    await world.done(world.reviewer, incident, "findings", {"kind": "ROBBERY"})
    version = (await world.read(incident))["version"]
    decisions: list[tuple[Institution, str, dict[str, Any]]] = [
        (world.reviewer, "certainty", {"level": "RUMOUR"}),
        (world.second, "corrections", {"kind": "EXTORTION", "reason": "RECLASSIFICATION"}),
    ]
    answers = await asyncio.gather(
        *(
            who.post(f"/v1/incidents/{incident}/{what}", body, If_Match=f'"{version}"')
            for who, what, body in decisions
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 412]
    late = next(answer.json() for answer in answers if answer.status_code == 412)
    (change,) = late["changes"]
    assert change in (
        {"version": version + 1, "event": "incident.certainty_set", "fields": ["level", "criteria", "basis"]},
        {"version": version + 1, "event": "incident.corrected", "fields": ["kind"]},
    )
    assert late["version"] == version + 1
    for secret in ("EXTORTION", "ROBBERY", "RUMOUR"):
        assert secret not in str(late)


async def test_what_made_a_new_incident_is_answered_alike_when_it_is_sent_again(world: World) -> None:
    first, second = [await world.report(world.university) for _ in range(2)]
    body = {"class": "ATTACK", "reports": [first, second], "source_record_id": "caso-1"}
    made = await world.reviewer.post("/v1/incidents", body, Idempotency_Key="a")
    assert made.status_code == 201
    assert [
        (again.json(), again.headers["location"])
        for again in (
            await world.reviewer.post("/v1/incidents", body, Idempotency_Key="a"),
            await world.reviewer.post("/v1/incidents", body),
        )
    ] == [(made.json(), made.headers["location"])] * 2
    headers = {"If_Match": made.headers["etag"], "Idempotency_Key": "b"}
    splitting = {"reports": [second], "reason": "MISIDENTIFICATION"}
    parts = [
        await world.reviewer.post(f"{made.headers['location']}/split", splitting, **headers) for _ in range(2)
    ]
    assert parts[0].json() == parts[1].json()
    assert parts[0].headers["location"] != made.headers["location"]


async def test_a_refusal_names_its_rule_in_both_languages(world: World) -> None:
    incident = await world.opened(await world.report(world.university))
    told = {}
    for language in ("es", "en"):
        answer = await world.second.post(
            f"/v1/incidents/{incident}/reinstatement", {"reason": "NEW_EVIDENCE"}, Accept_Language=language
        )
        assert (answer.json()["code"], answer.json()["rule"]) == ("rule-violated", "incident-not-retracted")
        told[language] = answer.json()["detail"]
    assert told["es"] != told["en"]


async def test_nobody_is_killed_in_two_incidents_that_stand(world: World) -> None:
    killed = {**VICTIM, "outcome": "KILLED", "student": STUDENT}
    first, second = [await world.opened(await world.report(world.university), victims=[]) for _ in range(2)]
    await world.done(world.reviewer, first, "victims", killed)
    for what, body in (("victims", killed), ("victims", {**killed, "sex": "MALE"})):
        answer = await world.decide(world.reviewer, second, what, body)
        assert answer.json()["rule"] == "double-death"
        assert first in answer.json()["detail"]

    # Nor by the way round: wounded here, and dead of it later; or retracted there and reinstated.
    await world.done(world.reviewer, second, "victims", {**killed, "outcome": "SEVERE"})
    dies = {"victim": 1, "outcome": "KILLED"}
    assert await world.refused(world.reviewer, second, "outcomes", dies) == "double-death"
    await world.done(world.reviewer, first, "retraction", {"reason": "MISIDENTIFICATION"})
    await world.done(world.reviewer, second, "outcomes", dies)
    again = {"reason": "NEW_EVIDENCE"}
    assert await world.refused(world.second, first, "reinstatement", again) == "double-death"
    corrected = {"victim": {"number": 1, "unidentified": True}, "reason": "MISIDENTIFICATION"}
    await world.done(world.second, second, "corrections", corrected)
    await world.done(world.second, first, "reinstatement", again)


async def test_errors_name_what_was_sent_where_it_was_sent(world: World) -> None:
    opening = {"class": "ATTACK", "reports": [await world.report(world.university)]}
    for finding, field in (
        ({"kind": "MESSAGE"}, "kind"),
        ({"kind": "ROBBERY", "family_agrees": True}, ""),
        ({"when": {"earliest": "2999-01-01", "latest": "2999-01-01", "precision": "DAY"}}, "when.earliest"),
    ):
        answer = await world.reviewer.post("/v1/incidents", {**opening, "findings": [{"means": []}, finding]})
        within = f"findings[1].{field}" if field else "findings[1]"
        assert [one["field"] for one in answer.json()["errors"]] == [within], answer.text
    opened = (await world.reviewer.post("/v1/incidents", opening)).json()["id"]
    for finding, field in (({"kind": "MESSAGE"}, "kind"), ({}, "")):
        answer = await world.decide(world.reviewer, opened, "findings", finding)
        assert [one["field"] for one in answer.json()["errors"]] == [field], answer.text
    for path, query, field, accepted in (
        ("/v1/incidents", {"limt": 3}, "query.limt", "source_record_id, updated_after, after, limit"),
        ("/v1/sites", {"PLANTED": 3, "clues": "A"}, "query", "clues"),
        (f"/v1/incidents/{opened}", {"at": 3}, "query.at", "No se aceptan parámetros aquí."),
    ):
        answer = await world.reviewer.get(path, **query)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["field"]) == (422, field)
        assert accepted in error["detail"]
        assert "PLANTED" not in answer.text


async def test_reviewers_name_a_person_by_the_pseudonym_in_a_linked_report(world: World) -> None:
    known_there_only = {**VICTIM, "student": {"internal_id": "EJEMPLO-77"}}
    named, named_again = [
        await world.report(world.university, victims=[known_there_only, VICTIM]) for _ in range(2)
    ]
    person = (await world.reviewer.get(f"/v1/reports/{named}")).json()["victims"][0]["person"]
    killed = {**VICTIM, "outcome": "KILLED", "person": person}
    first = await world.opened(named, victims=[killed])
    second = await world.opened(await world.report(world.ministry))
    assert [victim["person"] for victim in (await world.read(first))["victims"]] == [person]

    correction = {"reason": "NEW_EVIDENCE", "victim": {"number": 1, "person": person, "outcome": "KILLED"}}
    for what, body, field in (
        ("victims", killed, "person"),
        ("corrections", correction, "victim.person"),
    ):
        answer = await world.decide(world.reviewer, second, what, body)
        assert [one["field"] for one in answer.json()["errors"]] == [field]
    await world.done(world.reviewer, second, "reports", {"report": named_again})
    assert await world.refused(world.reviewer, second, "corrections", correction) == "double-death"
    another = {**killed, "student": {"internal_id": "EJEMPLO-77"}}
    answer = await world.decide(world.reviewer, second, "victims", another)
    assert [one["field"] for one in answer.json()["errors"]] == ["student"]
