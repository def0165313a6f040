"""Charts as files and in frames: what GraphQL says, complete by itself, and framed nowhere else."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import asyncpg
import httpx
import pytest

from api.app import create_app
from api.services import Services
from api.web.charts import style
from api.web.charts.geography import outlines
from projections.models.public_count import PublicCount
from projections.models.waiting import Waiting
from projections.runner import Runner
from registry.catalogs.boundaries import read_states
from registry.log.keys import LogKeys, load_or_create
from tests.boundaries import geojson
from tests.events import store_leaves
from tests.integration.test_graphql import publish
from tests.integration.test_site import BASE, BROWSER, EARLIER, LATER, LEAVES, SIZE, Page

SVG = "{http://www.w3.org/2000/svg}"
CHARTS = (
    ("bars", "by=YEAR"),
    ("bars", "by=KIND&unit=VICTIMISATIONS&nexus=BROAD"),
    ("bars", f"by=STATE&state=16&state=14&as_of={EARLIER}"),
    ("tiles", ""),
    ("tiles", "by=STATE&class=ATTACK"),
    ("map", "by=STATE"),
)
SENTENCE = re.compile(r'<section class="figure alone">.*?<p>([^<]+)</p>', re.DOTALL)
PICTURE = re.compile(r"<svg.*?</svg>", re.DOTALL)


@pytest.fixture
def log_keys(tmp_path: Path) -> LogKeys:
    return load_or_create(tmp_path / "log", "log.example/log")


@pytest.fixture
async def published(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        for leaves in (LEAVES, LATER):
            await store_leaves(connection, leaves)
            await publish(pool)
    await Runner(pool, [PublicCount(), Waiting()]).catch_up()


@pytest.fixture
async def site(published: None, services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """With boundaries of the states."""
    drawn = outlines(read_states(json.dumps(geojson()).encode()))
    async with client(replace(services, outlines=drawn)) as found:
        yield found


def client(services: Services) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(services))
    return httpx.AsyncClient(transport=transport, base_url=BASE, headers=BROWSER)


def policy(answer: httpx.Response) -> dict[str, str]:
    parts = answer.headers["content-security-policy"].split("; ")
    return dict((part.split(" ", 1)) for part in parts)


def texts(root: ElementTree.Element) -> list[str]:
    return [" ".join("".join(text.itertext()).split()) for text in root.iter(f"{SVG}text")]


async def test_every_chart_is_a_file_that_says_what_it_counts_as_of_when_and_where(
    site: httpx.AsyncClient,
) -> None:
    for name, question in CHARTS:
        for room, explorer, words in (
            ("/graficas", "/explorar", "En total:"),
            ("/en/charts", "/en/explore", "In total:"),
        ):
            answer = await site.get(f"{room}/{name}.svg?{question}")
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"] == "image/svg+xml; charset=utf-8"
            assert policy(answer) == {
                "default-src": "'none'",
                "style-src": style.dark_digest(),
                "form-action": "'none'",
                "base-uri": "'none'",
                "frame-ancestors": "'none'",
            }
            assert len(answer.content) < 40_000
            root = ElementTree.fromstring(answer.text)
            said = texts(root)
            (link,) = (element.get("href", "") for element in root.iter(f"{SVG}a"))
            assert link in said
            assert link.startswith(f"{BASE}{explorer}?")
            assert f"as_of={EARLIER if 'as_of' in question else SIZE}" in link
            shown = await site.get(link)
            (best,) = re.findall(r'<p class="best">(\d+)</p>', shown.text)
            (total,) = (line for line in said if line.startswith(words))
            assert total.split()[2] == best
            assert any("checkpoint" in line or "punto de control" in line for line in said)
            (sentence, *_) = SENTENCE.findall(shown.text)
            assert unescape(sentence) in said
            # A tile shows the estimate: its zero says nothing about what is possible.
            zero = [line for line in said if "Un cero dice" in line or "A zero says" in line]
            assert all("confirm" in line and "probable" in line for line in zero)
            assert bool(zero) == (name != "bars")
            # The picture of the page is the picture of the file: the same shapes at the same places.
            assert f"{room}/{name}.svg?{link.partition('?')[2]}" in Page(shown.text).links
            inline = ElementTree.fromstring(PICTURE.findall(shown.text)[name == "map"])
            (drawn, *_) = (
                group for group in root.iter(f"{SVG}g") if group.get("class") == inline.get("class")
            )
            assert [_place(shape) for shape in drawn.iter()][3:] == [
                _place(shape) for shape in inline.iter()
            ][3:]


def _place(shape: ElementTree.Element) -> dict[str, str]:
    """Where and what it is, without its colours."""
    names = ("x", "y", "width", "height", "d", "x1", "x2", "y1", "y2", "class")
    return {name: shape.get(name, "") for name in names} | {"text": shape.text or ""}


async def test_a_picture_as_of_a_size_is_known_again_and_stays_as_it_was(site: httpx.AsyncClient) -> None:
    address = f"/graficas/bars.svg?by=YEAR&as_of={EARLIER}"
    before = await site.get(address)
    again = await site.get(address, headers={"if-none-match": before.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await site.head(address)
    assert (head.status_code, head.headers["etag"]) == (200, before.headers["etag"])
    assert before.headers["cache-control"] == "public, max-age=0, must-revalidate"
    now = await site.get("/graficas/bars.svg?by=YEAR")
    assert now.headers["etag"] != before.headers["etag"]
    assert now.text != before.text


async def test_what_cannot_be_drawn_says_why(site: httpx.AsyncClient, services: Services) -> None:
    for path, status, says in (
        ("/graficas/pie.svg", 404, "Hay: bars, tiles, map"),
        ("/en/charts/figure.svg", 404, "There are: bars, tiles, map"),
        ("/en/embed/pie", 404, "There are: figure, bars, tiles, map"),
        ("/graficas/bars.svg", 400, "by=YEAR"),
        ("/graficas/bars.svg?by=YEAR&by=CLASS", 400, "un solo desglose"),
        ("/graficas/tiles.svg?by=YEAR", 400, "by=STATE"),
        ("/en/charts/map.svg?state=16", 400, "without “state”"),
        ("/en/embed/tiles?municipality=16012", 400, "without “state”"),
        ("/en/charts/bars.svg?by=COLOUR", 400, "COLOUR"),
        (f"/graficas/bars.svg?by=YEAR&as_of={EARLIER + 1}", 404, f"by=YEAR&as_of={EARLIER}"),
    ):
        answer = await site.get(path)
        assert answer.status_code == status, path
        assert says in unescape(answer.text), path
        assert policy(answer)["frame-ancestors"] == ("*" if "/embed/" in path else "'none'")
    async with client(services) as without:
        assert (await without.get("/graficas/map.svg")).status_code == 404
        page = (await without.get("/explorar?by=STATE")).text
        assert "/graficas/tiles.svg" in page
        assert "/graficas/map.svg" not in page
        changed = await without.get("/"), await site.get("/")
        assert changed[0].headers["etag"] != changed[1].headers["etag"]


async def test_what_pages_offer_to_embed_can_be_framed_and_nothing_else_can(site: httpx.AsyncClient) -> None:
    offered: set[str] = set()
    for path in ("/", "/en", "/explorar?by=STATE", "/en/explore?unit=DEATHS&by=YEAR"):
        answer = await site.get(path)
        assert policy(answer)["frame-ancestors"] == "'none'"
        for code in re.findall(r"<code>(&lt;iframe.*?)</code>", answer.text):
            (frame,) = ElementTree.fromstring(f"<p>{unescape(code)}</p>")
            assert frame.get("src", "").startswith(f"{BASE}/")
            assert f"as_of={SIZE}" in frame.get("src", "")
            assert "Constancia" in frame.get("title", "")
            assert (frame.get("width"), int(frame.get("height", "0")) > 300) == ("100%", True)
            offered.add(frame.get("src", ""))
    names = {urlsplit(address).path.rpartition("/")[2] for address in offered}
    assert names == {"figure", "bars", "tiles", "map"}
    for address in sorted(offered):
        answer = await site.get(address)
        assert answer.status_code == 200, answer.text
        assert policy(answer)["frame-ancestors"] == "*"
        assert policy(answer)["default-src"] == policy(answer)["form-action"] == "'none'"
        assert "script-src" not in policy(answer)
        assert "x-frame-options" not in answer.headers
        Page(answer.text)
        outside = re.findall(r"<a [^>]*>", answer.text)
        assert outside
        assert all('target="_blank"' in link and "noopener" in link for link in outside)
        asked = urlsplit(address).query.replace("&", "&amp;")
        assert f"?{asked}" in answer.text
        assert "verif" in answer.text
        assert ("<svg" in answer.text) == ("/figure" not in address)
        assert "invent" not in answer.text


async def test_a_frame_that_cannot_show_its_chart_says_why_where_it_stands(
    site: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [
        (await site.get("/insertar/pie"), 404, "Hay: figure, bars, tiles, map"),
        (await site.get("/en/embed/bars?by=COLOUR"), 400, "COLOUR"),
        (await site.get(f"/insertar/bars?by=YEAR&as_of={EARLIER + 1}"), 404, f"as_of={EARLIER}"),
        (await site.get("/insertar/"), 404, "No existe"),
    ]
    monkeypatch.setattr("api.web.visit.Visit.count", None)
    async with client(services) as broken:
        answers.append((await broken.get("/en/embed/figure"), 500, "The error is ours"))
    for answer, status, says in answers:
        assert (answer.status_code, answer.headers["cache-control"]) == (status, "no-store")
        assert policy(answer)["frame-ancestors"] == "*"
        assert policy(answer)["form-action"] == "'none'"
        assert says in unescape(answer.text)
        # What stands around our own pages would open inside the frame, which they refuse.
        inside = [link for link in re.findall(r"<a [^>]*>", answer.text) if "_blank" not in link]
        assert all('href="?' in link for link in inside)
        assert "<nav" not in answer.text


async def test_pictures_of_a_demonstration_say_that_everybody_is_invented(
    published: None, services: Services
) -> None:
    async with client(replace(services, invented=True)) as demonstration:
        for path in ("/graficas/bars.svg?by=YEAR", "/insertar/figure", "/insertar/tiles"):
            said = " ".join((await demonstration.get(path)).text.split())
            assert "inventados" in re.sub(r"</?tspan[^>]*>", "", said)
