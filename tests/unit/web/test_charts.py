"""Pictures are the rows and nothing else, well-formed, named, and readable where nothing can be seen."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.charts.bars import WIDTH, Bar, bars
from api.web.charts.tiles import ABBREVIATIONS, SHADES, places, shade, tiles
from projections.counting.disclosure import Bounds
from registry.catalogs.states import STATES

SVG = "{http://www.w3.org/2000/svg}"
NAMES = {state.code: state.name for state in STATES}

bounds = st.lists(st.integers(0, 3000), min_size=3, max_size=3).map(lambda numbers: Bounds(*sorted(numbers)))
rows = st.lists(
    st.builds(Bar, st.text(st.characters(exclude_categories=["C"])), bounds, st.just("x"), st.booleans())
)


@given(rows)
def test_bars_are_as_long_as_their_numbers_and_stay_in_the_picture(given_rows: list[Bar]) -> None:
    picture = ElementTree.fromstring(bars("Título <&>", "Descripción", given_rows).inline("id"))
    largest = max((bar.bounds.high for bar in given_rows), default=0) or 1
    # One line from which all bars begin, and one scale.
    begins = {float(axis.get("x1", "")) for axis in picture.iter(f"{SVG}line")}
    assert len(begins) <= 1
    full = WIDTH if begins <= {0} else 262
    groups = picture.findall(f"{SVG}g")
    assert len(groups) == len(given_rows)
    for group, bar in zip(groups, given_rows, strict=True):
        parts = group.findall(f"{SVG}rect")
        widths = [float(part.get("width", "")) for part in parts]
        assert sum(widths) <= WIDTH + 0.05
        assert sum(widths) == pytest.approx(bar.bounds.high / largest * full, abs=0.05)
        assert (group.get("class") == "row") == bar.known
        label, figure = group.findall(f"{SVG}text")
        assert (label.text or "", figure.text) == (bar.label, bar.figure)


def test_a_bar_ends_before_its_figure_begins() -> None:
    figure = "12,345 (11,000–13,000)"
    picture = ElementTree.fromstring(
        bars("t", "d", [Bar("2020", Bounds(11_000, 12_345, 13_000), figure)]).inline("id")
    )
    right = max(
        float(part.get("x", "")) + float(part.get("width", "")) for part in picture.iter(f"{SVG}rect")
    )
    assert right <= WIDTH - 8 * len(figure)


def test_a_picture_is_one_image_with_a_title_and_a_description() -> None:
    for text in (
        bars("Título", "Descripción", [Bar("2020", Bounds(1, 2, 3), "2 (1–3)")]).inline("one"),
        tiles("Título", "Descripción", {}, NAMES).inline("one"),
    ):
        picture = ElementTree.fromstring(text)
        assert picture.get("role") == "img"
        assert picture.get("aria-labelledby") == "one-title one-desc"
        named = {element.get("id"): element.text for element in picture if element.get("id")}
        assert named == {"one-title": "Título", "one-desc": "Descripción"}
        # Colours are the style sheet's: nothing is said inline.
        assert not any({"style", "fill", "stroke"} & set(element.keys()) for element in picture.iter())


def test_every_state_has_one_tile_of_its_own() -> None:
    found = list(places())
    assert sorted(code for code, _, _ in found) == [state.code for state in STATES]
    assert len({(x, y) for _, x, y in found}) == 32
    assert len(set(ABBREVIATIONS.values())) == len(ABBREVIATIONS) == 32


def test_a_tile_shows_its_number_and_zero_has_no_shade() -> None:
    picture = ElementTree.fromstring(tiles("t", "d", {"12": Bounds(1, 8, 9)}, NAMES).inline("map"))
    shown = {
        group.findtext(f"{SVG}title"): (group.get("class"), group.findall(f"{SVG}text")[1].text)
        for group in picture.findall(f"{SVG}g")
    }
    assert shown["Guerrero"] == ("tile t5", "8")
    assert shown["Zacatecas"] == ("tile t0", "0")


def test_a_number_of_many_digits_is_smaller_so_that_it_stays_on_its_tile() -> None:
    values = {"12": Bounds(0, 999, 999), "13": Bounds(0, 1_000, 1_000), "14": Bounds(0, 12_345, 12_345)}
    picture = ElementTree.fromstring(tiles("t", "d", values, NAMES).inline("map"))
    shown = {text.text: text.get("class") for text in picture.iter(f"{SVG}text")}
    assert [shown[number] for number in ("999", "1,000", "12,345")] == [
        "number",
        "number long",
        "number longer",
    ]


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_shades_grow_with_the_number_and_only_nothing_has_none(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert 0 <= shade(low, high) <= shade(high, high) <= SHADES
    assert (shade(low, high) == 0) == (low == 0)
