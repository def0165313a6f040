"""The site without a pointer: everything is reached in the order of reading, and it shows where one is."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.addresses import PLACES, Place

REACHABLE = "a[href], button, input, select, summary, [tabindex]"

# What has the focus says so by an outline, on the screen. Each is numbered in the order of the document.
FOLLOW = """reachable => {
  const all = [...document.querySelectorAll(reachable)].filter(one => one.checkVisibility());
  window.seen = [];
  document.addEventListener("focusin", ({ target }) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(target);
    const { top, bottom, left, right } = target.getBoundingClientRect();
    const onScreen = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
    const outlined = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    window.seen.push([all.indexOf(target), outlined && onScreen, target.outerHTML.slice(0, 100)]);
  });
  return all.length;
}"""


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element that matches has the focus."""
    for _ in range(300):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{selector} is not reached")


@pytest.mark.parametrize("place", [place for place in PLACES if place.language == "es"], ids=str)
def test_tab_visits_everything_in_the_order_of_reading_and_shows_where_it_is(
    place: Place, page: Page, site: str
) -> None:
    page.goto(place.address(site))
    reachable = page.evaluate(FOLLOW, REACHABLE)
    stops_within = 3 * page.locator("input[type=date]").count()  # month, year, calendar
    for _ in range(reachable + stops_within):
        page.keyboard.press("Tab")
    seen: list[list[Any]] = page.evaluate("seen")
    assert [html for _, shown, html in seen if not shown] == []
    assert [number for number, _, _ in seen] == list(range(reachable))


def test_the_first_link_leads_past_the_navigation(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("main :focus")).to_have_text("Enlace para citar")
    expect(skip).not_to_be_in_viewport()


def test_a_question_is_asked_and_its_answer_followed_without_a_pointer(page: Page) -> None:
    page.goto("/explorar")
    tab_to(page, "select[name=unit]")
    page.keyboard.type("mue")
    tab_to(page, "input[name=by][value=YEAR]")
    page.keyboard.press("Space")
    tab_to(page, "input[name=as_of]")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("unit=DEATHS"))
    assert "by=YEAR" in page.url

    tab_to(page, "[role=region]")
    table = page.locator(":focus table")
    first = table.locator("tbody tr:has(a)").first
    year, best = first.locator("a").inner_text(), first.locator(".estimate").inner_text()
    tab_to(page, "tbody a")
    expect(page.locator(":focus")).to_have_text(year)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"from={year}"))
    expect(page.locator("p.best")).to_have_text(best)


def test_what_is_folded_opens_without_a_pointer(page: Page) -> None:
    page.goto("/")
    command = page.locator("details pre").first
    expect(command).to_be_hidden()
    tab_to(page, "summary")
    page.keyboard.press("Enter")
    expect(command).to_be_visible()
    page.keyboard.press("Tab")
    expect(command).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(command).to_be_hidden()
