"""What is taken away says what GraphQL says, in every form and both languages, and carries what it rests on."""

import csv
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import duckdb
import httpx
import pytest
import yaml
from python_calamine import CalamineWorkbook

from api.app import create_app
from api.cli.export import export_services
from api.cli.verify import run
from api.labels import INVENTED
from api.services import Services
from api.web.downloads.writing import FORMS
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.counting.fold import fold
from projections.counting.tables import tables
from projections.mirror.spreadsheet import write_csv
from projections.models.public_count import PublicCount
from projections.models.waiting import Waiting
from projections.runner import Runner
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor
from registry.log import storage
from registry.log.keys import LogKeys
from registry.log.publisher import Publisher
from tests.events import store_leaves
from tests.integration.conftest import Clock
from tests.integration.published import given, write_history
from tests.integration.test_export import exported
from tests.integration.test_graphql import publish
from tests.integration.test_site import EARLIER, LATER, LEAVES, SIZE, Page

WHOLE_YEAR = '{class: [ATTACK], period: {from: "2020-01", to: "2020-12"}}'
QUESTIONS = (
    ("", ""),
    (f"by=STATE&as_of={EARLIER}", f"groupBy: [STATE], asOf: {EARLIER}"),
    (
        "by=STATE&by=CLASS&unit=VICTIMISATIONS&nexus=BROAD",
        "groupBy: [STATE, CLASS], unit: VICTIMISATIONS, filter: {nexus: BROAD}",
    ),
    (
        f"by=YEAR&unit=DEATHS&class=ATTACK&from=2020&to=2020&as_of={SIZE}",
        f"groupBy: [YEAR], unit: DEATHS, filter: {WHOLE_YEAR}, asOf: {SIZE}",
    ),
)
"""As addresses and as GraphQL."""
NUMBERS = ("low", "best", "high")


class Taken(NamedTuple):
    """A file as programs read it. ``described`` is empty in a CSV."""

    names: list[str]
    rows: list[list[Any]]
    described: dict[str, Any]


@pytest.fixture
async def site(pool: asyncpg.Pool, services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """Two published checkpoints."""
    async with pool.acquire() as connection:
        for leaves in (LEAVES, LATER):
            await store_leaves(connection, leaves)
            await publish(pool)
    await Runner(pool, [PublicCount(), Waiting()]).catch_up()
    async with client(services) as found:
        yield found


def client(services: Services) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(create_app(services)), base_url="http://test")


async def got(site: httpx.AsyncClient, address: str) -> httpx.Response:
    answer = await site.get(address)
    assert answer.status_code == 200, answer.text
    return answer


async def ask(site: httpx.AsyncClient, query: str) -> Any:
    answer = (await site.post("/graphql", json={"query": query})).json()
    assert "errors" not in answer, answer
    return answer["data"]


def read(form: str, content: bytes, place: Path) -> Taken:
    """With somebody else's reader."""
    match form:
        case "csv":
            names, *rows = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
            return Taken(names, [list(map(typed, row)) for row in rows], {})
        case "json":
            found = json.loads(content)
            rows = [list(row.values()) for row in found["rows"]]
            return Taken(list(found["rows"][0]) if rows else [], rows, found["metadata"])
        case "xlsx":
            book = CalamineWorkbook.from_filelike(io.BytesIO(content))
            table, about, _ = (book.get_sheet_by_name(name).to_python() for name in book.sheet_names)
            return Taken([str(cell) for cell in table[0]], [list(map(typed, row)) for row in table[1:]],
                         {str(row[0]): opened(str(row[1])) for row in about})  # fmt: skip
        case _:
            path = place / "taken.parquet"
            path.write_bytes(content)
            with duckdb.connect() as database:
                relation = database.read_parquet(str(path))
                stored = database.execute(
                    f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{path}')"
                ).fetchall()
                described = {key: opened(value) for key, value in stored}
                return Taken(relation.columns, [list(row) for row in relation.fetchall()], described)


def typed(cell: Any) -> Any:
    """A cell of a CSV or a spreadsheet as the others hold it."""
    if isinstance(cell, float):
        return int(cell)
    if isinstance(cell, str) and cell in ("true", "false"):
        return cell == "true"
    # What looks like a number and is none begins with a zero or has four digits: a state, a year.
    return (
        int(cell)
        if isinstance(cell, str) and cell.isdigit() and len(cell) < 2
        else None
        if cell == ""
        else cell
    )


def local(address: str) -> str:
    """Without the name of the register."""
    return address[re.search(r"/(datos|en/data)/", address).start() :]  # type: ignore[union-attr]


def opened(text: str) -> Any:
    return json.loads(text) if text[:1] in "{[" else text


async def test_every_form_holds_what_graphql_counts_in_both_languages(
    site: httpx.AsyncClient, tmp_path: Path
) -> None:
    for asked, arguments in QUESTIONS:
        numbers = "low best high"
        field = "counts" if "groupBy" in arguments else "count"
        inside = (
            f"rows {{ key {{ value state es: label en: label(lang: EN) }} {numbers} }} certificate"
            f" total {{ {numbers} disputed unit excluded {{ reason incidents }} asOf {{ size root }}"
            " definition { id sha256 } } citation { es: text en: text(lang: EN) }"
            if field == "counts"
            else f"{numbers} certificate unit disputed excluded {{ reason incidents }} asOf {{ size root }}"
            " definition { id sha256 } citation { es: text en: text(lang: EN) }"
        )
        called = f"{field}({arguments})" if arguments else field
        told = (await ask(site, f"{{ it: {called} {{ {inside} }} }}"))["it"]
        total = told.get("total", told)
        for root, language in (("/datos", "es"), ("/en/data", "en")):
            expected = [
                [
                    *(
                        text
                        for cell in row["key"]
                        for text in (cell["value"] or cell["state"], cell[language])
                    ),
                    *(row[name] for name in NUMBERS),
                ]
                for row in told.get("rows", [{"key": [], **told}])
            ]
            described = (await got(site, f"{root}/counts-metadata.json?{asked}")).json()
            for form in ("csv", "json", "xlsx", "parquet"):
                answer = await got(site, f"{root}/counts.{form}?{asked}")
                taken = read(form, answer.content, tmp_path)
                assert [row[2:] for row in taken.rows] == expected, (form, asked)
                assert taken.names == [one["name"] for one in described["schema"]["fields"]]
                for name in ("certificate", "citation", "question", "definition", "asOf", "unit", "verify"):
                    assert form == "csv" or taken.described[name] == described[name], (form, name)
            assert described["certificate"] == told["certificate"]
            assert described["citation"] == told["citation"][language]
            assert described["definition"] == total["definition"]
            assert {name: described["asOf"][name] for name in ("size", "root")} == total["asOf"]
            assert {name: described["total"][name] for name in (*NUMBERS, "disputed", "excluded")} == {
                name: total[name] for name in (*NUMBERS, "disputed", "excluded")
            }
            # The description names the same table for ever.
            again = await got(site, local(described["path"]))
            assert again.content == (await got(site, f"{root}/counts.csv?{asked}")).content


async def test_incidents_are_listed_as_graphql_lists_them_and_nothing_sealed_is_told(
    site: httpx.AsyncClient, tmp_path: Path
) -> None:
    for asked, arguments in (
        ("", ""),
        (f"state=14&as_of={EARLIER}", f'filter: {{state: ["14"]}}, asOf: {EARLIER}'),
    ):
        called = f"incidents(first: 100{', ' if arguments else ''}{arguments})"
        told = await ask(
            site, f"{{ it: {called} {{ edges {{ node {{ id class status certainty disputed }} }} }} }}"
        )
        expected = [list(edge["node"].values()) for edge in told["it"]["edges"]]
        taken, rows = Taken([], [], {}), list[list[Any]]()
        for form in ("json", "csv", "xlsx", "parquet"):
            taken = read(form, (await got(site, f"/en/data/incidents.{form}?{asked}")).content, tmp_path)
            places = [
                taken.names.index(name) for name in ("incident", "class", "status", "certainty", "disputed")
            ]
            assert [[row[place] for place in places] for row in taken.rows] == expected, form
            rows = rows or taken.rows
            # A CSV says neither what is a number nor what is a text.
            assert [list(map(str, row)) for row in taken.rows] == [list(map(str, row)) for row in rows], form
        named = [dict(zip(taken.names, row, strict=True)) for row in rows]
        assert {one["municipality"] for one in named} == {"UNDISCLOSED"}
        assert {one["municipality_label"] for one in named} == {"Not public yet"}
        count = await ask(
            site, f"{{ it: count{f'({arguments})' if arguments else ''} {{ low certificate }} }}"
        )
        counted = [one for one in named if (one["status"], one["certainty"]) == ("ACTIVE", "CONFIRMED")]
        assert len(counted) == count["it"]["low"]
        described = (await got(site, f"/datos/incidents-metadata.json?{asked}")).json()
        assert described["certificate"] == count["it"]["certificate"]


async def test_everything_is_one_archive_that_describes_itself(
    site: httpx.AsyncClient, pool: asyncpg.Pool, tmp_path: Path
) -> None:
    answer = await got(site, f"/datos/todo.zip?as_of={EARLIER}")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    files = {name.removeprefix("constancia/"): archive.read(name) for name in archive.namelist()}
    folded = fold(await storage.read_entries(pool, 0, EARLIER))
    for table in tables(folded):
        assert files[f"{table.name}.csv"] == write_csv(table)
    package = json.loads(files["datapackage.json"])
    assert {resource["path"] for resource in package["resources"]} == {
        f"{name}.{form}"
        for name in ("totals", "counts", "excluded", "incidents", "codes")
        for form in ("csv", "parquet")
    }
    # What the specification asks of names: unique, and nothing but these characters.
    names = [resource["name"] for resource in package["resources"]]
    assert len(set(names)) == len(names) == 10
    for resource in package["resources"]:
        assert re.fullmatch(r"[-a-z0-9._/]+", resource["name"])
        assert {"name", "path", "profile", "schema"} <= resource.keys() or resource["format"] == "parquet"
        content = files[resource["path"]]
        assert (resource["bytes"], resource["hash"]) == (
            len(content),
            f"sha256:{sha256(content).hexdigest()}",
        )
        taken = read(resource["format"], content, tmp_path)
        assert taken.names == [field["name"] for field in resource["schema"]["fields"]]
    codes = {(row[0], row[1]) for row in read("csv", files["codes.csv"], tmp_path).rows}
    listed = [dict(zip(*pair, strict=True)) for pair in rows_of(files["incidents.csv"])]
    assert len(listed) == 6
    assert {("state", one["state"]) for one in listed} | {("kind", one["kind"]) for one in listed} <= codes
    assert yaml.safe_load(files["CITATION.cff"])["version"] == str(EARLIER)
    assert definition_sha256() in files["README.md"].decode()
    assert files["checkpoint"].decode() == await pool.fetchval(
        "SELECT note FROM checkpoints WHERE size = $1", EARLIER
    )
    assert (await got(site, f"/datos/todo.zip?as_of={EARLIER}")).content == answer.content
    english = zipfile.ZipFile(io.BytesIO((await got(site, "/en/data/everything.zip")).content))
    assert "Not public yet" in english.read("constancia/incidents.csv").decode()


def rows_of(content: bytes) -> list[tuple[list[str], list[str]]]:
    names, *rows = csv.reader(content.decode().splitlines())
    return [(names, row) for row in rows]


async def test_catalogues_find_every_file(site: httpx.AsyncClient) -> None:
    found = (await got(site, "/datos/catalogo.jsonld")).json()
    assert (await got(site, "/en/data/catalog.jsonld")).json() == found
    assert found["@type"] == "dcat:Catalog"
    assert found["dcat:dataset"]["dcat:version"] == str(SIZE)
    files = [one["dcat:downloadURL"]["@id"] for one in found["dcat:dataset"]["dcat:distribution"]]
    media_types: dict[str, str] = {}
    for address, language in (("/datos/dataset.jsonld", "es"), ("/en/data/dataset.jsonld", "en")):
        found = (await got(site, address)).json()
        kind = (found["@context"], found["@type"], found["inLanguage"])
        assert kind == ("https://schema.org", "Dataset", language)
        assert f"{DEFINITION_ID}, sha256 {definition_sha256()}" == found["measurementTechnique"]
        assert 50 <= len(found["description"]) <= 5000
        media_types |= {one["contentUrl"]: one["encodingFormat"] for one in found["distribution"]}
    assert sorted(media_types) == sorted(files)
    assert len(files) == 18
    for file, media_type in media_types.items():
        answer = await got(site, local(file))
        assert answer.headers["content-type"].partition(";")[0] == media_type
    assert yaml.safe_load((await got(site, "/datos/CITATION.cff")).text)["version"] == str(SIZE)


async def test_files_of_a_demonstration_say_that_everybody_is_invented(
    site: httpx.AsyncClient, services: Services, tmp_path: Path
) -> None:
    transport = httpx.ASGITransport(create_app(replace(services, invented=True)))
    async with httpx.AsyncClient(transport=transport, base_url="https://log.example") as demonstration:
        for path, words in (
            ("/datos/CITATION.cff", [INVENTED.es, INVENTED.en]),
            ("/datos/catalogo.jsonld", [INVENTED.es, INVENTED.en]),
            ("/datos/dataset.jsonld", [INVENTED.es]),
            ("/en/data/dataset.jsonld", [INVENTED.en]),
            ("/datos/counts-metadata.json", [INVENTED.es]),
            ("/en/data/incidents.json", [INVENTED.en]),
        ):
            answer = (await got(demonstration, path)).text
            assert [word for word in words if word not in answer] == [], path
            assert "nvent" not in (await got(site, path)).text
        archive = zipfile.ZipFile(io.BytesIO((await got(demonstration, "/datos/todo.zip")).content))
        for name in ("README.md", "CITATION.cff", "datapackage.json"):
            text = archive.read(f"constancia/{name}").decode()
            assert INVENTED.es in text, name
            assert INVENTED.en in text, name
    await export_services(replace(services, invented=True), tmp_path / "mirror", lambda _done, _total: None)
    for name in ("README.md", "CITATION.cff", "datapackage.json"):
        assert INVENTED.en in (tmp_path / "mirror" / name).read_text(encoding="utf-8")


async def test_the_page_leads_to_every_file_of_the_question_and_describes_itself_to_search_engines(
    site: httpx.AsyncClient,
) -> None:
    for root, lang in (("/datos", "es"), ("/en/data", "en")):
        answer = await got(site, f"{root}?by=STATE&unit=DEATHS&state=16&as_of={EARLIER}")
        page = Page(answer.text)
        files = {link for link in page.links if link.startswith(f"{root}/")}
        tables = {f"counts.{form}?unit=DEATHS&state=16&by=STATE" for form in FORMS}
        tables |= {f"incidents.{form}?state=16" for form in FORMS}
        assert {f"{root}/{table}&as_of={EARLIER}" for table in tables} < files
        for link in files:
            await got(site, link)
        (told,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', answer.text)
        assert (
            json.loads(told)["name"] == json.loads((await got(site, f"{root}/dataset.jsonld")).text)["name"]
        )
        assert page.language == json.loads(told)["inLanguage"] == lang
        assert "script-src" not in answer.headers["content-security-policy"]


async def test_caches_keep_what_is_pinned_and_ask_again_for_the_rest(site: httpx.AsyncClient) -> None:
    for name in ("counts.csv", "counts.xlsx", "incidents.parquet", "counts-metadata.json", "todo.zip"):
        pinned = await got(site, f"/datos/{name}?as_of={SIZE}")
        assert pinned.headers["cache-control"] == "public, max-age=31536000, immutable"
        latest = await got(site, f"/datos/{name}")
        assert latest.headers["cache-control"] == "public, max-age=0, must-revalidate"
        assert latest.content == pinned.content
        assert latest.headers["etag"] == pinned.headers["etag"]
        assert int(latest.headers["content-length"]) == len(latest.content)
        same = await site.get(f"/datos/{name}", headers={"if-none-match": latest.headers["etag"]})
        assert (same.status_code, same.content) == (304, b"")
        earlier = await got(site, f"/datos/{name}?as_of={EARLIER}")
        assert earlier.headers["etag"] != latest.headers["etag"]
    table = await got(site, "/en/data/counts.csv?by=STATE")
    assert f'filename="constancia-counts-{SIZE}.csv"' in table.headers["content-disposition"]
    described = table.headers["link"].partition("license")[2].partition("<")[2].partition(">")[0]
    assert (await got(site, described)).json()["name"] == "counts"


async def test_what_cannot_be_given_is_said_in_the_language_of_the_address(site: httpx.AsyncClient) -> None:
    for address, status, field, es, en in (
        ("counts.csv?unit=PEOPLE", 422, "query.unit", "no es un código", "is not a code"),
        ("counts.xlsx?by=SEX", 422, "query.by", "pida la unidad DEATHS", "ask for the unit DEATHS"),
        ("counts.json?from=2020-13", 422, "query.from", "no es un mes", "is not a month"),
        ("counts.json?as_of=x", 422, "query.as_of", "un número entero", "a whole number"),
        ("counts.csv?estado=16", 422, "query.estado", "Se aceptan: unit", "Accepted: unit"),
        ("incidents.csv?by=STATE", 422, "query.by", "no se conoce aquí", "is not known here"),
        ("counts.csv?as_of=3", 404, None, "No se publicó", "was published"),
        ("counts.ods", 404, None, "Hay: counts.csv", "There are: counts.csv"),
    ):
        for root, language, said in (("/datos", "es", es), ("/en/data", "en", en)):
            answer = await site.get(f"{root}/{address}")
            assert answer.status_code == status, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert (answer.headers["content-language"], answer.headers["cache-control"]) == (
                language,
                "no-store",
            )
            told = answer.json()
            (text,) = [one["detail"] for one in told["errors"]] if field else [told["detail"]]
            assert said in text
            assert field is None or [one["field"] for one in told["errors"]] == [field]


async def test_the_command_accepts_the_certificate_of_a_file(
    app: Application,
    pool: asyncpg.Pool,
    services: Services,
    clock: Clock,
    university: Actor,
    verifier: Actor,
    log_keys: LogKeys,
    tmp_path: Path,
) -> None:
    await write_history(app, pool, clock, university, verifier)
    await Publisher(pool, log_keys, log_keys.origin, tmp_path / "log").publish_once()
    await Runner(pool, [PublicCount(), Waiting()]).catch_up()
    mirror = tmp_path / "mirror"
    await exported(pool, log_keys, mirror)
    async with client(services) as found:
        notes = [
            read(form, (await got(found, f"/datos/{name}.{form}?{asked}")).content, tmp_path).described[
                "certificate"
            ]
            for name, form, asked in (
                ("counts", "xlsx", "by=STATE&by=YEAR"),
                ("counts", "parquet", "unit=VICTIMISATIONS"),
                ("incidents", "json", "class=ATTACK"),
            )
        ]
        archive = zipfile.ZipFile(io.BytesIO((await got(found, "/datos/todo.zip")).content))
        notes.append(archive.read("constancia/certificates/DEATHS-BROAD.txt").decode())
    for note in notes:
        assert run(str(mirror), replace(given(log_keys), certificate=note)) == 0
