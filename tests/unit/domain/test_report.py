"""The rules by which a report changes, without any database: who may, when, and what a refusal says."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from registry.domain.claims import When, Where
from registry.domain.codes import (
    CorrectionReason,
    DatePrecision,
    Directness,
    PlacePrecision,
    RelocationAction,
    SourceType,
    TriageDecision,
)
from registry.domain.event import Act, By
from registry.domain.report import Report
from registry.domain.report_events import AttackReported, OccurrenceClaims, RelocationReported
from registry.errors import RuleViolated

SUBMITTER, REVIEWER, OTHER_REVIEWER = (UUID(int=number, version=4) for number in (1, 2, 3))
INCIDENT, OTHER_INCIDENT = UUID(int=40, version=4), UUID(int=41, version=4)
DAY = When(earliest=date(2026, 1, 5), latest=date(2026, 1, 5), precision=DatePrecision.DAY)
PLACE = Where(state="16", cvegeo="16012", precision=PlacePrecision.MUNICIPALITY)


def by(institution: UUID | None) -> Act:
    return Act(By(institution=institution, key=None), datetime(2026, 2, 1, tzinfo=UTC))


def claims(**changes: Any) -> OccurrenceClaims:
    fields: dict[str, Any] = {
        "when": DAY,
        "where": PLACE,
        "kind": "ROBBERY",
        "means": (),
        "perpetrator": None,
        "victims": (),
        "digests": (),
        "urls": (),
    }
    return OccurrenceClaims(**(fields | changes))


def amend(report: Report, act: Act, **changes: Any) -> None:
    report.amend(
        act,
        reason=CorrectionReason.NEW_EVIDENCE,
        source_type=SourceType.UNIVERSITY,
        directness=Directness.DIRECT,
        source=None,
        derived_from=None,
        claims=claims(**changes),
        private={},
    )


def attach(report: Report, act: Act) -> None:
    report.attach_evidence(
        act,
        evidence=uuid4(),
        algorithm="SHA-256",
        digest="00",
        size=3,
        media_type="application/pdf",
        digests=("d",),
        urls=(),
        words={"source_url": "https://example.org/nota"},
    )


@pytest.fixture
def report() -> Report:
    return Report.submit(
        by(SUBMITTER),
        AttackReported,
        report_id=uuid4(),
        private={},
        institution=SUBMITTER,
        source_type=SourceType.UNIVERSITY,
        directness=Directness.DIRECT,
        source=None,
        derived_from=None,
        **{name: getattr(claims(), name) for name in OccurrenceClaims.__struct_fields__},
    )


def refused(rule: str, command: Callable[..., None], *arguments: Any, **named: Any) -> RuleViolated:
    with pytest.raises(RuleViolated) as caught:
        command(*arguments, **named)
    assert caught.value.rule == rule
    assert caught.value.text.es != caught.value.text.en
    return caught.value


def link(report: Report, incident: UUID = INCIDENT) -> None:
    report.link(by(REVIEWER), incident)


def test_an_amendment_says_all_anew_and_keeps_what_was_said(report: Report) -> None:
    amend(report, by(SUBMITTER), kind="ABDUCTION", when=None)
    amend(report, by(SUBMITTER), kind="ABDUCTION", when=None)
    assert isinstance(report.report, AttackReported)
    assert (report.report.kind, report.report.when, report.report.where) == ("ABDUCTION", None, PLACE)
    first, second = report.amendments
    assert first.old["kind"] == "ROBBERY"
    assert first.old["when"]["latest"] == "2026-01-05"
    assert set(first.old) == {"kind", "when"}
    assert second.old == {}


@pytest.mark.parametrize("institution", [REVIEWER, None], ids=["another institution", "the operator"])
def test_only_its_institution_amends_or_withdraws_it(report: Report, institution: UUID | None) -> None:
    rule = "report-belongs-to-its-institution"
    refused(rule, amend, report, by(institution))
    refused(rule, report.withdraw, by(institution), CorrectionReason.DATA_ENTRY)


def test_what_was_withdrawn_changes_no_more_and_is_linked_to_nothing(report: Report) -> None:
    link(report)
    report.withdraw(by(SUBMITTER), CorrectionReason.SOURCE_WITHDRAWN)
    assert (report.incidents, report.waiting) == (frozenset(), False)
    for command in (
        lambda: amend(report, by(SUBMITTER)),
        lambda: report.withdraw(by(SUBMITTER), CorrectionReason.DATA_ENTRY),
        lambda: link(report),
        lambda: report.set_aside(by(REVIEWER), TriageDecision.OUT_OF_SCOPE),
        lambda: report.reject_match(by(REVIEWER), INCIDENT),
        lambda: attach(report, by(SUBMITTER)),
    ):
        refused("report-withdrawn", command)


def test_whoever_submitted_it_does_not_triage_it(report: Report) -> None:
    for institution, rule in ((SUBMITTER, "submitter-is-not-verifier"), (None, "verifier-needs-institution")):
        act = by(institution)
        refused(rule, report.link, act, INCIDENT)
        refused(rule, report.set_aside, act, TriageDecision.PENDING_INFO)
        refused(rule, report.reject_match, act, INCIDENT)


def test_a_report_waits_until_triaged_and_again_when_a_link_is_taken_back(report: Report) -> None:
    seen = [report.waiting]
    report.set_aside(by(REVIEWER), TriageDecision.PENDING_INFO)
    seen.append(report.waiting)
    link(report)
    seen.append(report.waiting)
    report.unlink(by(REVIEWER), INCIDENT)
    seen.append(report.waiting)
    report.set_aside(by(REVIEWER), TriageDecision.OUT_OF_SCOPE)
    seen.append(report.waiting)
    amend(report, by(SUBMITTER), kind="ABDUCTION")
    seen.append(report.waiting)
    assert seen == [True, True, False, True, False, True]


def test_a_report_is_linked_to_one_incident_at_a_time(report: Report) -> None:
    link(report)
    refused("report-already-linked", link, report)
    elsewhere = refused("report-linked-elsewhere", link, report, OTHER_INCIDENT)
    assert str(INCIDENT) in elsewhere.text.en
    refused("report-not-linked", report.unlink, by(REVIEWER), OTHER_INCIDENT)
    refused("report-still-linked", report.set_aside, by(REVIEWER), TriageDecision.OUT_OF_SCOPE)
    refused("report-still-linked", report.reject_match, by(REVIEWER), INCIDENT)
    report.unlink(by(REVIEWER), INCIDENT)
    link(report, OTHER_INCIDENT)
    assert report.incidents == {OTHER_INCIDENT}


def test_out_of_scope_stands_until_triaged_anew(report: Report) -> None:
    report.set_aside(by(REVIEWER), TriageDecision.OUT_OF_SCOPE)
    refused("report-out-of-scope", link, report)
    report.set_aside(by(REVIEWER), TriageDecision.PENDING_INFO)
    link(report)


def test_not_the_same_is_respected_until_another_institution_reconsiders(report: Report) -> None:
    report.reject_match(by(REVIEWER), INCIDENT)
    for institution in (REVIEWER, OTHER_REVIEWER):
        said = refused("match-rejected", report.link, by(institution), INCIDENT)
        assert str(REVIEWER) in said.text.en
    refused("match-rejected", report.reject_match, by(OTHER_REVIEWER), INCIDENT)

    def reconsider(institution: UUID, incident: UUID = INCIDENT) -> None:
        report.set_aside(by(institution), TriageDecision.PENDING_INFO, reconsidered=incident)

    refused("match-rejected-by-yourself", lambda: reconsider(REVIEWER))
    refused("report-not-linked", lambda: reconsider(OTHER_REVIEWER, OTHER_INCIDENT))
    link(report, OTHER_INCIDENT)
    report.unlink(by(REVIEWER), OTHER_INCIDENT)
    reconsider(OTHER_REVIEWER)
    assert report.rejected == frozenset()
    link(report)


def test_nil_reports_and_relocations_of_many_are_part_of_no_incident() -> None:
    nil = Report.nil(by(SUBMITTER), institution=SUBMITTER, quarter="2025-Q4")
    relocation = Report.submit(
        by(SUBMITTER),
        RelocationReported,
        report_id=uuid4(),
        private={},
        institution=SUBMITTER,
        source_type=SourceType.PRESS,
        directness=Directness.INDIRECT,
        source=None,
        derived_from=None,
        action=RelocationAction.CLOSED,
        unit=None,
        count=None,
        when=None,
        where=(),
        trigger_incident=None,
    )
    for report in (nil, relocation):
        assert not report.waiting
        refused("nothing-to-triage", link, report)
        refused("report-belongs-to-its-institution", amend, report, by(REVIEWER))
        report.withdraw(by(SUBMITTER), CorrectionReason.DATA_ENTRY)
        assert report.withdrawn is CorrectionReason.DATA_ENTRY


def test_a_file_is_sealed_evidence_and_says_nothing_readable_of_itself(
    report: Report,
) -> None:
    amend(report, by(SUBMITTER), urls=("u",))
    before = report.sealed_evidence
    attach(report, by(SUBMITTER))
    (described,) = report.pending[-1].private[report.subject].values()
    assert described == {"algorithm": "SHA-256", "digest": "00", "source_url": "https://example.org/nota"}
    assert (before, report.sealed_evidence) == (False, True)


def test_a_digest_that_is_claimed_is_sealed_evidence(report: Report) -> None:
    amend(report, by(SUBMITTER), digests=("d",))
    assert report.sealed_evidence
