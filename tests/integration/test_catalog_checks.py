"""What a loaded catalogue changes for those who send: municipalities checked, doubtful codes told, names found."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from api.auth.keys import Keys
from api.auth.scopes import ROLES, Role, Scope
from registry.application import register
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, WriteOptions
from registry.application.places import catalog_loading
from registry.application.places.site_catalog import take_sites
from registry.catalogs.clues import check_digit
from registry.catalogs.establishments import Establishment
from registry.catalogs.municipalities import CATALOG, Municipality
from registry.catalogs.reading import Row
from registry.domain.register import REGISTER_ID
from registry.domain.site import Site
from registry.log.keys import LogKeys
from registry.privacy.master import MasterKey
from registry.store.catalogs import CatalogFile
from tests.integration.conftest import Clock
from tests.integration.rest import Institution

OLD = [
    Municipality("10023", "Pueblo Nuevo"),
    Municipality("11024", "Pueblo Nuevo"),
    Municipality("12012", "Ayutla"),
]
NEW = [*OLD, Municipality("12083", "Ñuu Savi")]


def clues(letters: str, number: int) -> str:
    return f"{letters}{number:05}{check_digit(f'{letters}{number:05}')}"


async def adopt(app: Application, vintage: str, entries: list[Municipality]) -> None:
    file = CatalogFile(name=CATALOG, vintage=vintage, sha256=uuid4().bytes * 2, entries=entries)
    assert (await catalog_loading.adopt(app, file, vintage_given=True)).new


@pytest.fixture
async def admin(http: Any, keys: Keys) -> Institution:
    return Institution(http, (await keys.issue(None, ROLES[Role.ADMIN], None)).key)


@pytest.fixture
async def university(join: Callable[..., Any]) -> Institution:
    joined: Institution = await join(Scope.REPORTS_WRITE)
    return joined


@pytest.fixture
async def elsewhere(
    pool: asyncpg.Pool, master: MasterKey, log_keys: LogKeys, clock: Clock
) -> AsyncIterator[Application]:
    """Another process of the same register."""
    async with Application(pool, master, log_keys, clock=clock) as application:
        yield application


def report(cvegeo: str, day: str) -> dict[str, Any]:
    return {
        "class": "THREAT",
        "kind": "VERBAL",
        "source_type": "UNIVERSITY",
        "when": {"earliest": day, "latest": day, "precision": "DAY"},
        "where": {"cvegeo": cvegeo, "precision": "MUNICIPALITY"},
    }


async def test_a_municipality_is_checked_against_the_catalogue_of_its_date_in_every_process(
    university: Institution, admin: Institution, elsewhere: Application
) -> None:
    # Without a catalogue only the form is checked.
    assert (await university.post("/v1/reports", report("12999", "2024-05-01"))).status_code == 201
    # Loaded elsewhere, it holds here from then on.
    await adopt(elsewhere, "2020", OLD)
    refused = await university.post("/v1/reports", report("12032", "2024-05-01"), Accept_Language="en")
    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["field"]) == (422, "where.cvegeo")
    assert "12012 Ayutla" in error["detail"]
    assert (await university.post("/v1/reports", report("12083", "2024-05-01"))).status_code == 422
    await adopt(elsewhere, "2025", NEW)
    assert (await university.post("/v1/reports", report("12083", "2024-05-01"))).status_code == 201
    early = await university.post("/v1/reports", report("12083", "2019-05-01"), Accept_Language="en")
    assert "catalogue of 2025 only" in early.json()["errors"][0]["detail"]
    site = await admin.post("/v1/sites", {"name": "Clínica", "cvegeo": "12999"})
    assert (site.status_code, site.json()["errors"][0]["field"]) == (422, "cvegeo")
    assert (await admin.post("/v1/sites", {"name": "Clínica", "cvegeo": "12083"})).status_code == 201


async def test_a_report_asks_the_database_for_no_catalogue(
    university: Institution, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    await adopt(app, "2025", NEW)
    assert (await university.post("/v1/reports", report("12083", "2026-01-05"))).status_code == 201
    asked: list[object] = []
    history = app.store.history

    async def watched(stream: UUID, after_version: int = 0) -> list[tuple[str, bytes]]:
        asked.append(stream)
        return await history(stream, after_version)

    monkeypatch.setattr(app.store, "history", watched)
    monkeypatch.setattr(app.catalogs, "_pool", None)
    assert (await university.post("/v1/reports", report("12012", "2026-01-05"))).status_code == 201
    assert REGISTER_ID not in asked


async def test_a_doubtful_clues_is_accepted_with_a_warning_and_again_when_the_answer_is_repeated(
    admin: Institution,
) -> None:
    right = clues("DGSSA", 12)
    doubtful = right[:-1] + str((int(right[-1]) + 1) % 7)
    body = {"name": "Clínica", "cvegeo": "11024", "clues": doubtful}
    first = await admin.post("/v1/sites", body, Idempotency_Key="one", Accept_Language="en")
    again = await admin.post("/v1/sites", body, Idempotency_Key="one", Accept_Language="en")
    assert (first.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.content == first.content
    told = first.json()["warnings"]
    assert [warning["field"] for warning in told] == ["clues", "clues"]
    assert "last digit" in told[0]["detail"]
    assert "Guanajuato" in told[1]["detail"]
    path = f"/v1/sites/{first.json()['id']}/codes"
    code = {"clues": clues("GTSSA", 12), "valid_from": "2026-02-01"}
    assert "warnings" not in (await admin.post(path, code)).json()
    doubted = {"clues": clues("DGSSA", 14), "valid_from": "2026-03-01"}
    once = await admin.post(path, doubted, Idempotency_Key="two")
    assert [w["detail"][:12] for w in once.json()["warnings"]] == ["El municipio"]
    assert (await admin.post(path, doubted, Idempotency_Key="two")).content == once.content


async def test_a_site_is_found_by_any_of_its_codes_and_no_other_may_have_them(admin: Institution) -> None:
    old, new = clues("DGSSA", 1), clues("DGIMB", 1)
    made = await admin.post("/v1/sites", {"name": "Clínica", "cvegeo": "10023", "clues": old})
    site = made.json()["id"]
    await admin.post(f"/v1/sites/{site}/codes", {"clues": new, "valid_from": "2026-01-01"})
    for code in (old, new):
        found = (await admin.get("/v1/sites", clues=code)).json()["items"]
        assert [one["id"] for one in found] == [site]
        taken = await admin.post("/v1/sites", {"name": "Otra", "cvegeo": "10023", "clues": code})
        assert (taken.status_code, taken.json()["rule"]) == (409, "clues-of-one-site")
    assert (await admin.get("/v1/sites", clues=clues("DGIMB", 2))).json()["items"] == []
    assert (await admin.get("/v1/sites", clues="x")).status_code == 422
    raced = await asyncio.gather(
        *(
            admin.post("/v1/sites", {"name": name, "cvegeo": "10023", "clues": clues("DGIMB", 3)})
            for name in "abc"
        )
    )
    assert sorted(answer.status_code for answer in raced) == [201, 409, 409]


async def test_sites_of_a_catalogue_keep_their_identity_when_codes_change_and_clashes_are_told(
    app: Application,
) -> None:
    await adopt(app, "2025", NEW)
    old, new, newest = clues("DGSSA", 7), clues("DGIMB", 7), clues("DGIMB", 8)

    def rows(*entries: Establishment) -> list[Row[Establishment]]:
        return [Row(number, entry) for number, entry in enumerate(entries, start=1)]

    plain = Establishment(old, name="Clínica Uno", cvegeo="10023")
    other = Establishment(clues("DGSSA", 9), name="Clínica Dos", cvegeo="10023")
    taken = await take_sites(app, rows(plain, other), date(2020, 1, 1))
    assert taken.registered == 2
    taken = await take_sites(app, rows(Establishment(new, old, "CLINICA UNO", "10023")), date(2024, 1, 1))
    assert (taken.recoded, [one.kind for one in taken.defects]) == (1, ["recoded"])
    again = Establishment(newest, new, "Clínica Primera", "12012", valid_from=date(2025, 3, 1))
    trial = await take_sites(app, rows(again), date(2026, 1, 1), dry_run=True)
    taken = await take_sites(app, rows(again), date(2026, 1, 1))
    assert (trial.recoded, taken.recoded) == (1, 1)
    assert [one.kind for one in taken.defects] == [
        "site-name-differs", "site-municipality-differs", "recoded",
    ]  # fmt: skip
    holders = await app.store.holders([f"clues:{code}" for code in (old, new, newest)])
    (site_id,) = set(holders.values())
    site = await app.load(Site, site_id)
    assert site is not None
    assert [(code.clues, code.valid_from) for code in site.codes] == [
        (old, None), (new, date(2024, 1, 1)), (newest, date(2025, 3, 1)),
    ]  # fmt: skip

    late = Establishment(clues("DGIMB", 10), newest, "Clínica Uno", "10023", valid_from=date(2025, 1, 1))
    clash = Establishment(old, clues("DGSSA", 9), "Clínica Uno", "10023")
    nameless = Establishment(clues("DGIMB", 11), cvegeo="10023")
    nowhere = Establishment(clues("DGIMB", 12), name="Clínica", cvegeo="10999")
    taken = await take_sites(app, rows(late, clash, nameless, nowhere), date(2026, 1, 1))
    assert (taken.registered, taken.recoded, taken.unchanged) == (0, 0, 1)
    assert [one.kind for one in taken.defects] == ["code-left-out", "two-sites", "no-site", "no-site"]


async def test_a_catalogue_that_was_stored_and_not_adopted_counts_for_nobody_until_it_is(
    app: Application, university: Institution, pool: asyncpg.Pool
) -> None:
    file = CatalogFile(name=CATALOG, vintage="2025", sha256=bytes(32), entries=NEW)
    stored = await app.catalogs.store(file)  # and then the power goes out
    assert (await university.post("/v1/reports", report("12999", "2026-01-05"))).status_code == 201
    both = await asyncio.gather(*(catalog_loading.adopt(app, file, vintage_given=False) for _ in range(3)))
    assert all(one.vintage == "2025" for one in both)
    (adopted,) = await catalog_loading.adopted(app)
    assert adopted.id == stored
    assert await pool.fetchval("SELECT count(*) FROM municipalities") == len(NEW)
    assert (await university.post("/v1/reports", report("12999", "2026-01-05"))).status_code == 422


async def test_a_place_is_found_by_its_name_or_offered_as_choices(
    university: Institution, app: Application
) -> None:
    nothing = (await university.get("/v1/places", name="Pueblo Nuevo, Durango")).json()
    assert nothing == {"resolved": None, "choices": [], "vintages": []}
    await adopt(app, "2020", OLD)
    await adopt(app, "2025", NEW)
    found = (await university.get("/v1/places", name="PUEBLO NUEVO, Dgo.")).json()
    assert found["resolved"] == {"cvegeo": "10023", "name": "Pueblo Nuevo", "state": "10", "vintage": "2025"}
    assert found["vintages"] == ["2020", "2025"]
    both = (await university.get("/v1/places", name="pueblo nuevo")).json()
    assert [(one["cvegeo"], one["score"]) for one in both["choices"]] == [("10023", 1.0), ("11024", 1.0)]
    misspelt = (await university.get("/v1/places", name="Ayulta", state="Guerrero")).json()
    assert (misspelt["resolved"], misspelt["choices"][0]["cvegeo"]) == (None, "12012")
    before = (await university.get("/v1/places", name="Ñuu Savi", on="2019-01-01")).json()
    assert (before["resolved"], before["choices"]) == (None, [])
    assert (await university.get("/v1/places", name="Ayutla", state="Gerrero")).status_code == 422


async def test_adopting_is_the_operators_and_logged_once(app: Application, pool: asyncpg.Pool) -> None:
    await adopt(app, "2025", NEW)
    (leaf,) = [
        row["leaf"] for row in await pool.fetch("SELECT leaf FROM events WHERE type = 'catalog.adopted'")
    ]
    assert b'"public":{"name":"municipalities","rows":4,' in leaf
    (adopted,) = await catalog_loading.adopted(app)
    decision = register.adopt_catalog(adopted.id, CATALOG, "2025", "", 4)
    assert (await app.execute(OPERATOR, decision, WriteOptions())).events == ()
