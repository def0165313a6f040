"""Nineteen thousand real events, through a profile and the ladder to the count, against SQL over the file itself.

The events are of an armed conflict and nobody in them is a student: the profile's constants say so of everybody, so
that they may be counted. A policy without waits, with k = 1, opens everything. The expected figures are computed by
DuckDB from the published file, by other rules of the same words: no code of the register takes part.
"""

import asyncio
from datetime import date
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import asyncpg
import duckdb
import pytest

from api.imports.loading import load_profile
from api.imports.preparing import prepare
from api.imports.records import Records, read_record
from api.imports.tables import UNKNOWN_LAYOUT
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.counting.fold import Fold
from projections.counting.query import ask
from projections.models.public_count import PublicCount
from projections.models.public_figures import count
from projections.runner import Runner
from projections.verification.recount import Recount
from registry.application.drafts import IncidentDraft
from registry.disclosure import disclosed, ladder, policy
from registry.disclosure.facets import Findings, facets_of
from registry.domain.claims import Victim, When, Where
from registry.log.canonical import JSON
from registry.log.leaf import open_leaf
from tests.events import Leaf, store_leaves

DAY = date(2026, 11, 22)

PROFILE = r"""
records = "incidents"

[[record]]
[record.fields]
class = "ATTACK"
source_record_id = { column = "id", required = true }
"certainty.level" = "CONFIRMED"

[[record.items]]
into = "reports"
fields = { source_record_id = { column = "relid" } }

[[record.items]]
into = "findings"
[record.items.fields]
"when.earliest" = { column = "date_start", day = "civil", required = true }
"when.latest" = { column = "date_end", day = "civil", required = true }
"when.precision" = { column = "date_prec", table = "date_precision", required = true }

[[record.items]]
into = "findings"
only_if = [{ column = "where_prec", matches = '^[1-5]$' }]
[record.items.fields]
"where.cvegeo" = { template = "{where_prec}|{cvegeo}", capture = '^[123]\|(\d{5})$' }
"where.state" = { column = "adm_1", table = "state" }
"where.precision" = { template = "{where_prec}|{cvegeo}", table = "place_precision", required = true }

[[record.items]]
into = "findings"
fields = { kind = "ARMED_ATTACK" }

[[record.items]]
into = "victims"
[record.items.fields]
role = "PASANTE_MEDICINE"
nexus = "ON_DUTY_AT_SITE"
outcome = "KILLED"
"count.low" = { column = "low", number = true }
"count.best" = { column = "best", number = true }
"count.high" = { column = "high", number = true }

[dates.civil]
formats = ["YYYY-MM-DD"]

[tables.date_precision.exact]
"1" = "DAY"
"2" = "INTERVAL"
"3" = "WEEK"
"4" = "MONTH"
"5" = "YEAR"

[tables.place_precision]
patterns = [{ matches = '^[123]\|\d{5}$', value = "MUNICIPALITY" }]
default = "STATE"
"""

STATES = {
    "Aguascalientes": "01", "Baja California": "02", "Baja California Sur": "03", "Campeche": "04", "Coahuila": "05",
    "Colima": "06", "Chiapas": "07", "Chihuahua": "08", "Ciudad de México": "09", "Distrito Federal": "09",
    "Durango": "10", "Guanajuato": "11", "Guerrero": "12", "Hidalgo": "13", "Jalisco": "14", "México": "15",
    "Michoacán": "16", "Morelos": "17", "Nayarit": "18", "Nuevo León": "19", "Oaxaca": "20", "Puebla": "21",
    "Querétaro": "22", "Quintana Roo": "23", "San Luis Potosí": "24", "Sinaloa": "25", "Sonora": "26", "Tabasco": "27",
    "Tamaulipas": "28", "Tlaxcala": "29", "Veracruz": "30", "Yucatán": "31", "Zacatecas": "32",
}  # fmt: skip

EXPECTED = """
CREATE TABLE spans AS
SELECT *,
    CASE date_prec
        WHEN '4' THEN date_trunc('month', date_start::date)
        WHEN '5' THEN date_trunc('year', date_start::date)
        ELSE date_start::date
    END AS first,
    CASE date_prec
        WHEN '4' THEN last_day(date_end::date)
        WHEN '5' THEN make_date(year(date_end::date), 12, 31)
        ELSE date_end::date
    END AS last
FROM events;
CREATE TABLE facts AS
SELECT low::int AS low, best::int AS best, high::int AS high,
    CASE WHEN year(first) = year(last) THEN strftime(last, '%Y') ELSE 'UNKNOWN' END AS year,
    CASE WHEN date_trunc('month', first) = date_trunc('month', last) THEN strftime(last, '%Y-%m')
        ELSE 'UNKNOWN' END AS month,
    CASE
        WHEN where_prec IN ('1', '2', '3') AND cvegeo IS NOT NULL THEN left(cvegeo, 2)
        WHEN where_prec = '6' THEN 'UNKNOWN'
        ELSE coalesce((SELECT code FROM states WHERE name = replace(adm_1, ' state', '')), 'UNKNOWN')
    END AS state,
    CASE WHEN where_prec IN ('1', '2', '3') THEN coalesce(cvegeo, 'UNKNOWN') ELSE 'UNKNOWN' END AS municipality
FROM spans;
"""


@pytest.fixture(scope="module")
def events(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[duckdb.DuckDBPyConnection, Path]:
    """The file with the municipality of each point beside it; the three numbers of 89 events put in order."""
    connection = duckdb.connect()
    where = shared_data / "incidents"
    connection.execute(
        f"""CREATE TABLE events AS
        SELECT e.* EXCLUDE (low, best, high), c.cve_geo_by_point AS cvegeo,
            list_sort([low::int, best::int, high::int])[1] AS low,
            list_sort([low::int, best::int, high::int])[2] AS best,
            list_sort([low::int, best::int, high::int])[3] AS high
        FROM read_csv('{where}/ucdp_ged_mexico.csv.gz', all_varchar = true) e
        JOIN read_csv('{where}/ucdp_ged_mexico_crosswalk.csv.gz', all_varchar = true) c USING (id)"""
    )
    connection.execute("CREATE TABLE states (name text, code text)")
    connection.executemany("INSERT INTO states VALUES (?, ?)", [list(pair) for pair in STATES.items()])
    path = tmp_path_factory.mktemp("events") / "events.csv"
    connection.execute(f"COPY events TO '{path}' (HEADER)")
    connection.execute(EXPECTED)
    return connection, path


def opened() -> dict[str, JSON]:
    """The shipped policy for everybody alike, without waits and populations, and with k = 1."""
    document = cast("Any", policy.shipped())
    (tier,) = [tier for tier in document["tiers"] if tier["tier"] == 1]
    tier["rules"] = [{"kinds": None, "outcome": None, "all_in_scope": None, "public_or_agreed": False}]
    tier["stops"] = []
    for rung in tier["rungs"]:
        rung["k"] = {"default": 1, "already_public": 1}
        rung["students"] = {"default": 0, "already_public": 0}
    return {**document, "tiers": [tier]}


def drafts(path: Path) -> list[IncidentDraft]:
    """What the profile makes of every row; none is refused."""
    names = "\n".join(f'"{name} state" = "{code}"\n"{name}" = "{code}"' for name, code in STATES.items())
    profile = load_profile(f'{PROFILE}\n[tables.state]\nempty = ""\n[tables.state.exact]\n{names}\n')
    found: list[IncidentDraft] = []
    with path.open("rb") as file:
        for row in prepare(file, Records.INCIDENTS, profile, layout=UNKNOWN_LAYOUT).rows:
            assert not row.problems, row.problems
            found += [
                cast("IncidentDraft", read_record(Records.INCIDENTS, record.body)) for record in row.records
            ]
    return found


def candidate(draft: IncidentDraft) -> ladder.Candidate:
    """As adjudicated: the certainty is the profile's, whatever reviewers would have needed for it."""
    when = where = kind = None
    for one in draft.findings:
        if one.when is not None:
            when = When(earliest=one.when.earliest, latest=one.when.latest, precision=one.when.precision)
        if one.where is not None:
            where = Where(state=one.where.state, cvegeo=one.where.cvegeo, precision=one.where.precision)
        kind = one.kind or kind
    found = Findings(kind=kind, when=when, where=where)
    victims = tuple(
        Victim(role=one.role, sex=one.sex, outcome=one.outcome, nexus=one.nexus, count=one.count)
        for one in draft.victims
        if one.count is not None
    )
    assert draft.certainty is not None
    return ladder.Candidate(
        incident=uuid4(),
        incident_class=draft.class_,
        status="ACTIVE",
        certainty=draft.certainty.level,
        disputed=False,
        facets=facets_of(draft.class_, victims, found),
        victims=victims,
        findings=found,
        reported=DAY,
        promotion_end=None,
        students={},
    )


def leaves(candidates: list[ladder.Candidate], document: dict[str, JSON]) -> list[Leaf]:
    """One release of all of them."""
    rules, sha256 = policy.parse(document), policy.sha256(document)
    open_facets = ladder.decide(candidates, rules, on=DAY, previous_release=None)
    result = [
        Leaf("definition.adopted", {"id": DEFINITION_ID, "sha256": definition_sha256()}),
        Leaf("policy.adopted", {"id": "disclosure-policy/1", "sha256": sha256, "policy": document}),
    ]
    for one in sorted(candidates, key=lambda one: one.incident):
        standing = disclosed.Standing(
            incident=one.incident,
            status=one.status,
            merged_into=None,
            certainty=one.certainty,
            disputed=False,
            incident_class=one.incident_class,
            facets=one.facets,
            open=open_facets[one.incident],
        )
        shown = disclosed.disclose(uuid4(), standing, None, None)
        result.append(Leaf("incident.disclosed", shown.public, one.incident))
    release: dict[str, Any] = {"release": str(uuid4()), "definition": definition_sha256(), "policy": sha256}
    return [
        *result,
        Leaf("release.published", {**release, "disclosed": len(candidates), "answers": [], "tables": []}),
    ]


@pytest.mark.slow
def test_the_totals_are_those_of_the_file(
    events: tuple[duckdb.DuckDBPyConnection, Path], database_url: str
) -> None:
    file, path = events
    found = drafts(path)
    assert len(found) == 18_957
    log = leaves([candidate(draft) for draft in found], opened())
    recount = Recount()
    for index, leaf in enumerate(log):
        recount.add(index, open_leaf(uuid4(), leaf.type, DAY, leaf.public or {}))
    assert recount.crowds.waived == 0

    asyncio.run(compare(file, recount.fold, log, database_url))


async def compare(file: duckdb.DuckDBPyConnection, fold: Fold, log: list[Leaf], database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await store_leaves(connection, log)
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        await Runner(pool, [PublicCount()]).catch_up()
    for unit in ("INCIDENTS", "VICTIMISATIONS", "DEATHS"):
        values = [
            f"{name}::int" if unit != "INCIDENTS" else f"least({name}, 1)" for name in ("low", "best", "high")
        ]
        sums = ", ".join(f"sum({value})" for value in values)
        whole = file.execute(f"SELECT {sums} FROM facts").fetchone()
        for dimension in ("YEAR", "MONTH", "STATE", "MUNICIPALITY"):
            query = ask(unit, group_by=[dimension])
            rows = file.execute(
                f"SELECT {dimension}, {sums} FROM facts GROUP BY 1 HAVING sum(high) > 0"
            ).fetchall()
            expected = {key: bounds for key, *bounds in rows}
            for answer in (fold.count(query), await count(connection, query, len(log))):
                got = {row.key[0].value or row.key[0].state.value: list(row.bounds) for row in answer.rows}
                assert got == expected, (unit, dimension)
                assert tuple(answer.bounds) == whole
    await connection.close()
