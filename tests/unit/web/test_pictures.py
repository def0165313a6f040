"""A picture that is taken away looks the same without a style sheet, and says itself what it shows."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from xml.etree import ElementTree

from api.web.charts import style
from api.web.charts.areas import areas, steps
from api.web.charts.bars import Bar, bars
from api.web.charts.document import Caption, document
from api.web.charts.geography import outlines
from api.web.charts.svg import NAMESPACE
from api.web.charts.tiles import SHADES, shade, tiles
from projections.counting.disclosure import Bounds
from registry.catalogs.boundaries import read_states
from tests.boundaries import geojson
from tests.unit.web.test_charts import NAMES

SVG = f"{{{NAMESPACE}}}"
LINK = "https://log.example/explorar?unit=DEATHS&kind=ARMED_ATTACK&kind=ABDUCTION&by=STATE&as_of=4711"
CAPTION = Caption(
    language="es",
    title="Título <&>",
    sentence="Una frase que dice qué se cuenta. " * 6,
    total="En total: 3",
    legend=[("low", "confirmado"), ("none", "no se sabe o aún no es público")],
    note="Nota",
    warning="Todo es inventado",
    as_of="Al 2 de enero",
    source="Fuente",
    link=LINK,
    citation="Cita",
    licence="https://creativecommons.org/licenses/by/4.0/",
)


GIVEN = [
    Bar("2020", Bounds(1, 2, 3), "2 (1–3)"),
    Bar("Se desconoce", Bounds(1, 2, 3), "2 (1–3)", known=False),
]
VALUES = {"12": Bounds(1, 8, 9), "16": Bounds(0, 1, 1)}
MAP = outlines(read_states(json.dumps(geojson()).encode()))
PICTURES = [bars("t", "d", GIVEN), tiles("t", "d", VALUES, NAMES), areas("t", "d", MAP, VALUES, NAMES)]
FILE = document(PICTURES, CAPTION)


def test_every_shape_has_its_colour_where_no_style_is_read() -> None:
    for shape in ElementTree.fromstring(FILE).iter():
        if shape.tag in (f"{SVG}rect", f"{SVG}path", f"{SVG}text"):
            assert re.fullmatch(r"#[0-9a-f]{6}|none", shape.get("fill", "")), shape.attrib
        elif shape.tag == f"{SVG}line":
            assert shape.get("stroke", "").startswith("#")
    assert "var(" not in FILE
    low, *_ = re.findall(
        r"<rect[^>]*class=\"low\"[^>]*>", str(style.with_attributes(PICTURES[0].inline("id")))
    )
    assert 'fill="#1f3a4d"' in low
    # The weightier rule wins: a tile with a shade has no border, one without has no shade.
    tile = style.with_attributes(PICTURES[1].inline("id"))
    assert re.search(
        r'class="tile t5">.*?<rect[^>]*fill="#1f3a4d" stroke="none"/><text[^>]*fill="#fdfcfa"', tile
    )
    assert re.search(r'class="tile t0">.*?<rect[^>]*fill="none" stroke="#d8d4cb"', tile)


def test_the_dark_is_the_only_style_and_its_digest_is_what_a_policy_allows() -> None:
    (inside,) = re.findall(r"<style>(.*?)</style>", FILE)
    assert inside == style.dark()
    assert style.dark_digest() == f"'sha256-{b64encode(sha256(inside.encode()).digest()).decode()}'"
    light = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', FILE))
    dark = set(re.findall(r"(?:fill|stroke):(#[0-9a-f]{6})", inside))
    assert len(light) <= len(dark) + 1
    assert not re.search(r"@import|url\(|<script|\sstyle=|\son\w+=", FILE)


def test_the_file_says_what_it_shows_as_of_when_and_where_it_is_cited() -> None:
    root = ElementTree.fromstring(FILE)
    said = [" ".join("".join(text.itertext()).split()) for text in root.iter(f"{SVG}text")]
    for words in (CAPTION.title, CAPTION.total, CAPTION.note, CAPTION.warning, CAPTION.as_of, CAPTION.source):
        assert words in said
    assert " ".join(said).count("Una frase que dice") == 6
    assert LINK in said  # in one piece, though it is written on two lines
    (link,) = root.iter(f"{SVG}a")
    assert link.get("href") == LINK
    terms = {term.tag.rpartition("}")[2]: term.text for term in root.iter() if "purl.org" in term.tag}
    # Elements of the vocabulary, and none of our own around them.
    assert terms.keys() == {"title", "publisher", "identifier", "rights", "source"}
    assert (terms["identifier"], terms["source"], terms["rights"]) == (LINK, "Cita", CAPTION.licence)
    named = root.get("aria-labelledby", "").split()
    assert next(element.text for element in root if element.get("id") in named) == CAPTION.title
    assert root.get("lang") == "es"
    lowest = max(float(part.get("y", 0)) for part in root.iter(f"{SVG}tspan"))
    assert lowest < float(root.get("height", ""))


def test_the_key_of_the_map_has_every_shade_with_the_numbers_that_have_it() -> None:
    for largest in (0, 1, 3, 8, 1234):
        found = list(steps(largest))
        assert [(shade(number, largest), True) for _, first, last in found for number in {first, last}] == [
            (step, True) for step, first, last in found for _ in {first, last}
        ]
        assert [first for _, first, _ in found[1:]] == [last + 1 for _, _, last in found[:-1]]
        assert found[-1][2] == largest
        assert len(found) <= SHADES + 1


def test_a_state_on_the_map_is_as_dark_as_its_tile_and_tells_its_name() -> None:
    groups = {
        path.findtext(f"{SVG}title"): path.get("class")
        for path in ElementTree.fromstring(PICTURES[2].inline("id")).iter(f"{SVG}path")
    }
    assert groups["Guerrero"] == "area t5"
    assert groups["Michoacán"] == "area t1"
    assert groups["Zacatecas"] == "area t0"
