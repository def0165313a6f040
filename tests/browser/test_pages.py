"""Every page in a browser: in both languages, with scripts and without, on a phone and on a desk."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Response

from tests.browser.addresses import PLACES, Place
from tests.browser.conftest import DESK, PHONE

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

    def open(self, address: str) -> Response:
        self.complaints.clear()
        answer = self.page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        return answer


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
        for size in (PHONE, DESK):
            page.set_viewport_size(size)
            over = page.evaluate(OVERFLOWING)
            assert over == [], f"{size['width']} wide, beyond the edge: {over}"
        if runs := page.locator("script[src]").count() > 0:
            page.wait_for_load_state("networkidle")
        told[scripts] = page.inner_text("body")
        page.set_viewport_size(PHONE)
    assert runs or told[True] == told[False]
    assert [reading.complaints for reading in readings.values()] == [[], []]
