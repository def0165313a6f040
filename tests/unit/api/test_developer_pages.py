"""The pages for developers say all that the documents say, in both languages, and are served like all others."""

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from babel.messages.pofile import read_po
from fastapi import FastAPI

from api.problems import PROBLEMS
from api.streams import asyncapi
from api.streams.filters import ABOUT
from api.web.developers.guides import GUIDES, examples
from api.web.developers.operations import Reference, example
from api.web.developers.schemas import Schemas
from api.web.developers.wording import fold, is_bilingual, plain, said
from api.web.developers.writing import NAMES, OPERATIONS, Desk, NoSuchPage, write
from api.web.pages import LANGUAGES, PAGES, address
from api.web.texts import texts
from registry.domain.codes import PlacePrecision
from registry.text import Language
from tests.integration.test_site import Page

ROOT = Path(__file__).parents[3]
MOST = 150_000
"""Bytes of a page."""


def addresses(app: FastAPI, language: Language) -> list[str]:
    tags = [tag["name"] for tag in app.openapi()["tags"]]
    pages = [address(name, language) for name in NAMES if name != OPERATIONS]
    return pages + [address(OPERATIONS, language, tag=tag) for tag in tags]


def wordings(node: Any) -> Iterator[str]:
    """What a document says to people, but for examples."""
    if isinstance(node, dict):
        for name, inner in node.items():
            if name in ("description", "summary") and isinstance(inner, str):
                yield fold(inner)
            elif name not in ("example", "examples"):
                yield from wordings(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from wordings(inner)


def names(schemas: Schemas, node: Any, above: tuple[int, ...] = ()) -> set[str]:
    """Every field in a schema, however deep."""
    node = schemas.resolve(node)[1]
    if id(node.get("properties")) in above:
        return set()
    inside = [
        *node.get("properties", {}).values(),
        *node.get("anyOf", ()),
        *filter(None, [node.get("items")]),
    ]
    found = [names(schemas, one, (*above, id(node.get("properties", node)))) for one in inside]
    return set(node.get("properties", {})).union(*found)


async def test_the_pages_are_served_in_both_languages_without_a_checkpoint_and_lead_somewhere(
    app: FastAPI,
) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as reader:
        pages: dict[str, Page] = {}
        for language in LANGUAGES:
            for path in addresses(app, language):
                answer = await reader.get(path)
                assert answer.status_code == 200, path
                assert len(answer.content) <= MOST, path
                assert answer.headers["cache-control"] == "public, max-age=0, must-revalidate"
                assert "unsafe" not in answer.headers["content-security-policy"]
                assert not re.search(r"<style|<script|\sstyle=|\son\w+=|javascript:|\$ref|``", answer.text), (
                    path
                )
                page = pages[path] = Page(answer.text)
                assert page.language == language
                known = {"if-none-match": answer.headers["etag"]}
                assert (await reader.get(path, headers=known)).status_code == 304
        served = {"/openapi.json", "/asyncapi.json", "/schema.graphql", "/problems"}
        for path, page in pages.items():
            for link in page.links:
                target, _, fragment = link.removeprefix("http://localhost:1").partition("#")
                if fragment:
                    assert fragment in pages[target or path].ids, (path, link)
                elif target not in pages and (
                    target in served or target.startswith(("/problems/", "/static/"))
                ):
                    assert (await reader.get(target)).status_code == 200, (path, link)
                elif target not in pages and not target.startswith("/desarrollo/ejemplos/"):
                    assert target in {PAGES[name].path(tongue) for name in PAGES for tongue in LANGUAGES} | {
                        "/graphql/ide"
                    }, (path, link)
        for guide in GUIDES:
            for one in examples(guide):
                fetched = await reader.get(one.path)
                assert fetched.text == one.text
                assert one.path in pages[address(guide, "es")].links
        assert (await reader.get("/schema.graphql")).text == (ROOT / "docs" / "schema.graphql").read_text(
            "utf-8"
        )
        absent = await reader.get("/en/developers/api/nothing", headers={"accept": "text/html"})
        assert (absent.status_code, Page(absent.text).language) == (404, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reference_holds_every_operation_field_problem_and_message_of_its_document(
    app: FastAPI, language: Language
) -> None:
    desk, document = Desk("http://test", invented=False, openapi=app.openapi), app.openapi()
    schemas = Schemas(document, texts(language))
    index = write(desk, "api", language, {})
    assert all(f'href="/problems/{slug}"' in index for slug in PROBLEMS)
    pages = {tag["name"]: write(desk, OPERATIONS, language, {"tag": tag["name"]}) for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            page = pages[operation["tags"][0]]
            assert f"#{operation['operationId']}" in index
            section = page[page.index(f'<h2 id="{operation["operationId"]}"') :]
            section = section[: section.index("</section>")]
            assert f"<b>{method.upper()}</b> {path}<" in section
            assert str(said(operation["summary"], language).text) in section
            told = set(re.findall(r"<dt><code>([^<]+)</code>", section))
            assert {one["name"] for one in operation.get("parameters", ())} <= told
            assert all(one["description"] for one in operation.get("parameters", ()) if one["in"] == "query")
            for content in operation.get("requestBody", {}).get("content", {}).values():
                assert names(schemas, content["schema"]) <= told, path
            refused = {
                slug
                for answer in operation["responses"].values()
                for slug in answer.get("content", {}).get("application/problem+json", {}).get("examples", ())
            }
            assert "unauthenticated" in refused or not operation.get("security"), path
            assert refused == set(re.findall(r"/problems/([\w-]+)", section))
    places = re.findall(r"<code>(SITE|LOCALITY|MUNICIPALITY|STATE|COUNTRY)</code>", pages["incidents"])
    assert places[:5] == list(PlacePrecision)  # «finest first», it says beside them
    with pytest.raises(NoSuchPage):
        write(desk, OPERATIONS, language, {"tag": "nothing"})

    followed, streams = write(desk, "events", language, {}), asyncapi.document()
    for name, message in streams["components"]["messages"].items():
        assert f'<h3 id="{name}">' in followed
        if fold(message["summary"]) != name:
            assert str(said(message["summary"], language).text) in followed
        for given in message.get("examples", ()):
            assert json.dumps(given["payload"], indent=2, ensure_ascii=False) in unescape(followed)
    assert all(str(said(about, language).text) in followed for about in ABOUT.values())
    for channel in streams["channels"].values():
        assert channel["address"] is None or f"<code>{channel['address']}</code>" in followed
    for name in names(Schemas(streams, texts(language)), {"$ref": "#/components/schemas/StreamEvent"}):
        assert f"<dt><code>{name}</code>" in followed


def test_what_documents_say_in_english_alone_has_its_spanish_and_no_more(app: FastAPI) -> None:
    with (ROOT / "api" / "web" / "locale" / "references.es.po").open("rb") as file:
        translated = {str(message.id): str(message.string) for message in read_po(file, "es") if message.id}
    titles = set(
        asyncapi.document()["components"]["messages"]
    )  # an event without a description says its name
    spoken = {*wordings(app.openapi()), *wordings(asyncapi.document())} - titles
    assert {text for text in spoken if not is_bilingual(text)} == translated.keys()
    for english, spanish in translated.items():
        assert spanish.strip()
        codes = re.compile(r"``(.+?)``")
        assert set(codes.findall(english)) <= set(codes.findall(spanish)), english


def test_a_text_is_told_in_the_language_that_there_is() -> None:
    both = "Lo <tuyo>, `así` · What is <yours>, ``so``"
    assert said(both, "es") == ("Lo &lt;tuyo&gt;, <code>así</code>", "es")
    assert said(both, "en") == ("What is &lt;yours&gt;, <code>so</code>", "en")
    assert (
        plain("A page of\n reads; nobody translated this.", "es")
        == "A page of reads; nobody translated this."
    )
    assert said("Nobody translated this.", "es").language == "en"


def test_schemas_are_told_in_words() -> None:
    tree = {
        "description": "Un árbol · A tree",
        "properties": {"left": {"anyOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]}},
    }
    document = {
        "components": {"schemas": {"Tree": tree, "Sex": {"title": "Sex", "enum": ["MALE", "UNKNOWN"]}}}
    }
    schema = {
        "required": ["kinds"],
        "properties": {
            "kinds": {"type": "array", "items": {"$ref": "#/components/schemas/Sex"}, "maxItems": 3},
            "name": {"type": "string", "minLength": 1, "maxLength": 2000, "default": "x"},
            "tree": {"$ref": "#/components/schemas/Tree"},
            "count": {"type": "integer", "minimum": 0, "maximum": 2**53 - 1},
            "v": {"const": 1},
        },
    }
    kinds, name, node, count, version = Schemas(document, texts("en")).fields(schema, within=True)
    assert (kinds.type, kinds.required, kinds.codes, kinds.bounds) == (
        "list (code)",
        True,
        [("MALE", "Male"), ("UNKNOWN", "Unknown")],
        ["up to 3"],
    )
    assert (name.type, name.bounds) == ("text", ["1 to 2,000 characters", "x unless said"])
    assert node.said == ("A tree", "en")
    assert [(child.name, child.type, child.shape) for child in node.children] == [
        ("left", "any value or null", "Tree")
    ]
    assert (count.bounds, version.codes) == (["from 0"], [("1", "")])
    (_, _, flat, _, _) = Schemas(document, texts("es")).fields(schema, within=False)
    assert (flat.shape, flat.children) == ("Tree", [])


def test_an_example_asks_for_what_the_operation_needs(app: FastAPI) -> None:
    reference = Reference(app.openapi(), texts("es"))
    amend = next(one for one in reference.operations("reports") if one.line.path.endswith("/amendments"))
    assert amend.example.startswith('curl "$CONSTANCIA_URL/v1/reports/$ID/amendments" \\\n')
    assert "'If-Match: \"1\"'" in amend.example
    assert '"reason": "NEW_EVIDENCE"' in amend.example
    quoted = example(
        amend.line, {"requestBody": {"content": {"application/json": {"example": "it's"}}}}, keyed=False
    )
    assert quoted.endswith("--header 'Content-Type: application/json' \\\n  --data '\"it'\\''s\"'")
    for group in reference.groups():
        for one in reference.operations(group.tag):
            method = re.search(r"--request (\w+)", one.example)
            sends = re.search(r"--data\b", one.example)
            assert one.line.method == (method[1] if method else "POST" if sends else "GET"), one.line
    (match,) = reference.operations("matches")
    assert '/v1/matches?report=$REPORT"' in match.example
