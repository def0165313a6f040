"""The official files at their real volume: vintages kept, sites the same under all their codes, defects told."""

import csv
import gzip
from collections import Counter
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg

from registry.application.execution.application import Application
from registry.application.places import catalog_loading
from registry.application.places.site_catalog import SitesTaken, take_sites
from registry.application.places.sites import by_clues
from registry.catalogs.boundaries import Boundaries, read_boundaries
from registry.catalogs.defects import Defect
from registry.catalogs.layout import Kind, recognise
from registry.catalogs.municipalities import vintage_day
from registry.catalogs.reading import read_establishments, read_municipalities
from registry.catalogs.table import read_table
from registry.domain.site import Site
from registry.store.catalogs import CatalogFile

BOUNDARIES = "geo/mx_municipios.topo.json"
OLDER, NEWER = "geo/mx_municipios_2020.csv", "geo/inegi_marco_geoestadistico_municipios.csv"
NATION, HIDALGO = "sites/clues_imss_bienestar_2026.csv.gz", "sites/hidalgo_clues_travel_time_2026.csv.gz"

HOLDERS = "SELECT name, stream_id FROM exclusive_names WHERE name LIKE 'clues:%' ORDER BY name"


async def load_municipalities(app: Application, data: bytes, vintage: str) -> tuple[bool, list[Defect]]:
    table = read_table(data)
    layout = recognise(Kind.MUNICIPALITIES, table.headings)
    assert layout is not None
    read = read_municipalities(table, layout)
    defects = await catalog_loading.examine_municipalities(app, read.rows, vintage)
    file = CatalogFile(
        name=layout.name, vintage=vintage, sha256=table.sha256, entries=[row.entry for row in read.rows]
    )
    adoption = await catalog_loading.adopt(app, file, vintage_given=False)
    return adoption.new, [*read.defects, *defects]


async def load_establishments(
    app: Application, data: bytes, vintage: str, boundaries: Boundaries
) -> tuple[bool, list[Defect], SitesTaken]:
    table = read_table(data)
    layout = recognise(Kind.ESTABLISHMENTS, table.headings)
    assert layout is not None
    read = read_establishments(table, layout)
    defects = await catalog_loading.examine_establishments(app, read.rows, layout.name, vintage, boundaries)
    file = CatalogFile(
        name=layout.name, vintage=vintage, sha256=table.sha256, entries=[row.entry for row in read.rows]
    )
    adoption = await catalog_loading.adopt(app, file, vintage_given=False)
    taken = await take_sites(app, read.rows, vintage_day(vintage))
    return adoption.new, [*read.defects, *defects], taken


def kinds(defects: Sequence[Defect]) -> dict[str, int]:
    return dict(Counter(one.kind for one in defects))


def rows_of(path: Path) -> list[dict[str, str]]:
    """Independently of the program: what the standard library reads."""
    data = path.read_bytes()
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    return list(csv.DictReader(text.decode("utf-8-sig").splitlines()))


async def adoptions(pool: asyncpg.Pool) -> list[Any]:
    return [
        row["leaf"]
        for row in await pool.fetch(
            "SELECT leaf FROM events WHERE type = 'catalog.adopted' ORDER BY position"
        )
    ]


async def test_both_vintages_of_the_municipalities_hold_and_what_changed_is_told(
    app: Application, pool: asyncpg.Pool, shared_data: Path
) -> None:
    older, newer = (shared_data / OLDER).read_bytes(), (shared_data / NEWER).read_bytes()
    assert await load_municipalities(app, older, "2020") == (True, [])
    new, defects = await load_municipalities(app, newer, "2025")
    assert new
    before = {row["cve_geo"]: row["municipio_name"] for row in rows_of(shared_data / OLDER)}
    after = {row["CVEGEO"]: row["NOMGEO"] for row in rows_of(shared_data / NEWER)}
    assert {one.code for one in defects if one.kind == "new"} == after.keys() - before.keys()
    assert {one.code for one in defects if one.kind == "gone"} == before.keys() - after.keys()
    renamed = {code for code in before.keys() & after.keys() if before[code] != after[code]}
    assert {one.code for one in defects if one.kind == "renamed"} == renamed
    assert kinds(defects) == {"new": 6, "renamed": 8}

    known = await app.catalogs.municipalities(await catalog_loading.adopted(app))
    assert [(one.label, len(one.municipalities)) for one in known.vintages] == [
        ("2020", 2469),
        ("2025", 2475),
    ]
    # Ñuu Savi was made between the two; in 2015 nothing is known of it, and 2025 has no Villa of its own any more.
    assert [known.known("12083", day, day) for day in (date(2015, 1, 1), date(2021, 1, 1), date(2026, 1, 1))] == [
        False, True, True,
    ]  # fmt: skip

    # The same again, and the older one after the newer, change nothing.
    assert (await load_municipalities(app, newer, "2026-11-22"))[0] is False
    assert (await load_municipalities(app, older, "2020"))[0] is False
    first, second = await adoptions(pool)
    for file, vintage, rows, leaf in ((older, "2020", 2469, first), (newer, "2025", 2475, second)):
        for said in (f'"sha256":"{sha256(file).hexdigest()}"', f'"vintage":"{vintage}"', f'"rows":{rows},'):
            assert said.encode() in leaf


async def test_ten_thousand_establishments_are_the_same_sites_whatever_file_names_them(
    app: Application, pool: asyncpg.Pool, shared_data: Path
) -> None:
    for file, vintage in ((OLDER, "2020"), (NEWER, "2025")):
        await load_municipalities(app, (shared_data / file).read_bytes(), vintage)
    nation, hidalgo = (shared_data / NATION).read_bytes(), (shared_data / HIDALGO).read_bytes()

    boundaries = read_boundaries((shared_data / BOUNDARIES).read_bytes())
    table = read_table(nation)
    layout = recognise(Kind.ESTABLISHMENTS, table.headings)
    assert layout is not None
    rows = read_establishments(table, layout).rows
    by_seats = await catalog_loading.examine_establishments(app, rows, layout.name, "2026")
    assert {kind: found for kind, found in kinds(by_seats).items() if kind.startswith("far")} == {
        "far-from-seat": 67,
        "far-from-state": 3,
    }
    new, defects, taken = await load_establishments(app, nation, "2026", boundaries)
    assert new
    assert kinds(defects) == {
        "code-changed": 10_503,
        "doubtful-former-clues": 408,
        "shared-coordinates": 542,
        "outside-municipality": 294,
        "municipality-name-differs": 22,
        "unknown-municipality": 12,
        "state-name-differs": 11,
    }
    assert (taken.registered, taken.recoded, taken.unchanged) == (10_561, 0, 0)
    assert kinds(taken.defects) == {"no-site": 12}  # in municipalities that neither vintage has
    stored = await pool.fetchval("SELECT size FROM head")

    again, repeated, same = await load_establishments(app, nation, "2026", boundaries)
    assert (again, kinds(repeated)) == (False, kinds(defects))
    assert (same.registered, same.recoded, same.unchanged) == (0, 0, 10_561)
    assert await pool.fetchval("SELECT size FROM head") == stored

    published = rows_of(shared_data / NATION)
    pairs = [(row["clues_ssa_y_sme"], row["clues_imb"]) for row in published if row["clues_ssa_y_sme"]]
    sites = await by_clues(app.store, {code for pair in pairs for code in pair})
    assert (
        sum(former in sites and sites[former] == sites[present] for former, present in pairs) == 10_503 - 12
    )
    former, present = pairs[0]
    site = await app.load(Site, sites[former])
    assert site is not None
    assert [(code.clues, code.valid_from) for code in site.codes] == [
        (former, None), (present, date(2026, 1, 1)),
    ]  # fmt: skip

    held = await pool.fetch(HOLDERS)
    new, defects, taken = await load_establishments(app, hidalgo, "2026-02", boundaries)
    assert new
    assert kinds(defects) == {
        "doubtful-clues": 65,
        "no-name": 1190,
        "no-municipality": 1190,
        "shared-coordinates": 83,
        "coordinates-differ": 3,
        "level-differs": 1,
    }
    assert (taken.registered, taken.recoded, taken.unchanged) == (0, 0, 528)
    assert kinds(taken.defects) == {"no-site": 662}
    assert await pool.fetch(HOLDERS) == held
    assert await pool.fetchval("SELECT size FROM head") == stored + 1  # the catalogue's own event
