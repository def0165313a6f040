"""The register's announcements must be true of its own log."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from projections.counting.definition import DEFINITION_ID
from projections.verification.errors import VerificationFailed
from projections.verification.recount import check_definition
from tests.unit.verification.synthetic import POLICY, POLICY_SHA256, Json, SyntheticLog, incident
from tests.unit.verification.test_openings import failure, read

ANOTHER = "0" * 64


@pytest.fixture
def log() -> SyntheticLog:
    """Definition and policy adopted, one incident disclosed, in leaf 2."""
    log = SyntheticLog()
    log.adopt()
    log.disclose(incident())
    return log


def setting(**fields: object) -> Callable[[Json], None]:
    return lambda public: public.update(fields)


@pytest.mark.parametrize("disclosed", [0, 2, True, "1", None])
def test_a_release_that_miscounts_its_disclosures_is_caught(log: SyntheticLog, disclosed: object) -> None:
    log.release(setting(disclosed=disclosed))
    message = failure(log)
    assert message.startswith("Leaf 3 (release.published)")
    assert "the log has 1 since the previous release" in message


@pytest.mark.parametrize("field", ["definition", "policy"])
def test_a_release_under_another_definition_or_policy_is_caught(log: SyntheticLog, field: str) -> None:
    log.release(setting(**{field: ANOTHER}))
    assert f"its {field} is not the one last adopted" in failure(log)


@pytest.mark.parametrize("answer", ["YES", None])
def test_an_answer_that_is_no_answer_is_caught(log: SyntheticLog, answer: object) -> None:
    log.release(setting(answers=[{"institution": incident(7), "quarter": "2026-Q3", "answer": answer}]))
    assert "ANSWERED or NOT_ANSWERED" in failure(log)


def test_an_institution_cannot_answer_twice_for_a_quarter(log: SyntheticLog) -> None:
    both = [
        {"institution": incident(7), "quarter": "2026-Q3", "answer": answer}
        for answer in ("ANSWERED", "NOT_ANSWERED")
    ]
    log.release(setting(answers=both))
    assert "exactly once" in failure(log)


@pytest.mark.parametrize("fields", [{"answers": None}, {"tables": None}, {"release": "x"}, {"note": "more"}])
def test_a_release_has_its_form_and_nothing_else(log: SyntheticLog, fields: Json) -> None:
    log.release(setting(**fields))
    assert "Leaf 3 (release.published)" in failure(log)


def test_a_release_id_is_used_once(log: SyntheticLog) -> None:
    log.release(setting(release=incident(9)))
    log.release(setting(release=incident(9)))
    assert "repeats the id" in failure(log)


def test_an_event_id_is_used_once(log: SyntheticLog) -> None:
    again = UUID(incident(9))
    for _ in range(2):
        log.open(
            "institution.renamed", {"institution": str(uuid4()), "name": "Universidad de Ejemplo"}, again
        )
    assert "Leaf 4 (institution.renamed): repeats the id" in failure(log)


def test_an_incident_disclosed_twice_in_one_release_is_caught(log: SyntheticLog) -> None:
    log.disclose(incident())
    assert "a second time in the same release" in failure(log)


def test_incidents_out_of_the_order_of_their_ids_are_caught() -> None:
    """Else the order could tell which was reported first."""
    log = SyntheticLog()
    log.adopt()
    log.disclose(incident(2))
    log.disclose(incident(1))
    assert f"Leaf 3 (incident.disclosed): discloses incident {incident(1)} after" in failure(log)


def test_nothing_is_disclosed_before_definition_and_policy_are_adopted() -> None:
    log = SyntheticLog()
    log.disclose(incident())
    assert "before a definition and a policy were adopted" in failure(log)


def test_a_policy_that_is_not_the_one_announced_is_caught() -> None:
    log = SyntheticLog()
    log.open("policy.adopted", {"id": "disclosure-policy/1", "sha256": POLICY_SHA256, "policy": {"k": 1}})
    assert f"announces policy {POLICY_SHA256}" in failure(log)


@pytest.mark.parametrize(
    "public",
    [
        {"id": DEFINITION_ID},
        {"id": DEFINITION_ID, "sha256": "ABC"},
        {"id": DEFINITION_ID, "sha256": None},
        {"id": DEFINITION_ID, "sha256": ANOTHER, "policy": POLICY},
    ],
)
def test_an_adoption_that_is_malformed_is_caught(public: Json) -> None:
    log = SyntheticLog()
    log.open("definition.adopted", public)
    assert "Leaf 0 (definition.adopted)" in failure(log)


def test_a_log_under_another_definition_is_intact_but_cannot_be_recounted() -> None:
    log = SyntheticLog()
    log.open("definition.adopted", {"id": "national-count/2", "sha256": ANOTHER})
    with pytest.raises(VerificationFailed, match=r"intact, but it cannot be recounted"):
        check_definition(read(log))


def test_disclosures_of_a_release_under_way_are_pending(log: SyntheticLog) -> None:
    assert read(log).releases.pending == [incident()]
