"""The distribution's Chromium, and a register of invented people whose checkpoint stays as it is."""

import os
import shutil
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from tests.acceptance.conftest import Program, directory, free_port

PHONE: ViewportSize = {"width": 360, "height": 740}
DESK: ViewportSize = {"width": 1280, "height": 900}
UNFOLD = "document.querySelectorAll('details').forEach(folded => { folded.open = true })"
"""All that a page keeps folded is opened."""

SEED_SECONDS = 120
STEADY_SECONDS = 3
"""A checkpoint is made every second: one that is older than this holds everything."""


@pytest.fixture(scope="session")
def chromium() -> str:
    """The program, by the variable of that name where there is one."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if found is None:
        pytest.skip("chromium is absent: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def register(chromium: str) -> Iterator[Program]:
    """The demonstration, complete and published, if there is a browser for it. Nothing is added to it any more."""
    with directory() as place:
        running = Program(
            place / "data",
            free_port(),
            "--demo",
            CONSTANCIA_PUBLISH_EVERY="1",
            CONSTANCIA_RELEASE_EVERY="86400",
        )
        try:
            _wait_until_published(running.wait_until_ready())
            yield running
        finally:
            if running.stop() != 0:
                pytest.fail(f"it did not end well:\n{running.output}")


def _wait_until_published(program: Program) -> None:
    """Until the invented records are complete, and the front page shows the same checkpoint for a while."""
    deadline = time.monotonic() + SEED_SECONDS
    known, since = "", time.monotonic()
    while time.monotonic() < deadline:
        shown = _shown(program.url) if "the invented records are complete" in program.output else ""
        if shown != known:
            known, since = shown, time.monotonic()
        if known and time.monotonic() - since > STEADY_SECONDS:
            return
        time.sleep(0.2)
    pytest.fail(f"it was not published in time:\n{program.output}")


def _shown(url: str) -> str:
    """The entity tag of the front page, which follows from its checkpoint; nothing before there is one."""
    answer = httpx.get(url)
    if answer.status_code == 503:
        return ""
    return str(answer.raise_for_status().headers["etag"])


@pytest.fixture(scope="session")
def site(register: Program) -> str:
    """The address of the running register, without a slash at its end."""
    return register.url


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for all tests of a module.

    Of a module and not of the session: while Playwright's synchronous interface is open, its event loop counts as
    running in this thread, and asynchronous tests could not have theirs.
    """
    # Chromium refuses to be its own sandbox for root, as whom containers run.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser, site: str) -> Iterator[BrowserContext]:
    """A reader who has never been here: addresses may begin at the site's root."""
    with browser.new_context(base_url=site) as fresh:
        yield fresh


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page of such a reader."""
    return context.new_page()
