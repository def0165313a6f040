"""Every page by the rules of axe-core, in light and dark: no finding that keeps somebody from reading."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.addresses import PLACES, Place
from tests.browser.conftest import PHONE

AXE = Path(__file__).parents[1] / "interop" / "axe"
SOURCE = AXE / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = pytest.mark.skipif(
    not SOURCE.is_file(), reason="axe-core is absent: npm ci --ignore-scripts --prefix tests/interop/axe"
)

RUN = "asked => axe.run(document, asked).then(({ violations }) => violations)"
EVERY_RULE = {"resultTypes": ["violations"]}
CONTRAST = {**EVERY_RULE, "runOnly": {"type": "rule", "values": ["color-contrast"]}}
GRAVE = {"serious", "critical"}


@pytest.fixture(scope="module")
def tab(browser: Browser, site: str) -> Iterator[Page]:
    """A phone's tab, whose browser lets in what the pages themselves would refuse: the rules."""
    with browser.new_context(base_url=site, bypass_csp=True, viewport=PHONE) as context:
        context.add_init_script(path=SOURCE)
        yield context.new_page()


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_page_breaks_no_serious_rule_in_light_or_dark(place: Place, tab: Page, site: str) -> None:
    tab.emulate_media(color_scheme="light")
    answer = tab.goto(place.address(site))
    assert answer is not None
    assert answer.status == 200
    found = findings(tab.evaluate(RUN, EVERY_RULE))
    tab.emulate_media(color_scheme="dark")  # changes colours and nothing else
    found += findings(tab.evaluate(RUN, CONTRAST))
    assert found == [], "\n".join(found)


def findings(violations: list[dict[str, Any]]) -> list[str]:
    """A paragraph for each element that breaks a grave rule: which rule, what is wrong, and where."""
    return [
        f"{broken['id']} ({broken['impact']}): {node['html'][:200]}\n  {node['failureSummary']}"
        for broken in violations
        if broken["impact"] in GRAVE
        for node in broken["nodes"]
    ]
