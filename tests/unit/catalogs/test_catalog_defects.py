"""What rows say against each other, the map and the vintages; and the table in which that is told."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.catalogs import comparing
from registry.catalogs.boundaries import read_boundaries
from registry.catalogs.comparing import Known
from registry.catalogs.defects import Defect, Severity, as_csv
from registry.catalogs.errors import CatalogRefused
from registry.catalogs.establishments import Establishment
from registry.catalogs.municipalities import Municipalities, Municipality, Vintage, vintage_day
from registry.catalogs.reading import Row
from registry.catalogs.seats import Seats, distance_km
from registry.errors import InvalidInput
from registry.text import Text

DAY = date(2026, 1, 1)


def kinds(found: object) -> list[tuple[int | None, str]]:
    assert hasattr(found, "__iter__")
    return [(one.row, one.kind) for one in found]


def rows(*entries: Establishment) -> list[Row[Establishment]]:
    return [Row(number, entry) for number, entry in enumerate(entries, start=1)]


def vintage(label: str, **names: str) -> Vintage:
    return Vintage(label, {code[1:]: Municipality(code[1:], name) for code, name in names.items()})


BEFORE, AFTER = (
    vintage("2020", m10001="Canatlán", m10002="Canelas"),
    vintage("2024-07", m10001="Canatlan", m10003="X"),
)
BOTH = Municipalities([AFTER, BEFORE])


def test_between_two_vintages_either_may_hold_and_outside_the_nearest_does() -> None:
    days = [date(2000, 1, 1), date(2022, 1, 1), date(2024, 7, 1), date(2030, 1, 1)]
    assert [BOTH.known("10002", day, day) for day in days] == [True, True, False, False]
    assert [BOTH.known("10003", day, day) for day in days] == [False, True, True, True]
    assert BOTH.known("10002", None, days[-1])
    assert BOTH.known("10003", days[0], days[-1])
    assert Municipalities().known("99999", DAY, DAY)


@given(st.dates(), st.dates())
def test_a_wider_interval_never_knows_less(one: date, other: date) -> None:
    first, last = min(one, other), max(one, other)
    for code in ("10001", "10002", "10003"):
        within = BOTH.known(code, first, first) or BOTH.known(code, last, last)
        assert BOTH.known(code, first, last) or not within


def test_an_unknown_municipality_is_told_the_nearest_or_when_it_was() -> None:
    with pytest.raises(InvalidInput, match="Most alike: 10003 X; 10001 Canatlan"):
        BOTH.check("10030", DAY, DAY, field="where.cvegeo")
    with pytest.raises(InvalidInput, match="catalogue of 2020 only"):
        BOTH.check("10002", DAY, DAY, field="where.cvegeo")
    BOTH.check("10002", date(2021, 1, 1), DAY, field="where.cvegeo")


@pytest.mark.parametrize("label", ["", "20", "2020-13", "2020-02-30", "2020-1", "2020-01-01-01", "hoy"])
def test_only_years_months_and_days_are_vintages(label: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        vintage_day(label)


def test_what_changed_between_vintages_is_told() -> None:
    now = [Row(number, one) for number, one in enumerate(AFTER.municipalities.values(), start=1)]
    assert kinds(comparing.municipalities_between(BEFORE.municipalities, now)) == [
        (1, "renamed"), (2, "new"), (None, "gone"),
    ]  # fmt: skip


def test_codes_that_two_establishments_claim_are_told() -> None:
    found = comparing.codes(rows(Establishment("N1", "A"), Establishment("N2", "A"), Establishment("A")))
    assert sorted(kinds(found)) == [
        (1, "code-changed"), (1, "former-clues-in-use"), (1, "shared-former-clues"),
        (2, "code-changed"), (2, "former-clues-in-use"), (2, "shared-former-clues"),
    ]  # fmt: skip


def test_names_that_are_not_those_of_the_codes_are_told() -> None:
    told = [
        Row(1, Establishment("A", name="a", cvegeo="10001"), "Durango", "CANATLAN"),
        Row(2, Establishment("B", name="b", cvegeo="10003"), "Dgo.", "Otro"),
        Row(3, Establishment("C", name="c", cvegeo="10002"), "HRAES", None),
        Row(4, Establishment("D")),
    ]
    assert kinds(comparing.names_and_places(told, BOTH, DAY)) == [
        (2, "municipality-name-differs"), (3, "unknown-municipality"), (3, "state-name-differs"),
        (4, "no-name"), (4, "no-municipality"),
    ]  # fmt: skip


def test_points_that_cannot_be_right_are_told_by_what_is_most_plainly_wrong() -> None:
    seats = [Municipality(f"10{n:03}", "x", 24 + n / 50, -105.0) for n in range(1, 40)]
    seats += [Municipality(f"14{n:03}", "y", 20 + n / 50, -103.0) for n in range(1, 13)]
    seats += [Municipality("15001", "z")]
    found = Seats(seats).misplaced(
        rows(
            Establishment("DG1", cvegeo="10001", latitude=24.02, longitude=-105.01),
            Establishment("DG2", cvegeo="10001", latitude=-105.0, longitude=24.0),
            Establishment("DG3", cvegeo="10001", latitude=20.0, longitude=-103.0),
            Establishment("DG4", cvegeo="10001", latitude=24.6, longitude=-105.0),
            Establishment("JC5", latitude=24.6, longitude=-105.0),
            Establishment("MC6", cvegeo="15001", latitude=24.6, longitude=-105.0),
            Establishment("MC7", cvegeo="15001"),
        )
    )
    assert kinds(found) == [
        (2, "outside-country"), (3, "far-from-state"), (4, "far-from-seat"), (5, "far-from-state"),
    ]  # fmt: skip


SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
HOLE = [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]
GEOJSON = {
    "type": "FeatureCollection",
    "features": [
        {"properties": {"CVEGEO": "10001"}, "geometry": {"type": "Polygon", "coordinates": [SQUARE, HOLE]}},
        {"id": "10002", "geometry": {"type": "MultiPolygon", "coordinates": [[HOLE]]}},
    ],
}
TOPOJSON = {
    "type": "Topology",
    "transform": {"scale": [2, 2], "translate": [0, 0]},
    "arcs": [[[0, 0], [5, 0], [0, 5], [-5, 0], [0, -5]], [[2, 2], [1, 0], [0, 1], [-1, 0], [0, -1]]],
    "objects": {
        "m": {
            "geometries": [
                {"id": "10001", "type": "Polygon", "arcs": [[0], [1]]},
                {"id": "10002", "type": "MultiPolygon", "arcs": [[[~1]]]},
            ]
        }
    },
}


@pytest.mark.parametrize("document", [GEOJSON, TOPOJSON], ids=["geojson", "topojson"])
def test_points_that_lie_in_another_municipality_are_told_where(document: object) -> None:
    points = [
        ("10001", 1.0, 1.0),
        ("10001", 5.0, 5.0),
        ("10002", 5.0, 5.0),
        ("10002", 20.0, 1.0),
        ("10003", 1.0, 1.0),
    ]
    entries = [Establishment("A", cvegeo=code, latitude=y, longitude=x) for code, y, x in points]
    found = list(read_boundaries(json.dumps(document).encode()).misplaced(rows(*entries)))
    assert [(one.row, one.detail.en.partition("in: ")[2]) for one in found] == [(2, "10002."), (4, "—.")]


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"type":"Topology"}', b'{"type":"FeatureCollection","features":[]}']
)
def test_what_holds_no_boundaries_is_refused(data: bytes) -> None:
    with pytest.raises(CatalogRefused, match="boundaries cannot be read"):
        read_boundaries(data)


def test_distances_are_those_on_the_ground() -> None:
    assert distance_km((19.4326, -99.1332), (20.6597, -103.3496)) == pytest.approx(461, rel=0.01)
    assert distance_km((19.0, -99.0), (20.0, -99.0)) == pytest.approx(111.2, rel=0.001)


def test_what_differs_from_earlier_catalogues_is_told_and_within_one_what_is_new_or_gone() -> None:
    before = Establishment("N1", "A1", "Clínica Uno", "10001", latitude=24.0, longitude=-105.0)
    known = dict.fromkeys(("N1", "A1"), Known("mine", before))
    known["N9"] = Known("mine", Establishment("N9", name="Ida"))
    now = rows(
        Establishment("N2", "N1", "CLINICA 1", "10002", latitude=24.1, longitude=-105.0), Establishment("N3")
    )
    assert kinds(comparing.since_earlier("mine", now, known)) == [
        (1, "name-differs"), (1, "municipality-differs"), (1, "coordinates-differ"), (2, "new"), (None, "gone"),
    ]  # fmt: skip
    assert kinds(comparing.since_earlier("other", now[:1], known))[-1] == (1, "coordinates-differ")


def test_the_table_of_defects_opens_in_a_spreadsheet_and_runs_nothing() -> None:
    one = Defect(3, '=HYPERLINK("x")', "kind", Severity.REJECTED, Text("año", "year"))
    assert as_csv([one, one._replace(row=None, code="X")]) == (
        "\ufeffrow,code,kind,severity,detalle,detail\r\n"
        '3,"\'=HYPERLINK(""x"")",kind,REJECTED,año,year\r\n,X,kind,REJECTED,año,year\r\n'
    )
