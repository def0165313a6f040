"""The server's figures and certificates against its own leaves, number by number."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from projections.counting.certificate import certify
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.counting.fold import fold
from projections.counting.query import CountQuery, ask
from projections.verification.errors import DataUnavailable, VerificationFailed
from projections.verification.sources import Site
from projections.verification.verifier import Options, Verdict, verify_log
from registry.log.certificate import CountCertificate
from registry.log.merkle import leaf_hash, root
from registry.log.note import Signer
from tests.unit.verification.synthetic import (
    COUNT_KEY,
    GIVEN,
    KEY,
    ORIGIN,
    URL,
    Json,
    Told,
    files,
    honest,
    server,
    small_log,
)

LOG = small_log()
Answer = Callable[[Json], Json]


def check(answer: Answer | None, options: Options = GIVEN, leaves: list[bytes] = LOG.leaves) -> Told:
    told = Told()
    with Site(URL, transport=server(files(leaves), answer)) as site:
        assert verify_log(site, options, told, site.ask) is Verdict.VERIFIED
    return told


def failure(answer: Answer | None, options: Options = GIVEN) -> str:
    with pytest.raises(VerificationFailed) as caught:
        check(answer, options)
    return caught.value.text.en


def lying(change: Callable[[Json, Json], None]) -> Answer:
    """A server that changes its honest answers; ``change`` gets the request's variables and the answer's data."""
    tell = honest(LOG.leaves)

    def answer(request: Json) -> Json:
        told = tell(request)
        change(request["variables"], told["data"])
        return told

    return answer


def test_an_honest_server_agrees_in_every_number() -> None:
    told = check(honest(LOG.leaves))
    # 12 figures of three numbers, and the rows: 1 class, 2 years, 2 states (one undisclosed), in both nexus.
    assert f"{3 * 12 + 2 * 3 * (1 + 2 + 2)} numbers agree" in told.steps[-1].en


@pytest.mark.parametrize("unit", ["INCIDENTS", "VICTIMISATIONS", "DEATHS"])
@pytest.mark.parametrize("nexus", ["STRICT", "BROAD"])
@pytest.mark.parametrize("part", ["low", "best", "high"])
def test_a_changed_number_is_named(unit: str, nexus: str, part: str) -> None:
    def change(variables: Json, data: Json) -> None:
        if (variables["unit"], variables["nexus"]) == (unit, nexus) and "count" in data:
            data["count"][part] += 1

    message = failure(lying(change))
    assert f"{unit} {nexus}: the server says" in message
    assert message.count("the server says") == 1


@pytest.mark.parametrize("dimension", ["CLASS", "YEAR", "STATE"])
def test_a_changed_row_is_named(dimension: str) -> None:
    def change(variables: Json, data: Json) -> None:
        if variables.get("groupBy") == [dimension] and variables["nexus"] == "STRICT":
            data["counts"]["rows"][0]["best"] += 1

    message = failure(lying(change))
    assert f"INCIDENTS STRICT {dimension}: {dimension} " in message


def test_a_row_left_out_or_invented_is_named() -> None:
    def leave_out(variables: Json, data: Json) -> None:
        if variables.get("groupBy") == ["YEAR"]:
            data["counts"]["rows"].pop()

    def invent(variables: Json, data: Json) -> None:
        if variables.get("groupBy") == ["YEAR"]:
            cell = {"dimension": "YEAR", "state": "KNOWN", "value": "1999"}
            data["counts"]["rows"].append({"key": [cell], "low": 0, "best": 0, "high": 1})

    assert "YEAR 2021: the server says 0/0/0; the leaves give 1/1/1" in failure(lying(leave_out))
    assert "YEAR 1999: the server says 0/0/1; the leaves give 0/0/0" in failure(lying(invent))


def test_a_repeated_row_is_caught() -> None:
    def change(variables: Json, data: Json) -> None:
        if "counts" in data:
            data["counts"]["rows"].append(data["counts"]["rows"][0])

    assert "repeats a row" in failure(lying(change))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("excluded", [{"reason": "RUMOUR", "incidents": 1}], "excluded as RUMOUR: the server says 1"),
        ("definition", {"id": "national-count/1", "sha256": "0" * 64}, "says that it counts by"),
        ("asOf", {"size": 1, "root": ""}, "is not the signed checkpoint"),
        ("certificate", "", "The certificate is not valid"),
    ],
)
def test_what_a_number_comes_with_is_compared_too(field: str, value: object, message: str) -> None:
    def change(variables: Json, data: Json) -> None:
        if "count" in data:
            data["count"][field] = value

    assert message in failure(lying(change))


def test_a_certificate_by_another_key_is_caught() -> None:
    stranger = Signer.generate(COUNT_KEY.name)
    tree, folded = root(map(leaf_hash, LOG.leaves)), fold(LOG.leaves)

    def change(variables: Json, data: Json) -> None:
        if "count" in data:
            query = ask(variables["unit"], nexus=variables["nexus"])
            note = certify([stranger], ORIGIN, query, folded.count(query), len(LOG.leaves), tree)
            data["count"]["certificate"] = note

    assert "carries no signature by any of this log's keys" in failure(lying(change))


def test_a_certificate_for_another_question_is_caught() -> None:
    note = honest(LOG.leaves)({"query": "", "variables": {"unit": "DEATHS", "nexus": "BROAD"}})

    def change(variables: Json, data: Json) -> None:
        if "count" in data:
            data["count"]["certificate"] = note["data"]["count"]["certificate"]

    assert "answers another question" in failure(lying(change))


def test_many_differences_are_cut_short() -> None:
    def change(variables: Json, data: Json) -> None:
        for figure in data.values():
            figure.get("total", figure)["low"] += 1
            figure.get("total", figure)["excluded"] = [{"reason": "MERGED", "incidents": 2}]

    assert "and 4 more differences" in failure(lying(change))


def test_a_server_that_is_catching_up_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.verification.comparison.PATIENCE", (0.0, 0.0))
    tell = honest(LOG.leaves)
    busy = [{"message": "…", "extensions": {"code": "CATCHING_UP"}}]
    answers: list[Json] = [{"data": None, "errors": busy}, {"data": None, "errors": busy}]
    check(lambda request: answers.pop() if answers else tell(request))
    with pytest.raises(DataUnavailable, match="could not be compared"):
        check(lambda request: {"data": None, "errors": busy})


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": None},
        {"data": {"count": None}},
        {"data": {"count": {"low": "1"}}},
        {"errors": [{"message": "NOT_A_CHECKPOINT"}]},
        {"errors": "x"},
    ],
)
def test_an_answer_without_the_figure_proves_nothing_either_way(answer: Json) -> None:
    with pytest.raises(DataUnavailable):
        check(lambda request: answer)


def test_without_graphql_the_figures_are_unavailable() -> None:
    with pytest.raises(DataUnavailable, match="no published figures to compare"):
        check(None)


def test_an_unreachable_network_is_unavailable_data_after_three_attempts() -> None:
    attempts: list[str] = []
    pauses: list[float] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        attempts.append(request.url.path)
        raise httpx.ConnectError("no route")

    with (
        Site(URL, transport=httpx.MockTransport(refuse), pause=pauses.append) as site,
        pytest.raises(DataUnavailable, match="nothing has been proved"),
    ):
        verify_log(site, GIVEN, Told(), site.ask)
    assert attempts == ["/log/checkpoint"] * 3
    assert len(pauses) == 2


def test_a_count_key_shown_by_the_server_is_used_and_said_to_be() -> None:
    told = check(honest(LOG.leaves), Options(vkeys=(KEY.verifier.vkey(),)))
    assert "the one that the server shows" in told.remarks[-1].en


def certified(size: int, query: CountQuery, /, **changes: Any) -> str:
    """A certificate as of ``size``, true unless something is changed."""
    leaves = LOG.leaves[:size]
    fields = {
        "origin": ORIGIN,
        "definition": DEFINITION_ID,
        "sha256": definition_sha256(),
        "query": query.canonical(),
        "result": fold(leaves).count(query).canonical(),
        "size": size,
        "root": root(map(leaf_hash, leaves)),
        **changes,
    }
    return CountCertificate(**fields).sign(COUNT_KEY)


@pytest.mark.parametrize("size", [8, len(LOG.leaves)])
def test_a_true_certificate_of_any_earlier_size_agrees(size: int) -> None:
    note = certified(size, ask(states=["16"], group_by=["KIND"]))
    told = check(honest(LOG.leaves), Options(vkeys=GIVEN.vkeys, certificate=note))
    assert f"what the first {size} leaves give" in told.steps[-1].en


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"result": {"low": 9}}, 'the certificate says {"low":9}; the leaves give'),
        ({"root": bytes(32)}, "refers to size 8 with root AAAA"),
        ({"size": 9}, "refers to size 9"),
        ({"size": 99}, "the log shows only 12"),
        ({"query": {"unit": "PERSONS"}}, "question is not valid"),
        ({"sha256": "0" * 64}, "this program holds"),
    ],
)
def test_a_certificate_that_is_not_true_is_caught(changes: Json, message: str) -> None:
    note = certified(8, ask(), **changes)
    assert message in failure(honest(LOG.leaves), Options(vkeys=GIVEN.vkeys, certificate=note))


def test_a_certificate_signed_by_nobody_we_know_is_caught() -> None:
    certificate = CountCertificate.open(certified(8, ask()), COUNT_KEY.verifier)
    stranger = certificate.sign(Signer.generate(COUNT_KEY.name))
    assert "no signature" in failure(honest(LOG.leaves), Options(vkeys=GIVEN.vkeys, certificate=stranger))
