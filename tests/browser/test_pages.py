"""Every page in a real browser."""

from playwright.sync_api import Page


def test_one(page: Page) -> None:
    answer = page.goto("/")
    assert answer is not None
    assert answer.status == 200
    assert page.title() == "¿Cuántas agresiones? · Constancia"
