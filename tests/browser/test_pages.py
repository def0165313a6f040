"""Every page in a browser: in both languages, with scripts and without, on a phone and on a desk."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.addresses import PLACES, Place
from tests.browser.conftest import DESK, PHONE, UNFOLD

OVERFLOWING = """() => {
  const { scrollWidth, clientWidth } = document.scrollingElement;
  if (scrollWidth <= clientWidth) return [];
  return [...document.querySelectorAll("main *, header *, footer *")]
    .filter(one => one.getBoundingClientRect().right > clientWidth)
    .map(one => one.outerHTML.slice(0, 100)).slice(0, 5);
}"""


class Reading:
    """Opens pages in one tab, and keeps what the browser had to complain about and whom it asked."""

    def __init__(self, page: Page, site: str) -> None:
        self.page, self._site = page, site
        self.complaints: list[str] = []
        page.on("console", lambda said: self.complaints.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", lambda request: self._note(request.url))
        page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))

    def _note(self, url: str) -> None:
        if not url.startswith(f"{self._site}/"):
            self.complaints.append(f"asked of somebody else: {url}")

    def open(self, address: str) -> None:
        self.complaints.clear()
        answer = self.page.goto(address)
        assert answer is not None
        assert answer.status == 200, address


@pytest.fixture(scope="module")
def readings(browser: Browser, site: str) -> Iterator[dict[bool, Reading]]:
    """A reader whose browser runs scripts, and one whose browser does not."""
    made = {}
    for scripts in (True, False):
        context = browser.new_context(base_url=site, java_script_enabled=scripts, viewport=PHONE)
        made[scripts] = Reading(context.new_page(), site)
    yield made
    for reading in made.values():
        reading.page.context.close()


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_page_is_complete_on_every_screen_with_and_without_scripts(
    place: Place, readings: dict[bool, Reading], site: str
) -> None:
    told, runs = {}, False
    for scripts, reading in readings.items():
        page = reading.page
        reading.open(place.address(site))
        assert page.locator("html").get_attribute("lang") == place.language
        assert page.title().endswith(" · Constancia")
        assert page.locator("h1").count() == 1
        if runs := page.locator("script[src]").count() > 0:
            page.wait_for_load_state("networkidle")
        told[scripts] = page.inner_text("body")
        page.evaluate(UNFOLD)
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            over = page.evaluate(OVERFLOWING)
            assert over == [], f"{size['width']} wide, beyond the edge: {over}"
    assert runs or told[True] == told[False]
    complaints = [complaint for reading in readings.values() for complaint in reading.complaints]
    assert complaints == [], "\n".join(complaints)


def test_the_front_page_with_all_it_loads_is_small(page: Page) -> None:
    loaded: list[int] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
    page.goto("/", wait_until="networkidle")
    assert len(loaded) >= 3  # itself, its style, its icon
    assert sum(loaded) <= 100_000, loaded


def test_the_other_language_answers_the_same_question(page: Page, site: str) -> None:
    question = "unit=DEATHS&nexus=BROAD&from=2024&to=2026&by=YEAR&by=CLASS"
    page.goto(f"/explorar?{question}")
    numbers = page.locator("tbody td").all_inner_texts()
    assert numbers
    page.get_by_role("link", name="English").click()
    assert set(parse_qsl(urlsplit(page.url).query)) == set(parse_qsl(question))
    assert page.url.startswith(f"{site}/en/explore?")
    assert page.locator("tbody td").all_inner_texts() == numbers
    page.get_by_role("link", name="Español").click()
    assert page.url.startswith(f"{site}/explorar?")
    assert page.locator("tbody td").all_inner_texts() == numbers


def test_a_figure_leads_to_its_certificate(page: Page) -> None:
    page.goto("/")
    best = page.locator("p.best").first.inner_text()
    page.get_by_role("link", name="Certificado").first.click()
    assert f'"best":{best}' in page.inner_text("body")


PAPER = """() => [...document.querySelectorAll("nav, .languages, .skip, form, details")]
    .filter(one => one.checkVisibility()).map(one => one.outerHTML.slice(0, 100))
    .concat([document.body, ...document.querySelectorAll(".figure")]
    .map(one => getComputedStyle(one).backgroundColor).filter(colour => colour !== "rgb(255, 255, 255)"))"""


def test_on_paper_a_page_is_ink_and_nothing_to_click(page: Page) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.goto("/")
    assert page.evaluate(PAPER) == []
    assert page.locator("h1").is_visible()
    expect(page.locator(".printed code")).to_be_visible()
    expect(page.locator(".printed code")).to_have_text(re.compile(r"/\?as_of=\d+$"))
    assert page.pdf(format="Letter").startswith(b"%PDF")
