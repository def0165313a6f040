"""Names of places: exactly one municipality resolves, everything else is for a person to choose."""

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.catalogs.municipalities import Municipalities, Municipality, Vintage
from registry.catalogs.places import Choices, Places, Resolved
from registry.catalogs.spelling import folded, likeness, trigrams
from registry.catalogs.state_names import find_state
from registry.catalogs.states import BY_CODE, STATES

OLD = {
    "10023": "Pueblo Nuevo", "11024": "Pueblo Nuevo", "10005": "Durango", "24001": "Ahualulco",
    "12001": "Acapulco de Juárez", "20208": "San Juan Mixtepec", "20209": "San Juan Mixtepec.",
    "09007": "Iztapalapa", "15033": "Ecatepec de Morelos", "16053": "Morelia", "15106": "Toluca",
}  # fmt: skip
NEW = {**OLD, "24001": "Ahualulco del Sonido 13", "02007": "San Felipe", "12083": "Ñuu Savi"}


def vintage(label: str, names: dict[str, str]) -> Vintage:
    return Vintage(label, {code: Municipality(code, name) for code, name in names.items()})


PLACES = Places(Municipalities([vintage("2025", NEW), vintage("2020", OLD)]))


@pytest.mark.parametrize(
    ("name", "state", "cvegeo"),
    [
        ("Pueblo Nuevo, Durango", None, "10023"),
        ("PUEBLO  NUEVO, dgo.", None, "10023"),
        ("Pueblo Nuevo (Gto.)", None, "11024"),
        ("Durango, Pueblo Nuevo", None, "10023"),
        ("Pueblo Nuevo", "10", "10023"),
        ("Mpio. de Toluca, Edo. Méx.", None, "15106"),
        ("Alcaldía Iztapalapa, CDMX", None, "09007"),
        ("Iztapalapa", "Distrito Federal", "09007"),
        ("Morelia", None, "16053"),
        ("Morelia, Michoacán de Ocampo", None, "16053"),
        ("Ahualulco, S.L.P.", None, "24001"),  # its name in 2020
        ("Ahualulco del Sonido 13", "San Luis Potosí", "24001"),
        ("Nuu Savi", "Guerrero", "12083"),
        ("Durango, Durango", None, "10005"),
    ],
)
def test_a_name_that_is_one_municipalitys_resolves(name: str, state: str | None, cvegeo: str) -> None:
    found = PLACES.resolve(name, state)
    assert isinstance(found, Resolved)
    assert (found.cvegeo, found.name, found.vintage) == (cvegeo, NEW[cvegeo], "2025")


@pytest.mark.parametrize(
    ("name", "state", "first", "score"),
    [
        ("Pueblo Nuevo", None, ["10023", "11024"], 1.0),
        ("San Juan Mixtepec, Oaxaca", None, ["20208", "20209"], 1.0),
        ("Durango", None, ["10005"], 1.0),  # the state, or its capital
        ("Pueblo Nuevo, Durago", None, ["10023", "11024"], 1.0),  # a misspelt state decides nothing
        ("Pueblo Nuevo, Durango", "Guanajuato", ["10023", "11024"], 1.0),  # two states contradict each other
        ("Acapulco", "Guerrero", ["12001"], 0.9),
        ("Ecatepec, Edomex", None, ["15033"], 0.9),
        ("Moreila, Mich.", None, ["16053"], 0.857),
    ],
)
def test_what_is_not_certain_comes_back_as_choices(
    name: str, state: str | None, first: list[str], score: float
) -> None:
    found = PLACES.resolve(name, state)
    assert isinstance(found, Choices)
    assert [choice.cvegeo for choice in found.items][: len(first)] == first
    assert found.items[0].score == score


@pytest.mark.parametrize("name", ["", " , ", "Wxyz", "?", "1", "Toluca, Durango"])
def test_what_is_like_nothing_has_no_choices(name: str) -> None:
    assert PLACES.resolve(name) == Choices(())


def test_only_what_there_may_have_been_on_the_day_is_found() -> None:
    day = date(2019, 6, 1)
    assert PLACES.resolve("San Felipe, BC", on=day) == Choices(())
    assert isinstance(PLACES.resolve("San Felipe, BC", on=date(2021, 6, 1)), Resolved)
    assert isinstance(PLACES.resolve("Ahualulco del Sonido 13, SLP", on=day), Resolved)


@given(st.text(max_size=60), st.none() | st.text(max_size=20))
def test_any_text_is_answered_and_resolves_only_to_a_name_that_is_written_in_it(
    name: str, state: str | None
) -> None:
    found = PLACES.resolve(name, state)
    if isinstance(found, Resolved):
        names = {folded(old[found.cvegeo]) for old in (OLD, NEW) if found.cvegeo in old}
        assert any(one in folded(name) for one in names)


@given(st.sampled_from(sorted(NEW)), st.sampled_from([str.upper, str.lower, str.title, folded]))
def test_case_and_accents_play_no_part(cvegeo: str, write: object) -> None:
    assert callable(write)
    found = PLACES.resolve(f"{write(NEW[cvegeo])}, {BY_CODE[cvegeo[:2]].name}")
    same = {
        code for code, name in NEW.items() if folded(name) == folded(NEW[cvegeo]) and code[:2] == cvegeo[:2]
    }
    if len(same) == 1:
        assert isinstance(found, Resolved)
        assert found.cvegeo == cvegeo
    else:
        assert isinstance(found, Choices)


WORDS = st.text("abcde ", max_size=12).map(lambda text: " ".join(text.split()))


@given(WORDS, WORDS)
def test_likeness_is_symmetric_one_for_the_same_only_and_never_outside_its_bounds(
    one: str, other: str
) -> None:
    found = likeness(one, other)
    assert found == pytest.approx(likeness(other, one))
    assert 0 <= found <= 1
    assert (found == 1) == (one == other)
    assert bool(trigrams(one) & trigrams(one))


def test_a_swap_of_neighbours_is_one_edit() -> None:
    assert likeness("ocosigno", "ocosingo") == 1 - 1 / 8
    assert likeness("abc", "") == 0


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.code)
def test_every_state_is_found_by_its_name_and_code(state: object) -> None:
    assert find_state(state.name) is find_state(state.code) is state  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "code"),
    [("Edo. Méx.", "15"), ("ESTADO DE MEXICO", "15"), ("CDMX", "09"), ("D.F.", "09"), ("Q. Roo", "23"), ("Mich", "16"),
     ("Coahuila de Zaragoza", "05"), ("Estado de Durango", "10"), ("VERACRUZ DE IGNACIO DE LA LLAVE", "30")],
)  # fmt: skip
def test_states_are_found_by_their_other_names(name: str, code: str) -> None:
    found = find_state(name)
    assert found is not None
    assert found.code == code


def test_every_municipality_of_the_nation_resolves_by_name_and_state_but_for_two_pairs(
    shared_data: Path,
) -> None:
    text = (shared_data / "geo" / "inegi_marco_geoestadistico_municipios.csv").read_text(encoding="utf-8-sig")
    names = {row["CVEGEO"]: row["NOMGEO"] for row in csv.DictReader(text.splitlines())}
    nation = Places(Municipalities([vintage("2025", names)]))
    unclear = []
    for code, name in names.items():
        found = nation.resolve(f"{name}, {BY_CODE[code[:2]].name}")
        if isinstance(found, Resolved):
            assert found.cvegeo == code
        else:
            unclear.append(code)
    assert unclear == ["20208", "20209", "20318", "20319"]
