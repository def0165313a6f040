"""What is offered to other pages is shown there, and nothing else is; a picture opened by itself has its style."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, Page

PAPER = "getComputedStyle(document.querySelector('.paper')).fill"


class Quiet(SimpleHTTPRequestHandler):
    """Notes no request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Somebody else's site: holds a page, and says where it is."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        Thread(target=server.serve_forever).start()

        def holds(body: str) -> str:
            (tmp_path / "index.html").write_text(f'<!doctype html><link rel="icon" href="data:,">{body}')
            return f"http://127.0.0.1:{server.server_port}/"

        yield holds
        server.shutdown()


def test_only_what_is_made_for_frames_can_be_framed_elsewhere(
    page: Page, site: str, elsewhere: Callable[[str], str]
) -> None:
    text = httpx.get(f"{site}/en/explore?by=STATE", timeout=30).text
    codes = [unescape(code) for code in re.findall(r"<code>(&lt;iframe.*?)</code>", text)]
    frames = "".join(code.replace(' loading="lazy"', "") for code in codes)
    page.goto(elsewhere(f'{frames}<iframe src="{site}/en"></iframe>'), wait_until="load")
    *shown, refused = page.frames[1:]
    assert [frame.locator("main h1").inner_text() for frame in shown] == ["Incidents", "Incidents by state"]
    assert refused.url.startswith("chrome-error:")
    for frame in shown:
        assert frame.evaluate("document.documentElement.scrollHeight <= innerHeight")
        with page.context.expect_page() as opened:
            frame.get_by_role("link", name="Cite").click()
        assert "/en/explore?" in opened.value.url
        assert opened.value.evaluate("opener") is None


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(253, 252, 250)"), ("dark", "rgb(20, 24, 27)")])
def test_a_picture_opened_by_itself_has_the_readers_colours_and_breaks_no_policy(
    scheme: Literal["light", "dark"], paper: str, browser: Browser, site: str
) -> None:
    with browser.new_context(color_scheme=scheme) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text))
        page.goto(f"{site}/graficas/bars.svg?by=YEAR")
        assert page.evaluate(PAPER) == paper
        assert [said for said in complaints if "Content Security Policy" in said] == []
