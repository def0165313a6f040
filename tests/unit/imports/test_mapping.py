"""From a row in somebody's words to records in the register's codes."""

from collections.abc import Mapping
from typing import Any

import pytest

from api.imports.errors import FileRefused, RowProblem
from api.imports.loading import load_profile
from api.imports.mapping import MappedRow, Mapper
from api.imports.tables import Row
from tests.unit.imports.reading import read_table


def mapped(profile: str, csv: str) -> list[MappedRow]:
    table = read_table(csv.encode())
    mapper = Mapper(load_profile(f'records = "reports"\n{profile}'), table.headings)
    return [mapper.map(row) for row in table.rows]


def fields(text: str, csv: str, rest: str = "") -> Mapping[str, Any]:
    """The only record of the only row."""
    (row,) = mapped(f"{rest}\n[[record]]\n[record.fields]\n{text}", csv)
    assert row.problems == ()
    (record,) = row.records
    return record.document


def problem(text: str, csv: str, rest: str = "") -> RowProblem:
    (row,) = mapped(f"{rest}\n[[record]]\n[record.fields]\n{text}", csv)
    assert row.records == ()
    (found,) = row.problems
    return found


def test_constants_columns_and_nested_fields() -> None:
    text = 'class = "THREAT"\n"when.latest" = { column = "d" }\n"victims[0].role" = { constant = "STAFF" }\nlow = 3'
    assert fields(text, "d\n2026-01-02\n") == {
        "class": "THREAT",
        "when": {"latest": "2026-01-02"},
        "victims": [{"role": "STAFF"}],
        "low": 3,
    }


def test_an_empty_cell_is_an_absent_field_or_its_default() -> None:
    text = 'a = { column = "x" }\nb = { column = "x", default = "B" }\nc = { column = "y" }'
    assert fields(text, "x,y\n,1\n") == {"b": "B", "c": "1"}


def test_an_empty_cell_that_is_required_is_named() -> None:
    found = problem('"where.state" = { column = "x", required = true }', "x,y\n,1\n")
    assert (found.code, found.field, found.columns) == ("missing-value", "where.state", ("x",))


def test_several_columns_to_one_field_and_one_column_to_several() -> None:
    text = (
        'id = { template = "{case}/{n}" }\n'
        'name = { first = [{ column = "long" }, { column = "short" }] }\n'
        'place = { join = ["village", "town", "state"] }\n'
        'none = { template = "{empty}" }\n'
        'again = { column = "case" }'
    )
    csv = "case,n,long,short,village,town,state,empty\nA,1,,corto,,Ocosingo,Chiapas,\n"
    assert fields(text, csv) == {"id": "A/1", "name": "corto", "place": "Ocosingo, Chiapas", "again": "A"}


KIND = """
[tables.kind]
exact = { "Robo" = "ROBBERY" }
patterns = [
    { matches = 'punta de pistola|at gunpoint', value = "COERCED_CARE" },
    { contains = "pistola", value = "ARMED_ATTACK" },
]
[tables.means]
patterns = [{ contains = "pistola", value = "FIREARM" }]
default = ""
"""


@pytest.mark.parametrize(
    ("cell", "document"),
    [
        (" robo ", {"kind": "ROBBERY"}),
        ("Obligado a PUNTA DE PISTOLA a atender a un herido", {"kind": "COERCED_CARE", "means": ["FIREARM"]}),
        ("le disparan con pistola", {"kind": "ARMED_ATTACK", "means": ["FIREARM"]}),
        ("", {}),
    ],
)
def test_a_sentence_becomes_codes_by_the_first_pattern_that_it_meets(
    cell: str, document: dict[str, Any]
) -> None:
    text = 'kind = { column = "c", table = "kind" }\n"means[0]" = { column = "c", table = "means" }\nx = 1'
    assert fields(text, f'c,z\n"{cell}",1\n', KIND) == {**document, "x": 1}


def test_a_cell_that_no_table_knows_is_shown_with_what_is_known() -> None:
    found = problem('kind = { column = "c", table = "kind" }', "c\nincendio\n", KIND)
    assert (found.code, found.field, found.columns, found.value) == (
        "not-in-table",
        "kind",
        ("c",),
        "incendio",
    )
    assert "«Robo»" in found.detail.es
    assert "gunpoint" in found.detail.en


def test_empty_cells_may_mean_something() -> None:
    table = '[tables.sure]\nexact = { "?" = "RUMOUR" }\nempty = "UNKNOWN"'
    assert fields('a = { column = "c", table = "sure" }', "c,d\n,1\n", table) == {"a": "UNKNOWN"}


def test_part_of_a_cell() -> None:
    text = "url = { column = 'c', capture = '^(https?://\\S+)$' }\nx = 1"
    assert fields(text, "c\nhttps://example.org/a\n") == {"url": "https://example.org/a", "x": 1}
    assert fields(text, "c\nfile.txt\n") == {"x": 1}


@pytest.mark.parametrize("cell", ["Michoacán", "MICHOACAN", "16", " michoacán "])
def test_a_state_is_found_by_name_or_code(cell: str) -> None:
    assert fields('s = { column = "c", state = true }', f"c\n{cell}\n") == {"s": "16"}


@pytest.mark.parametrize("cell", ["Estado de México", "33", "Durango (mountains)"])
def test_a_state_is_never_guessed(cell: str) -> None:
    found = problem('s = { column = "c", state = true }', f"c\n{cell}\n")
    assert (found.code, found.value) == ("not-a-state", cell)


def test_numbers() -> None:
    assert fields('n = { column = "c", number = true }\nx = 1', "c,d\n31,\n") == {"n": 31, "x": 1}
    assert fields('n = { column = "c", number = true }\nx = 1', "c,d\n,1\n") == {"x": 1}
    assert problem('n = { column = "c", number = true }', "c\n3.5\n").code == "not-a-number"


def test_one_day_and_not_a_period() -> None:
    dates = '[dates.civil]\nformats = ["D/M/YYYY", "M/YYYY"]'
    assert fields('d = { column = "c", day = "civil" }', "c\n1/2/2026\n", dates) == {"d": "2026-02-01"}
    assert problem('d = { column = "c", day = "civil" }', "c\n2/2026\n", dates).code == "not-a-day"
    assert problem('d = { column = "c", day = "civil" }', "c\nayer\n", dates).field == "d"


LISTS = """
[[record]]
fields = { class = "THREAT" }
[[record.items]]
into = "where"
split = { column = "places", by = "|", as = "place" }
fields = { wording = { column = "place" } }
[[record.items]]
into = "where"
only_if = [{ column = "places", empty = true }]
fields = { wording = "?" }
[[record.items]]
into = "victims"
only_if = [{ column = "dead", matches = '^[2-9]' }, { column = "who", contains = "CHOFER" }]
fields = { role = "STAFF" }
"""


def test_lists_are_split_and_elements_depend_on_the_row() -> None:
    rows = mapped(LISTS, "places,dead,who\nA | B||C,2,y chofer\n,1,chofer\n")
    assert [row.records[0].document for row in rows] == [
        {
            "class": "THREAT",
            "where": [{"wording": "A"}, {"wording": "B"}, {"wording": "C"}],
            "victims": [{"role": "STAFF"}],
        },
        {"class": "THREAT", "where": [{"wording": "?"}]},
    ]


def test_a_condition_may_be_about_the_part_itself() -> None:
    profile = """
[[record]]
split = { column = "who", by = ",", as = "one" }
only_if = [{ column = "one", not = true, equals = "nadie" }]
fields = { source_record_id = { column = "one" } }
"""
    (row,) = mapped(profile, 'who,y\n"a, nadie ,b",1\n')
    assert [record.document["source_record_id"] for record in row.records] == ["a", "b"]


def test_a_list_of_plain_values() -> None:
    profile = """
[[record]]
fields = { x = 1 }
[[record.items]]
into = "means"
split = { column = "m", by = ";", as = "one" }
fields = { "" = { column = "one" } }
"""
    (row,) = mapped(profile, 'm,y\n"FIRE;BLADE",1\n')
    assert row.records[0].document == {"x": 1, "means": ["FIRE", "BLADE"]}


def test_one_row_to_several_records() -> None:
    profile = """
[[record]]
only_if = [{ column = "kind", not = true, equals = "nada" }]
split = { column = "who", by = ",", as = "one" }
fields = { source_record_id = { template = "{case}/{one}" } }
[[record]]
only_if = [{ column = "threat", empty = false }]
fields = { source_record_id = { template = "{case}/threat" } }
"""
    (row, *_), (_, nothing) = (
        mapped(profile, 'case,kind,who,threat\nA,x,"p,q",sí\n'),
        mapped(profile, 'case,kind,who,threat\nA,x,"p,q",sí\nB,nada,p,\n'),
    )
    assert [record.document["source_record_id"] for record in row.records] == ["A/p", "A/q", "A/threat"]
    assert nothing.problems[0].code == "no-record"


def test_all_problems_of_a_row_are_told_at_once() -> None:
    text = 'a = { column = "x", state = true }\nb = { column = "y", number = true }'
    (row,) = mapped(f"[[record]]\n[record.fields]\n{text}", "x,y\nNarnia,dos\n")
    assert [(one.field, one.value) for one in row.problems] == [("a", "Narnia"), ("b", "dos")]


def test_a_problem_in_a_derived_column_is_the_rows() -> None:
    (row,) = mapped('[columns.s]\ncolumn = "x"\nstate = true\n[[record]]\nfields = { a = 1 }', "x\nNarnia\n")
    assert row.problems[0].columns == ("x",)


def test_a_ragged_row_is_not_mapped() -> None:
    mapper = Mapper(
        load_profile('records = "reports"\n[[record]]\nfields = { a = { column = "x" } }'), ("x",)
    )
    broken = read_table(b"x,y\n1\n").rows[0]
    assert mapper.map(Row(1, {}, broken.problems)).problems == broken.problems


def test_missing_columns_are_refused_before_any_row() -> None:
    profile = load_profile('records = "reports"\n[[record]]\nfields = { a = { template = "{x}{y}" } }')
    with pytest.raises(FileRefused, match="«y»"):
        Mapper(profile, ("x", "z"))


def test_a_derived_column_must_not_hide_one_of_the_file() -> None:
    profile = load_profile('records = "reports"\n[columns.x]\ncolumn = "y"\n[[record]]\nfields = { a = 1 }')
    with pytest.raises(FileRefused, match="«x»"):
        Mapper(profile, ("x", "y"))


def test_what_the_profile_leaves_out_is_told() -> None:
    profile = load_profile('records = "reports"\n[[record]]\nfields = { a = { column = "x" } }')
    assert Mapper(profile, ("x", "y", "z")).unused == ("y", "z")


def test_a_field_given_twice_is_a_mistake_of_the_profile() -> None:
    (row,) = mapped(
        '[[record]]\nfields = { when = { column = "x" }, "when.latest" = { column = "x" } }', "x\n1\n"
    )
    assert row.problems[0].code == "profile"


def test_every_field_knows_its_columns() -> None:
    text = 'when = { column = "d" }\n"victims[0].role" = { join = ["a", "b"] }'
    (row,) = mapped(f"[[record]]\n[record.fields]\n{text}", "d,a,b\n1,2,3\n")
    record = row.records[0]
    assert record.columns_of("when.latest") == ("d",)
    assert record.columns_of("victims") == ("a", "b")
    assert record.columns_of("victims[0].role") == ("a", "b")
    assert record.columns_of("kind") == ()
    assert record.columns_of(None) == ()
