import csv
from pathlib import Path

from registry.catalogs.states import BY_CLUES, BY_CODE, STATES
from registry.domain import codes


def test_the_states_are_the_32_of_inegi_in_its_order() -> None:
    assert tuple(state.code for state in STATES) == codes.STATES


def test_codes_names_and_letters_are_each_used_once() -> None:
    assert len(BY_CODE) == len(BY_CLUES) == len({state.name for state in STATES}) == 32


def test_the_letters_of_neighbours_in_the_list_are_not_confused() -> None:
    # Coahuila, Colima, Chiapas and Chihuahua, whose letters invite it.
    assert [BY_CODE[code].clues for code in ("05", "06", "07", "08")] == ["CL", "CM", "CS", "CH"]
    assert BY_CLUES["MN"].name == "Michoacán"


def test_the_names_are_those_that_inegi_uses(shared_data: Path) -> None:
    with (shared_data / "geo" / "mx_states_2020.csv").open(encoding="utf-8") as file:
        assert {row["cve_ent"]: row["state_name"] for row in csv.DictReader(file)} == {
            state.code: state.name for state in STATES
        }
