"""The public site over a small history: every page, in both languages, says what GraphQL says and needs nobody else."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from uuid import UUID
from xml.etree import ElementTree

import asyncpg
import httpx
import pytest

from api.app import create_app
from api.services import Services
from api.web.views import changes
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.models.public_count import PublicCount
from projections.models.waiting import Waiting
from projections.runner import Runner
from registry.disclosure import policy
from registry.log.keys import LogKeys, load_or_create
from tests.events import Leaf, store_leaves
from tests.integration.test_graphql import SEALED, incident, publish

BASE = "https://log.example"
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
POLICY = policy.shipped()
MERGED, GONE = UUID(int=5, version=4), UUID(int=9, version=4)
PAGES = (
    "",
    "/explorar",
    "/explorar?by=STATE",
    "/explorar?unit=DEATHS&state=16&by=YEAR&by=CLASS",
    "/incidentes",
    f"/incidentes/{UUID(int=1, version=4)}",
    "/cambios",
    "/metodo",
    "/verificar?unit=DEATHS&nexus=BROAD",
)
ENGLISH = {"explorar": "explore", "incidentes": "incidents", "cambios": "changes", "metodo": "method",
           "verificar": "verify"}  # fmt: skip


def facets(**changed: Any) -> dict[str, Any]:
    scope = {"victims": [1, 1, 2], "deaths": [0, 0, 0]}
    return {
        "tally": {"value": {"strict": scope, "broad": scope}},
        "year": {"value": "2021"},
        "state": SEALED,
        "kind": {"value": "UNKNOWN"},
        "municipality": SEALED,
        "month": SEALED,
        "sex": {"value": "NOT_APPLICABLE"},
        **changed,
    }


THREAT: dict[str, Any] = {"class": "THREAT", "facets": facets(state={"value": "UNKNOWN"})}
LEAVES = [
    Leaf("definition.adopted", {"id": DEFINITION_ID, "sha256": definition_sha256()}),
    Leaf(
        "policy.adopted",
        {"id": str(POLICY["id"]), "sha256": policy.sha256(POLICY), "policy": POLICY},
    ),
    incident(1, {"value": "16"}),
    incident(2, {"value": "14"}, "PROBABLE", disputed=True),
    incident(3, SEALED, "POSSIBLE"),
    incident(4, SEALED, **THREAT),
    incident(5, SEALED, facets=facets(year={"value": "UNKNOWN"})),
    incident(6, SEALED, "REFUTED"),
]
LATER = [
    incident(1, {"value": "16"}, status="RETRACTED", reason="DUPLICATE"),
    incident(2, {"value": "14"}, "CONFIRMED", reason="NEW_EVIDENCE", waived=["state"]),
    incident(
        5,
        SEALED,
        status="MERGED",
        merged_into=str(UUID(int=2, version=4)),
        reason="DUPLICATE",
        facets=facets(year={"value": "UNKNOWN"}),
    ),
]
SIZE, EARLIER = len(LEAVES) + len(LATER), len(LEAVES)


class Page(HTMLParser):
    """What a page links to and says. Fails where an element is closed that was not opened last."""

    VOID = frozenset({"meta", "link", "input", "br", "img", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.language = ""
        self.rows: dict[str, list[list[str]]] = {}
        self.ids: list[str] = []
        self._open: list[str] = []
        self._text: list[str] = []
        self._row: list[str] = []
        self._caption = ""
        self.feed(text)
        self.close()
        assert self._open == []
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self._open.append(tag)
        given = dict(attrs)
        self.links |= {value for name, value in attrs if name in ("href", "src", "action") and value}
        self.language = given.get("lang") or self.language if tag == "html" else self.language
        if "id" in given:
            self.ids.append(given["id"] or "")
        if tag in ("caption", "td", "th"):
            self._text = []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        text = " ".join("".join(self._text).split())
        if tag == "caption":
            self._caption = text
        elif tag in ("td", "th"):
            self._row.append(text)
        elif tag == "tr":
            self.rows.setdefault(self._caption, []).append(self._row)
            self._row = []

    def handle_data(self, data: str) -> None:
        self._text.append(data)


@pytest.fixture
def log_keys(tmp_path: Path) -> LogKeys:
    return load_or_create(tmp_path / "log", "log.example/log")


@pytest.fixture
async def site(pool: asyncpg.Pool, services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """Published checkpoints before and after a retraction, new evidence and a merger."""
    async with pool.acquire() as connection:
        await store_leaves(connection, LEAVES)
        await publish(pool)
        await store_leaves(connection, LATER)
        await publish(pool)
    await Runner(pool, [PublicCount(), Waiting()]).catch_up()
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=BROWSER) as client:
        yield client


async def test_pages_of_a_demonstration_say_that_everybody_is_invented(
    site: httpx.AsyncClient, services: Services
) -> None:
    transport = httpx.ASGITransport(create_app(replace(services, invented=True)))
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=BROWSER) as demonstration:
        for path in PAGES:
            for address, words in ((path or "/", "son inventados"), (english(path), "are invented")):
                real, invented = await site.get(address), await demonstration.get(address)
                assert real.status_code == invented.status_code == 200
                assert words in invented.text
                assert words not in real.text
                assert real.headers["etag"] != invented.headers["etag"]


def english(path: str) -> str:
    """The same page in English."""
    return "/en" + re.sub(r"^/(\w+)", lambda found: f"/{ENGLISH[found[1]]}", path)


async def ask(site: httpx.AsyncClient, query: str) -> Any:
    answer = (await site.post("/graphql", json={"query": query})).json()
    assert "errors" not in answer, answer
    return answer["data"]


async def test_every_page_is_complete_in_both_languages_and_every_link_leads_somewhere(
    site: httpx.AsyncClient,
) -> None:
    links: set[str] = set()
    for path in PAGES:
        for address, language in ((path or "/", "es"), (english(path), "en")):
            answer = await site.get(address)
            assert answer.status_code == 200, answer.text
            page = Page(answer.text)
            assert page.language == language
            policy_ = dict(
                part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
            )
            assert policy_["default-src"] == policy_["base-uri"] == policy_["frame-ancestors"] == "'none'"
            assert "unsafe-inline" not in answer.headers["content-security-policy"]
            assert ("wasm-unsafe-eval" in answer.headers["content-security-policy"]) == ("verif" in address)
            assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", answer.text)
            # No address but this register's: nothing is asked of anybody else.
            named = set(re.findall(r"\w+://[^/\"'\s<]+", unescape(answer.text)))
            assert named <= {BASE, "http://www.w3.org"}
            assert {f"{BASE}{path or '/'}", f"{BASE}{english(path)}"} <= page.links
            links |= {urljoin(address, link).partition("#")[0] for link in page.links}
    assert {"/static/site.css", "/cambios.atom", "/certificado"} <= {link.partition("?")[0] for link in links}
    for link in sorted(link for link in links if not link.startswith("/log/proof/")):  # no tiles here
        answer = await site.get(link)
        assert answer.status_code == 200, link


async def test_the_front_page_shows_what_graphql_counts_and_is_small(site: httpx.AsyncClient) -> None:
    answer = await site.get("/en")
    counts = "low best high"
    told = await ask(
        site,
        f"{{ incidents: count {{ {counts} waiting excluded {{ reason incidents }} }}"
        f" victims: count(unit: VICTIMISATIONS) {{ {counts} }} deaths: count(unit: DEATHS) {{ {counts} }}"
        f" before: count(asOf: {EARLIER}) {{ {counts} }}"
        f" years: counts(groupBy: [YEAR]) {{ rows {{ key {{ label(lang: EN) }} {counts} }} }}"
        f" kinds: counts(groupBy: [KIND]) {{ rows {{ key {{ label(lang: EN) }} {counts} }} }}"
        f" states: counts(groupBy: [STATE]) {{ rows {{ key {{ label(lang: EN) state }} {counts} }} }} }}",
    )
    for name, number in zip(
        ("low", "best", "high"), re.findall(r"<dd>(\d+)</dd>", answer.text)[:3], strict=True
    ):
        assert told["incidents"][name] == int(number)
    shown = [int(number) for number in re.findall(r'<p class="best">(\d+)</p>', answer.text)]
    assert shown == [told[unit]["best"] for unit in ("incidents", "victims", "deaths")]

    page = Page(answer.text)
    for caption, name in (
        ("Incidents by year of occurrence", "years"),
        ("Incidents by kind of threat or attack", "kinds"),
        ("Incidents by state of occurrence", "states"),
    ):
        _, *rows = page.rows[caption]
        assert sorted(rows) == sorted(
            [row["key"][0]["label"], *(str(row[part]) for part in ("low", "best", "high"))]
            for row in told[name]["rows"]
        )
    assert "Established or changed, and waiting for the next release: 0." in answer.text
    for reason in ("Retracted", "Refuted", "Merged into another incident"):
        assert f"Not counted: 1. Reason: {reason}." in answer.text
    (unknown,) = [rows for caption, rows in page.rows.items() if caption.startswith("Of how many ")]
    # State: one is known, one nobody knows, one is sealed; and so on for what may count at most.
    assert unknown[2] == ["State", "1", "1", "1"]

    files = [await site.get(link) for link in page.links if link.startswith("/static/")]
    assert len(files) == 2
    assert len(answer.content) + sum(len(file.content) for file in files) <= 100_000


@pytest.mark.parametrize("dimension", ["CLASS", "KIND", "YEAR", "STATE", "MUNICIPALITY"])
async def test_every_row_leads_to_itself(site: httpx.AsyncClient, dimension: str) -> None:
    """The link of a row asks for the number that the row shows, as of the same size."""
    text = (await site.get(f"/explorar?by={dimension}&as_of={EARLIER}")).text
    rows = re.findall(
        r'<th scope="row">(?:<a href="([^"]+)">)?[^<]*(?:</a>)?</th>\s*<td>\d+</td>\s*<td class="estimate">(\d+)</td>',
        text,
    )
    assert rows
    for link, best in rows:
        if link:
            assert f"as_of={EARLIER}" in link
            assert f'<p class="best">{best}</p>' in (await site.get(unescape(link))).text


async def test_a_figure_has_its_certificate_its_commands_and_what_the_verifier_needs(
    site: httpx.AsyncClient,
) -> None:
    question = "by=STATE&unit=DEATHS&from=2020&to=2020"
    answer = await site.get(f"/verificar?{question}")
    told = await ask(
        site,
        'query { counts(groupBy: [STATE], unit: DEATHS, filter: {period: {from: "2020-01", to: "2020-12"}}) {'
        " certificate citation { url } total { low best high } } }",
    )
    (section,) = re.findall(r'<section id="verify"([^>]*)>', answer.text)
    data = {name: unescape(value) for name, value in re.findall(r'data-(\w+)="([^"]*)"', section)}
    assert {part: int(data[part]) for part in ("low", "best", "high")} == told["counts"]["total"]
    assert f'"asOf":{SIZE}' in data["query"]
    certificate = await site.get(data["certificate"])
    assert certificate.headers["content-type"] == "text/plain; charset=utf-8"
    assert certificate.text == told["counts"]["certificate"]
    commands = unescape(answer.text)
    assert f"curl -fo certificado '{BASE}{data['certificate']}'" in commands
    assert re.search(
        r"constancia verify https://log\.example (--vkey '\S+' ?){2} --certificate certificado", commands
    )
    cited = await site.get(told["counts"]["citation"]["url"])
    assert f'<p class="best">{told["counts"]["total"]["best"]}</p>' in cited.text


async def test_a_page_as_of_an_earlier_size_stays_as_it_was(site: httpx.AsyncClient) -> None:
    before, now = await site.get(f"/?as_of={EARLIER}"), await site.get("/")
    assert 'class="best">2<' in before.text
    assert before.text != now.text
    assert "etag" in now.headers
    again = await site.get("/", headers={"if-none-match": now.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    changed = await site.get("/", headers={"if-none-match": before.headers["etag"]})
    assert changed.status_code == 200
    assert (await site.head("/metodo")).status_code == 200
    style = next(link for link in Page(now.text).links if "site.css" in link)
    assert "immutable" in (await site.get(style)).headers["cache-control"]
    assert "immutable" not in (await site.get("/static/site.css?v=0")).headers["cache-control"]


async def test_a_table_that_is_broken_down_the_other_way_round_is_another_page(
    site: httpx.AsyncClient,
) -> None:
    first, second = [await site.get(f"/explorar?by={by}") for by in ("YEAR&by=STATE", "STATE&by=YEAR")]
    assert "por año, estado" in first.text
    assert "por estado, año" in second.text
    assert first.headers["etag"] != second.headers["etag"]


async def test_an_incident_tells_its_history_and_what_is_not_public(site: httpx.AsyncClient) -> None:
    retracted = await site.get(f"/incidentes/{UUID(int=1, version=4)}")
    assert "Aún no es público" in retracted.text
    assert "Ya no cuenta en ninguna cifra" in retracted.text
    _, first, second = Page(retracted.text).rows["Historia del incidente"]
    assert first[1] == "Aparece por primera vez"
    assert second[1:4] == ["SituaciónMotivo: duplicado", "Vigente", "Retirado"]
    assert "incidentes: −1 / −1 / −1" in second[4]
    merged = await site.get(f"/en/incidents/{MERGED}")
    assert f"/en/incidents/{UUID(int=2, version=4)}?as_of={SIZE}" in merged.text
    assert "Year unknown" in merged.text
    before = await site.get(f"/incidentes/{MERGED}?as_of={EARLIER}")
    assert "Ya no cuenta" not in before.text
    assert (await site.get(f"/incidentes/{GONE}")).status_code == 404
    listed = await site.get("/incidentes?class=THREAT")
    assert len(Page(listed.text).rows["Incidentes dados a conocer"]) == 2


async def test_changes_between_two_sizes_sum_to_the_difference_of_the_counts(site: httpx.AsyncClient) -> None:
    answer = await site.get(f"/cambios?since={EARLIER}&until={SIZE}")
    _, *rows = Page(answer.text).rows["Cambios, lo más antiguo primero"]
    moved = [0, 0, 0]
    for row in rows:
        for effect in re.findall(r"incidentes: (\S+) / (\S+) / ([+−]?\d+)", row[-1].replace("\xa0", " ")):
            moved = [total + int(part.replace("−", "-")) for total, part in zip(moved, effect, strict=True)]
    told = await ask(
        site, f"{{ then: count(asOf: {EARLIER}) {{ low best high }} now: count {{ low best high }} }}"
    )
    assert moved == [told["now"][part] - told["then"][part] for part in ("low", "best", "high")]
    assert "pruebas nuevas" in answer.text
    assert "Abierto por exención" in answer.text
    today = await site.get("/cambios?since=2020-01-01&until=2999-01-01")
    assert 'value="2020-01-01"' in today.text
    assert 'value="2999-01-01"' in today.text
    beyond = await site.get(f"/cambios?since=0&until={SIZE}&as_of={EARLIER}")
    assert Page(beyond.text).rows == Page((await site.get(f"/cambios?since=0&until={EARLIER}")).text).rows
    assert len(Page(today.text).rows["Cambios, lo más antiguo primero"]) > len(rows) + 1


@pytest.mark.parametrize("path", ["/explorar", "/en/incidents"])
async def test_a_form_holds_every_value_of_every_filter(site: httpx.AsyncClient, path: str) -> None:
    kinds, places = ["ARMED_ATTACK", "NOT_REPORTED", "VERBAL"], ["16012", "UNKNOWN"]
    asked = {"kind": kinds, "state": ["16", "UNKNOWN"], "municipality": places}
    answer = await site.get(path, params=asked)
    chosen = re.findall(r'name="(kind|state|class)" value="(\w+)" checked', answer.text)
    typed = re.findall(r'(name)="municipality" value="(\w+)"', answer.text)
    assert sorted(chosen) == [
        *(("kind", code) for code in kinds),
        *(("state", code) for code in ("16", "UNKNOWN")),
    ]
    assert [code for _, code in typed] == places


async def test_without_a_beginning_the_newest_changes_come_first_page_by_page(
    site: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    caption = "Changes, the newest first"
    whole = (await site.get("/en/changes")).text
    _, *rows = Page(whole).rows[caption]
    oldest_first = Page((await site.get("/en/changes?since=0")).text).rows["Changes, the oldest first"][1:]
    assert sorted(rows) == sorted(oldest_first)
    leaves = [int(re.findall(r"leaf ([\d,]+)", row[0])[0]) for row in rows]
    assert leaves == sorted(leaves, reverse=True)
    assert [row for row in rows if row[:2] == rows[0][:2]] == [
        row for row in oldest_first if row[:2] == rows[0][:2]
    ]
    monkeypatch.setattr(changes, "CHANGES", 2)
    address: str | None = f"/en/changes?until={SIZE}"
    paged, cited = [], []
    while address is not None:
        page = (await site.get(address)).text
        paged += Page(page).rows[caption][1:]
        cited += re.findall(r'class="cite">[^<]*<code>(https://[^<]+)</code>', page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        address = following and unescape(following[1])
    assert paged == rows
    for number, link in enumerate(cited):
        again = (await site.get(unescape(link).removeprefix(BASE))).text
        assert Page(again).rows[caption][1:] == rows[2 * number : 2 * number + 2]


async def test_the_feed_is_atom_and_has_one_entry_for_each_disclosure(site: httpx.AsyncClient) -> None:
    for address in ("/cambios.atom", "/en/changes.atom"):
        answer = await site.get(address)
        assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
        feed = ElementTree.fromstring(answer.text)
        atom = "{http://www.w3.org/2005/Atom}"
        entries = feed.findall(f"{atom}entry")
        assert len({entry.findtext(f"{atom}id") for entry in entries}) == len(entries) == 9
        for entry in entries:
            assert all(entry.findtext(f"{atom}{name}") for name in ("title", "updated", "content"))
            link = entry.find(f"{atom}link")
            assert link is not None
            assert (await site.get(link.get("href", ""))).status_code == 200


async def test_what_cannot_be_shown_says_what_to_do(site: httpx.AsyncClient) -> None:
    never = await site.get(f"/en/explore?as_of={EARLIER + 1}&state=16&by=YEAR")
    assert never.status_code == 404
    assert f'href="?state=16&amp;by=YEAR&amp;as_of={EARLIER}"' in never.text
    between = await site.get(f"/cambios?since={EARLIER + 1}&until={SIZE}")
    assert f'href="?since={EARLIER}&amp;until={SIZE}"' in between.text
    for path, says in (
        ("/explorar?as_of=x", "punto de control"),
        ("/explorar?by=SEX", "SEX"),
        ("/en/explore?page=9", "“page”"),
        (f"/en/explore?page={'9' * 5_000}", "“page”"),
        ("/en/explore?page=1&page=2", "only once"),
        ("/cambios?until=2020-01-01", "día posterior"),
        ("/en/incidents?after=x", "follow the link"),
        ("/cambios?since=ayer", "AAAA-MM-DD"),
        (f"/cambios?since={SIZE}&until={EARLIER}", "posterior"),
    ):
        answer = await site.get(path)
        assert answer.status_code == 400, path
        assert says in answer.text
        assert "content-security-policy" in answer.headers
        Page(answer.text)
    planted = await site.get("/explorar", params={"unit": "<script>PLANTED"})
    assert "<script>PLANTED" not in planted.text
    for path, language in (("/no-hay", "es"), ("/en/nothing", "en")):
        absent = await site.get(path)
        assert (absent.status_code, Page(absent.text).language) == (404, language)
    for path in ("/en/", "/explorar/?by=YEAR", "/datos/"):
        elsewhere = await site.get(path)
        assert (elsewhere.status_code, elsewhere.headers["location"]) == (308, "".join(path.rsplit("/", 1)))
    assert (await site.get("/nothing", headers={"accept": "*/*"})).json()["code"] == "not-found"
    assert (await site.get("/v1/nothing")).json()["code"] == "not-found"


async def test_before_the_first_checkpoint_there_is_a_page_that_says_so(services: Services) -> None:
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=BROWSER) as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "todavía no tiene un punto de control" in answer.text


async def test_the_method_page_holds_the_definition_and_the_policy_that_the_log_adopted(
    site: httpx.AsyncClient,
) -> None:
    answer = await site.get("/metodo")
    assert definition_sha256() in answer.text
    assert policy.sha256(POLICY) in answer.text
    assert "The rows sum to the whole in each component." in answer.text
    page = Page(answer.text)
    for tier in policy.parse(POLICY).tiers:
        assert len(page.rows[f"Escalones del nivel {tier.tier}"]) == len(tier.rungs) + 1
