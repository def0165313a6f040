import csv
import gzip
from pathlib import Path

import pytest

from registry.catalogs.clues import check, check_digit
from registry.errors import InvalidInput


def test_a_real_code_is_accepted_with_its_municipality() -> None:
    assert check("BCIMB000010", "02001").warnings == ()
    assert check("BCIMB000010").institution == "IMB"
    assert check_digit("BCIMB000022") == 2


@pytest.mark.parametrize(
    "code",
    [
        "",
        "BCIMB00001",
        "BCIMB0000100",
        "bcimb000010",
        "BCIM0000010",
        "BCIMB00001O",
        "BCIMB000010\n",
        "ÁCIMB000010",
    ],
)
def test_another_form_is_refused(code: str) -> None:
    with pytest.raises(InvalidInput, match="five capital letters") as refused:
        check(code, field="sites[3].clues")
    assert refused.value.field == "sites[3].clues"


@pytest.mark.parametrize("code", ["BCIMB000011", "BCIMB000100", "CBIMB000012"])
def test_a_code_of_imss_bienestar_with_swapped_characters_is_refused(code: str) -> None:
    with pytest.raises(InvalidInput):
        check(code)


def test_a_code_of_imss_bienestar_in_another_state_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"in Sonora .* letters of Baja California"):
        check("BCIMB000010", "26001")


def test_codes_of_other_institutions_are_accepted_with_a_warning() -> None:
    (digit,) = check("BCSSA000019", "02001").warnings
    assert "último dígito" in digit.es
    (state,) = check("BCSSA000015", "26001").warnings
    assert "Sonora" in state.en
    (letters,) = check(f"XXSSA00001{check_digit('XXSSA00001')}").warnings
    assert "no state" in letters.en


def test_no_message_repeats_what_was_sent() -> None:
    with pytest.raises(InvalidInput) as refused:
        check("GODE561231HDFRRN09")
    assert "GODE" not in str(refused.value)


def test_all_real_codes_of_imss_bienestar_are_accepted(shared_data: Path) -> None:
    path = shared_data / "sites" / "clues_imss_bienestar_2026.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    refused = []
    for row in rows:
        try:
            check(row["clues_imb"], row["cve_geo"])
        except InvalidInput as error:
            refused.append((row["clues_imb"], row["cve_geo"], error.text.en))
    assert len(rows) == 10_573
    assert refused == []
