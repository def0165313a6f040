from api import labels
from projections.counting.contribution import Reason
from projections.counting.disclosure import NexusScope
from projections.counting.query import Dimension, Unit
from registry.domain.codes import KINDS, STATES, UNKNOWN, Certainty, IncidentClass, Sex


def test_every_code_of_a_cell_has_a_label_in_both_languages() -> None:
    codes: dict[str, set[str]] = {
        "CLASS": set(IncidentClass),
        "KIND": set().union(*KINDS.values()) - {UNKNOWN},
        "YEAR": {"2020"},
        "MONTH": {f"2020-{month:02d}" for month in range(1, 13)},
        "STATE": set(STATES),
        "MUNICIPALITY": {"16012"},
        "CERTAINTY": set(Certainty),
        "SEX": {str(sex) for sex in Sex} - {UNKNOWN},
    }

    assert set(codes) == set(Dimension)
    for dimension, values in codes.items():
        for value in values:
            assert all(labels.cell(dimension, value)), (dimension, value)


def test_every_reason_unit_and_nexus_has_a_label() -> None:
    assert set(labels.EXCLUSIONS) == set(Reason)
    assert set(labels.UNITS) == set(Unit)
    assert set(labels.NEXUS) == set(NexusScope)
