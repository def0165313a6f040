from api import labels, private_labels
from projections.counting.changes import FIELDS, SEALED, WHOLE
from projections.counting.contribution import Reason
from projections.counting.disclosure import NexusScope, Status
from projections.counting.query import Dimension, Unit
from projections.counting.restricted import CODES
from registry.domain.codes import KINDS, STATES, UNKNOWN, Certainty, CorrectionReason, IncidentClass, Sex


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


def test_everything_that_a_release_may_change_and_every_reason_that_a_leaf_gives_has_a_label() -> None:
    assert {*FIELDS, WHOLE, SEALED} == set(labels.FIELDS)
    assert {reason.public for reason in CorrectionReason} == set(labels.REASONS)
    assert {*Status, Certainty.REFUTED} == set(labels.STATUSES)
    assert set(labels.DIMENSIONS) == set(Dimension)


def test_every_code_of_a_private_cell_has_a_label_in_both_languages() -> None:
    for dimension, values in CODES.items():
        for value in values:
            assert all(private_labels.cell(dimension, value)), (dimension, value)
    assert private_labels.cell("QUARTER", "2026-Q1").es == "Trimestre 1 de 2026"
    assert private_labels.cell("PROMOTION", "2026-1").es == "2026-1"
