"""Everything that pages say exists in both languages, and nothing is said beside the catalogue."""

import re
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from api.web.texts import texts

ROOT = Path(__file__).parents[3]
WEB = ROOT / "api" / "web"
TEMPLATES = sorted((WEB / "templates").iterdir())

NAMES = {"Constancia", "GraphQL", "Español", "English", "curl", "INEGI"}
"""What is called the same in every language."""

PLACEHOLDER = re.compile(r"%\((\w+)\)s|\{(\w+)\}")


def extracted() -> set[Any]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["babel"]
    methods = [(mapping["pattern"], mapping["method"]) for mapping in settings["mappings"]]
    return {message for _, _, message, _, _ in extract_from_dir(WEB, methods)}


def catalogue() -> dict[Any, str]:
    with (WEB / "locale" / "en.po").open("rb") as file:
        return {message.id: str(message.string) for message in read_po(file, locale="en") if message.id}


def test_every_text_is_translated_and_no_translation_is_left_over() -> None:
    assert extracted() == catalogue().keys()
    assert [spanish for spanish, english in catalogue().items() if not english.strip()] == []
    assert "fuzzy" not in (WEB / "locale" / "en.po").read_text(encoding="utf-8")


def test_a_translation_names_the_same_values_and_has_the_same_markup() -> None:
    for spanish, english in catalogue().items():
        assert sorted(PLACEHOLDER.findall(spanish)) == sorted(PLACEHOLDER.findall(english)), spanish
        assert re.findall(r"</?\w+", spanish) == re.findall(r"</?\w+", english), spanish


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_says_anything_beside_the_catalogue(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    text = re.sub(
        r"\{% trans .*?%\}.*?\{% endtrans %\}|\{% trans %\}.*?\{% endtrans %\}", "", text, flags=re.DOTALL
    )
    text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", text, flags=re.DOTALL)
    text = re.sub(r"<code>.*?</code>", "", text)  # names of fields are the same in every language
    spoken = re.findall(r'(?:aria-label|title|placeholder|alt|content|label)="([^"]*)"', text)
    said = [*spoken, *re.sub(r"<[^>]*>", "\n", text, flags=re.DOTALL).split("\n")]
    said = [re.sub(r"(?<!\w)/[\w/]+", "", phrase) for phrase in said]  # an address is no text
    words = {word for phrase in said for word in re.findall(r"[^\W\d_]{2,}", phrase)}
    assert words - NAMES - {"width", "device", "initial", "scale", "light", "dark"} == set()


def test_no_template_has_anything_inline() -> None:
    for template in TEMPLATES:
        text = template.read_text(encoding="utf-8")
        assert not re.search(
            r"<style|\sstyle=|\son\w+=|javascript:|<script(?! src=| type=\"application/ld\+json\")", text
        ), template.name


def test_numbers_and_days_are_written_as_each_language_writes_them() -> None:
    moment = datetime(2026, 11, 2, 9, 5, tzinfo=UTC)
    es, en = texts("es"), texts("en")
    assert (es.number(-1234), en.signed(1234), es.signed(0)) == ("−1,234", "+1,234", "0")
    assert (es.day(date(2026, 1, 5)), en.day(date(2026, 1, 5))) == ("5 de enero de 2026", "5 January 2026")
    assert es.moment(moment) == "2 de noviembre de 2026, 09:05 UTC"
    assert en.moment(moment) == "2 November 2026, 09:05 UTC"
    assert (es.gettext("Método"), en.gettext("Método")) == ("Método", "Method")
