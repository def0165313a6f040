"""What a sealed facet promises is held to, leaf by leaf; the message names leaf, incident and facet."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from projections.verification.errors import VerificationFailed
from projections.verification.recount import Recount
from registry.log.lines import write_base64
from registry.privacy.sealing import commitment, new_key
from tests.unit.verification.synthetic import FIRST_RUNG, Json, SyntheticLog, incident, small_log

STATE_TOO = (*FIRST_RUNG, "state")


def read(log: SyntheticLog) -> Recount:
    result = Recount()
    for index, leaf in enumerate(log.leaves):
        result.add(index, leaf)
    return result


def failure(log: SyntheticLog) -> str:
    with pytest.raises(VerificationFailed) as caught:
        read(log)
    return caught.value.text.en


@pytest.fixture
def log() -> SyntheticLog:
    """One incident, disclosed in its own release as far as its year, in leaf 2."""
    log = SyntheticLog()
    log.adopt()
    log.disclose(incident())
    log.release()
    return log


def spoil(name: str, **fields: Any) -> Callable[[Json], None]:
    """Replaces parts of one facet."""

    def change(public: Json) -> None:
        public["facets"][name] = {**public["facets"][name], **fields}

    return change


def replace(name: str, facet: Json) -> Callable[[Json], None]:
    """Replaces one facet whole."""

    def change(public: Json) -> None:
        public["facets"][name] = facet

    return change


def test_openings_and_seals_are_counted() -> None:
    openings = read(small_log()).openings
    assert openings.incidents == 3
    assert openings.opened == 2
    assert openings.sealed == 3 + 5 + 4


def test_an_opened_value_other_than_the_sealed_one_is_caught(log: SyntheticLog) -> None:
    log.disclose(incident(), STATE_TOO, spoil("state", value="09"))
    message = failure(log)
    assert message.startswith(f"Leaf 4, incident {incident()}, facet “state”")
    assert "do not give the commitment" in message


def test_another_key_is_caught(log: SyntheticLog) -> None:
    log.disclose(incident(), STATE_TOO, spoil("state", key=write_base64(new_key())))
    assert "do not give the commitment" in failure(log)


@pytest.mark.parametrize("key", ["", "not base64", write_base64(bytes(31)), write_base64(bytes(33))])
def test_a_key_of_another_length_is_caught(log: SyntheticLog, key: str) -> None:
    """HMAC pads short keys, so two of them could open one commitment."""
    log.disclose(incident(), STATE_TOO, spoil("state", key=key))
    assert "facet “state”" in failure(log)


def test_an_opening_that_names_another_leaf_is_caught(log: SyntheticLog) -> None:
    log.disclose(incident(), STATE_TOO, spoil("state", sealed_in=str(uuid4())))
    assert "but it was sealed in event" in failure(log)


def test_a_sealed_facet_that_appears_open_without_its_key_is_caught(log: SyntheticLog) -> None:
    log.disclose(incident(), STATE_TOO, replace("state", {"value": "16"}))
    assert "appears open without its key" in failure(log)


def test_not_even_a_correction_opens_without_a_key(log: SyntheticLog) -> None:
    log.disclose(incident(), change=replace("state", {"value": "16"}), reseal=True)
    assert "appears open without its key" in failure(log)


def test_a_key_for_what_was_never_sealed_is_caught(log: SyntheticLog) -> None:
    log.disclose(
        incident(),
        change=spoil("year", key=write_base64(new_key()), sealed_in=str(uuid4())),
    )
    assert "did not have it sealed" in failure(log)


def test_a_commitment_that_is_not_repeated_as_it_was_is_caught(log: SyntheticLog) -> None:
    log.disclose(incident(), change=spoil("month", sealed=write_base64(new_key())))
    assert "this commitment does not stand there" in failure(log)


def test_a_repeated_commitment_under_another_leaf_is_caught(log: SyntheticLog) -> None:
    log.disclose(incident(), change=spoil("month", sealed_in=str(uuid4())))
    assert "this commitment does not stand there" in failure(log)


def test_a_first_leaf_cannot_repeat_a_seal(log: SyntheticLog) -> None:
    log.disclose(incident(2), change=spoil("month", sealed_in=str(uuid4())))
    assert f"incident {incident(2)}, facet “month”" in failure(log)


def test_sealing_a_second_time_without_a_reason_is_caught(log: SyntheticLog) -> None:
    log.disclose(incident(), change=replace("month", {"sealed": write_base64(new_key())}))
    assert "was sealed a second time and the leaf gives no reason" in failure(log)


def test_closing_an_open_facet_without_a_reason_is_caught(log: SyntheticLog) -> None:
    log.disclose(incident(), change=replace("year", {"sealed": write_base64(new_key())}))
    assert "was open and appears sealed" in failure(log)


def test_an_open_value_that_changes_without_a_reason_is_caught(log: SyntheticLog) -> None:
    log.disclose(incident(), year="2021")
    assert "facet “year”: its public value changed and the leaf gives no reason" in failure(log)


def test_a_class_that_changes_without_a_reason_is_caught(log: SyntheticLog) -> None:
    log.disclose(incident(), change=lambda public: public.update({"class": "THREAT"}))
    assert "facet “class”: changed from ATTACK to THREAT" in failure(log)


def test_a_correction_may_change_close_and_seal_anew(log: SyntheticLog) -> None:
    log.disclose(incident(), STATE_TOO)
    log.release()
    log.disclose(incident(), reseal=True, year="2021", state="09", municipality="09012", month="2021-04")
    log.release()
    log.disclose(incident(), STATE_TOO, year="2021", state="09", municipality="09012", month="2021-04")
    assert read(log).openings.opened == 2


def test_a_correction_that_keeps_one_seal_while_it_renews_another_is_caught(log: SyntheticLog) -> None:
    """Else the commitments would tell which of the sealed facets was corrected."""
    month = dict(log.sealed[incident(), "month"])
    log.disclose(
        incident(),
        change=replace("month", {"sealed": month["commitment"], "sealed_in": month["event"]}),
        reseal=True,
    )
    assert "facet “month”: keeps its commitment while" in failure(log)


def test_a_correction_that_repeats_the_old_commitment_as_new_is_caught(log: SyntheticLog) -> None:
    month = dict(log.sealed[incident(), "month"])
    log.disclose(incident(), change=replace("month", {"sealed": month["commitment"]}), reseal=True)
    assert "claims to be sealed anew but repeats the earlier commitment" in failure(log)


def test_a_commitment_of_one_facet_does_not_open_another(log: SyntheticLog) -> None:
    """The event id and the facet's name are part of what is committed to."""
    seal = log.sealed[incident(), "state"]
    key = new_key()
    seal["key"] = write_base64(key)
    assert commitment(key, UUID(seal["event"]), "kind", "16") != commitment(
        key, UUID(seal["event"]), "state", "16"
    )
    log.disclose(incident(), STATE_TOO)
    assert "facet “state”" in failure(log)


@pytest.mark.parametrize("name", ["tally", "sex"])
def test_every_facet_must_be_present(log: SyntheticLog, name: str) -> None:
    log.disclose(incident(), change=lambda public: public["facets"].pop(name))
    assert "facets" in failure(log)
