"""Official files as they come: encodings, separators, workbooks, titles; and what cannot be read, by its place."""

import gzip
import io
from collections.abc import Sequence
from hashlib import sha256

import pytest
import xlsxwriter

from registry.catalogs import table as tables
from registry.catalogs.errors import CatalogRefused, LayoutRefused
from registry.catalogs.layout import Kind, load_layout, recognise, shipped
from registry.catalogs.proposing import levels_of, profile_text, propose
from registry.catalogs.reading import read_establishments, read_municipalities
from registry.catalogs.table import read_table
from registry.domain.codes import SiteLevel

PLAIN = "CVEGEO,NOMGEO\n12083,Ñuu Savi\n09007,Iztapalapa\n"
ROWS = [["12083", "Ñuu Savi"], ["09007", "Iztapalapa"]]
PROFILE = """\
catalog = "establishments"
name = "clues-otra"

[columns]
clues = "Clave"
name = "Unidad"
cvegeo = "Municipio"
level = "Nivel"

[levels]
"PRIMERO" = "FIRST"
"""


def workbook(rows: Sequence[Sequence[object]], sheet: str = "Hoja1", first: str | None = None) -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        if first is not None:
            book.add_worksheet(first)
        page = book.add_worksheet(sheet)
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    return made.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("cp1252"),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", "|").replace("\n", "\r\n").encode(),
        ("Catálogo de municipios\n\n" + PLAIN + "\n,\n").encode(),
        gzip.compress(PLAIN.encode(), mtime=0),
        PLAIN.replace("Ñ", "N\u0303").encode(),
        workbook([["CVEGEO", "NOMGEO"], *ROWS]),
        workbook([["INEGI"], ["CVEGEO", "NOMGEO"], *ROWS]),
    ],
    ids=[
        "utf-8",
        "mark",
        "cp1252",
        "semicolon",
        "tab",
        "pipe",
        "titles",
        "gzip",
        "nfd",
        "xlsx",
        "xlsx-titles",
    ],
)
def test_a_table_is_read_however_it_was_saved(data: bytes) -> None:
    found = read_table(data)
    assert (found.headings, found.rows) == (("CVEGEO", "NOMGEO"), ROWS)


def test_the_digest_is_that_of_the_file_uncompressed() -> None:
    assert read_table(gzip.compress(PLAIN.encode())).sha256 == sha256(PLAIN.encode()).digest()


def test_cells_of_a_workbook_read_as_people_read_them() -> None:
    book = workbook(
        [["n", "text", "truth"], [1.0, "x", True], [201.5, " y ", False]], "CLUES", first="Portada"
    )
    assert read_table(book, sheet="CLUES").rows == [["1", "x", "TRUE"], ["201.5", "y", "FALSE"]]
    with pytest.raises(CatalogRefused, match="Portada, CLUES"):
        read_table(book, sheet="Hoja9")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no heading"),
        (b"one\ntwo\n", "no heading"),
        (b"a,b\n1,2,3\n", "Row 1: it has 3 cells"),
        (b"a,b\n1,2\n3\n", "Row 2: it has 1 cells"),
        (b"a,a\n1,2\n", "Columns 1 and 2 have the same name"),
        (b"a,,c\n1,2,3\n", "Column 2 has no name"),
        (b'a,b\n"1,2\n', "Line 2: quotes"),
        ("a,b\n1,ñ\n".encode() + b"2,\xf1\n", "Line 3: there is a byte"),
        ("a,b\n1,2\n".encode("utf-16"), "null bytes"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-4], "compressed file is damaged"),
        (workbook([["a", "b"]])[:-40], "workbook is damaged"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "workbook cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_place(data: bytes, told: str) -> None:
    with pytest.raises(CatalogRefused, match=told):
        read_table(data)


def test_files_that_unpack_to_more_than_the_limit_are_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    book = workbook([["a" * 9_000, "b"]])
    monkeypatch.setattr(tables, "MAX_BYTES", len(book) + 100)
    for data in (book, gzip.compress(b"a,b\n" * len(book)), b"a,b\n" * len(book)):
        with pytest.raises(CatalogRefused, match="uncompressed"):
            read_table(data)
    monkeypatch.setattr(tables, "MAX_ROWS", 2)
    with pytest.raises(CatalogRefused, match="more than 2 rows"):
        read_table(b"a,b\n" * 4)


@pytest.mark.parametrize(
    ("change", "line", "key"),
    [
        (('catalog = "establishments"', "catalog = 3"), 1, "catalog"),
        (('name = "clues-otra"', 'name = "CLUES Otra"'), 2, "name"),
        (('clues = "Clave"', 'clave = "Clave"'), 5, "columns.clave"),
        (('clues = "Clave"', ""), 4, "columns.clues"),
        (('name = "Unidad"', "name = 7"), 6, "columns.name"),
        (('level = "Nivel"', 'level = "Nivel"\nstate = "Edo"'), 7, "columns.cvegeo"),
        (('level = "Nivel"', 'latitude = "Lat"'), 8, "columns.latitude"),
        (('"PRIMERO" = "FIRST"', '"PRIMERO" = "1"'), 11, "levels.PRIMERO"),
        (("[levels]", '[file]\nencoding = "latin"\n[levels]'), 11, "file.encoding"),
        (("[levels]", "[file]\ncodec = 1\n[levels]"), 11, "file.codec"),
        (('name = "clues-otra"', 'name = "clues-otra"\nvintage = "ayer"'), 3, "vintage"),
        (("[columns]", "[columns"), 4, "columna 9 · column 9"),
    ],
)
def test_a_profile_that_cannot_be_meant_is_refused_by_line_and_key(
    change: tuple[str, str], line: int, key: str
) -> None:
    with pytest.raises(LayoutRefused) as refused:
        load_layout(PROFILE.replace(*change))
    assert (refused.value.line, refused.value.key) == (line, key)
    assert f"line {line}, key “{key}”" in refused.value.text.en


def test_a_misspelt_key_is_told_the_nearest() -> None:
    with pytest.raises(LayoutRefused, match="Did you mean former_clues"):
        load_layout(PROFILE.replace("cvegeo =", "formerclues ="))


def test_other_columns_and_institutions_are_read_by_a_profile_and_each_row_is_told_what_is_wrong() -> None:
    lines = [
        "CLAVE;Unidad;Municipio;nivel",
        "DGIST000011;Uno;10023;PRIMERO",  # right but for the check digit
        "GTIMB000011;Dos;11024;Primero",
        "GTIST00001;Tres;11024;PRIMERO",
        "GTIST000022;Cuatro;1024;PRIMERO",
        "DGIST000011;Cinco;10023;PRIMERO",
        "DGIST000026;;;SEXTO",
    ]
    table = read_table("\n".join(lines).encode("cp1252"))
    read = read_establishments(table, load_layout(PROFILE))
    assert [(row.number, row.entry.name, row.entry.cvegeo, row.entry.level) for row in read.rows] == [
        (1, "Uno", "10023", SiteLevel.FIRST), (6, None, None, None),
    ]  # fmt: skip
    assert {(one.row, one.kind, one.severity.value) for one in read.defects} == {
        (1, "doubtful-clues", "DOUBTFUL"), (2, "impossible-clues", "REJECTED"), (3, "impossible-clues", "REJECTED"),
        (4, "malformed-cvegeo", "REJECTED"), (5, "doubled-code", "REJECTED"), (6, "unknown-level", "DOUBTFUL"),
    } | {(6, "doubtful-clues", "DOUBTFUL")}  # fmt: skip
    with pytest.raises(CatalogRefused, match="Unidad"):
        read_establishments(read_table(b"Clave,Municipio,Nivel\n1,2,3\n"), load_layout(PROFILE))


def test_municipalities_without_code_or_name_or_twice_are_rejected() -> None:
    lines = [
        "CVE_GEO,MUNICIPIO_NAME,LAT,LON,YEAR",
        "01001,Aguascalientes,21.8,-102.3,2020",
        "1002,Asientos,,,2020",
        "01001,Otra,0,0,2020",
        "01003,,0,0,2020",
        ",Calvillo,0,0,2020",
        "01004,Cosío,x,1,2020",
        "01005,Jesús María,99,1,2020",
    ]
    table = read_table("\n".join(lines).encode())
    layout = recognise(Kind.MUNICIPALITIES, table.headings)
    assert layout is not None
    read = read_municipalities(table, layout)
    assert ([row.entry.cvegeo for row in read.rows], read.vintage) == (["01001", "01004", "01005"], "2020")
    assert [(one.row, one.kind) for one in read.defects] == [
        (2, "malformed-cvegeo"), (3, "doubled-code"), (4, "no-name"), (5, "no-municipality"),
        (6, "malformed-coordinates"), (7, "malformed-coordinates"),
    ]  # fmt: skip


def test_state_and_municipality_in_two_columns_are_numbers_whose_zeros_may_be_missing() -> None:
    lines = [
        (
            "CLUES,NOMBRE DE LA UNIDAD,CLAVE DE LA ENTIDAD,ENTIDAD,CLAVE DEL MUNICIPIO,MUNICIPIO,NIVEL ATENCION,"
            "LATITUD,LONGITUD"
        ),
        'ASIST000010,Uno,1,AGS,2,ASIENTOS,NO APLICA,"22,2",-102.1',
    ]
    table = read_table("\n".join(lines).encode())
    layout = recognise(Kind.ESTABLISHMENTS, table.headings)
    assert layout is not None
    (row,) = read_establishments(table, layout).rows
    assert (layout.name, row.entry.cvegeo, row.entry.point, row.entry.level) == (
        "clues-dgis", "01002", (22.2, -102.1), None,
    )  # fmt: skip


def test_each_shipped_layout_is_recognised_by_its_own_columns_alone() -> None:
    for layout in shipped():
        headings = [heading.lower() for heading in (*layout.columns.values(), *layout.recognised_by)]
        assert recognise(layout.kind, [*headings, "otra"]) == layout
        assert recognise(layout.kind, headings[1:]) != layout
    assert recognise(Kind.ESTABLISHMENTS, ["CLUES", "lat", "lon", "nivel"]) is None


def test_a_profile_is_proposed_that_reads_the_file_it_was_made_from() -> None:
    lines = 'Clave CLUES,Nombre de la unidad,CVE_GEO,Nivel de atención,"y"\nDGIST000011,Uno,10023,Primer nivel,ayer\n'
    table = read_table(lines.encode())
    found = propose(table, Kind.ESTABLISHMENTS)
    assert [one.field for one in found] == ["clues", "name", "cvegeo", "level", None]
    text = profile_text(found, Kind.ESTABLISHMENTS, levels_of(table, found)).replace("clues-…", "clues-x")
    (row,) = read_establishments(table, load_layout(text)).rows
    assert (row.entry.clues, row.entry.level) == ("DGIST000011", SiteLevel.FIRST)
    # Whatever its heading, a column of CLUES is one.
    assert propose(read_table(b"a,b\nDGIST000011,1\n"), Kind.ESTABLISHMENTS)[0].field == "clues"
