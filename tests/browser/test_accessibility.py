"""Every page by the rules of axe-core, in light and dark: no finding that keeps somebody from reading."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.addresses import PLACES, Place
from tests.browser.conftest import PHONE, UNFOLD

AXE = Path(__file__).parents[1] / "interop" / "axe"
SOURCE = AXE / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = pytest.mark.skipif(
    not SOURCE.is_file(), reason="axe-core is absent: npm ci --ignore-scripts --prefix tests/interop/axe"
)

RUN = "axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)"
SCHEMES: list[Literal["light", "dark"]] = ["light", "dark"]
GRAVE = {"serious", "critical"}


@pytest.fixture(scope="module")
def tab(browser: Browser, site: str) -> Iterator[Page]:
    """A phone's tab, whose browser lets in what the pages themselves would refuse: the rules."""
    with browser.new_context(base_url=site, bypass_csp=True, viewport=PHONE) as context:
        context.add_init_script(path=SOURCE)
        yield context.new_page()


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_page_breaks_no_serious_rule(place: Place, tab: Page, site: str) -> None:
    # The two languages have the same elements: each is looked at in one of the two colour schemes.
    tab.emulate_media(color_scheme="light" if place.language == "es" else "dark")
    answer = tab.goto(place.address(site))
    assert answer is not None
    assert answer.status == 200
    tab.evaluate(UNFOLD)
    assert_no_findings(tab)


@pytest.mark.parametrize("verdict", ["passed", "unproven"])
def test_steps_of_a_verification_break_no_serious_rule(verdict: str, tab: Page) -> None:
    if verdict == "unproven":
        tab.route("**/log/policy", lambda route: route.abort())
    tab.goto("/verificar")
    tab.locator("button[data-verify]").click()
    expect(tab.locator(f"[data-verdict={verdict}]")).to_be_visible(timeout=20_000)
    for scheme in SCHEMES:
        tab.emulate_media(color_scheme=scheme)
        assert_no_findings(tab)
    tab.unroute("**/log/policy")


def test_a_page_that_is_not_there_breaks_no_serious_rule(tab: Page) -> None:
    answer = tab.goto("/incidentes/00000000-0000-4000-8000-000000000000")
    assert answer is not None
    assert answer.status == 404
    assert_no_findings(tab)


def assert_no_findings(tab: Page) -> None:
    """Names each element that breaks a grave rule: which rule, where, and what is wrong."""
    found = [
        f"{broken['id']} ({broken['impact']}): {node['html'][:200]}\n{node['failureSummary']}"
        for broken in tab.evaluate(RUN)
        if broken["impact"] in GRAVE
        for node in broken["nodes"]
    ]
    assert found == [], "\n\n".join(found)
