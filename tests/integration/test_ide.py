"""The page on which people write GraphQL questions: every byte of it is ours, and it can reach nobody else."""

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from fastapi import FastAPI

from api.graphql.http import build_router
from api.graphql.ide.page import PATH

IDE = Path(__file__).parents[2] / "api" / "graphql" / "ide"
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(build_router(lambda _: None))  # type: ignore[arg-type,return-value]
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_the_page_and_all_that_it_loads_are_served_by_us_and_may_load_nothing_else(
    client: httpx.AsyncClient,
) -> None:
    page = await client.get(PATH, headers=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert sorted(loaded) == ["data:,", "ide/ide.css", "ide/ide.js", "ide/licences.txt"]
    answers = [page, *[await client.get(urljoin(PATH, name)) for name in loaded if name != "data:,"]]
    for answer in answers:
        assert answer.status_code == 200
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        # Neither another host, nor what is inline, nor text that becomes a program.
        assert {source for sources in policy.values() for source in sources.split()} == {
            "'none'",
            "'self'",
            "data:",
        }
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        again = await client.get(answer.url, headers={**BROWSER, "if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert not re.search(r"<style|<script(?! type=\"module\" src=)|\son\w+=|\sstyle=|://", page.text)
    style, program = (next(one for one in answers if one.url.path.endswith(end)) for end in (".css", ".js"))
    assert not re.search(r"@import|url\((?!\"?data:)|://(?!www\.w3\.org/)", style.text)
    # Names of XML, and pages that somebody may read: nothing that is asked for anything.
    asked = re.findall(
        r"(?:fetch|import|importScripts|Worker|EventSource|WebSocket|sendBeacon)\(\s*[\"'`]([^\"'`]*)",
        program.text,
    )
    assert set(asked) <= {"../graphql"}
    assert not re.search(r"sourceMappingURL|\beval\(|new Function\(", program.text)


async def test_only_browsers_get_it_and_the_endpoint_never_answers_with_it(client: httpx.AsyncClient) -> None:
    for accept in ("application/json", "*/*", "text/event-stream"):
        refused = await client.get(PATH, headers={"accept": accept})
        assert (refused.status_code, refused.json()["type"]) == (406, "/problems/not-acceptable")
    endpoint = await client.get("/graphql", headers=BROWSER)
    assert endpoint.status_code == 400
    assert endpoint.headers["content-type"].startswith("application/json")


def test_what_is_served_is_what_its_sources_give(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is absent: apt-get install nodejs")
    if not (IDE / "source" / "node_modules" / "esbuild").is_dir():
        pytest.skip("its sources are absent: npm ci --ignore-scripts --prefix api/graphql/ide/source")
    subprocess.run([node, IDE / "source" / "build.mjs", tmp_path], check=True, timeout=120)
    built = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert built == {path.name: path.read_bytes() for path in (IDE / "built").iterdir()}
