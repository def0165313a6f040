"""Those who report the cases and decide about them, and what everybody is told."""

import asyncio
import time
from contextlib import ExitStack
from typing import Any

import httpx

from api.start import open_services, read_settings
from projections.releases import Releases
from tests.acceptance.cases import CASES, COPIES, DATES, NEWSROOMS, Json, Row, day
from tests.acceptance.conftest import Program


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
