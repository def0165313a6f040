"""Reports: an institution submits what a source says, says it anew, or takes it back. Nothing is overwritten here."""

from uuid import UUID, uuid4

from registry.application.drafts import AmendmentDraft, NilReportDraft, ReportDraft, WithdrawalDraft
from registry.application.execution.unit import Decision, Unit, no_such_record
from registry.application.reports import contents, linking
from registry.domain.codes import ReportClass
from registry.domain.report import Report, quarter_name
from registry.domain.report_events import AttackReported, RelocationReported, ReportedEvent, ThreatReported
from registry.domain.report_rules import quarter_answered
from registry.errors import InvalidInput, RuleViolated

_EVENTS: dict[ReportClass, type[ReportedEvent]] = {
    ReportClass.THREAT: ThreatReported,
    ReportClass.ATTACK: AttackReported,
    ReportClass.RELOCATION: RelocationReported,
}


def submit(draft: ReportDraft) -> Decision:
    """One source's account of a threat, an attack, or of relocations of many."""

    async def decide(unit: Unit) -> Report:
        institution, report_id = unit.institution, uuid4()
        said = await contents.read(unit, draft, report_id)
        return unit.add(
            Report.submit(
                unit.act,
                _EVENTS[draft.class_],
                report_id=report_id,
                private=said.private,
                institution=institution,
                **said.source,
                **{name: getattr(said.claims, name) for name in said.claims.__struct_fields__},
            )
        )

    return decide


def amend(report_id: UUID, draft: AmendmentDraft) -> Decision:
    """The whole report anew. The incident that rests on it follows: its certainty may fall."""

    async def decide(unit: Unit) -> Report:
        report = await _submitted(unit, report_id)
        if draft.class_ is not report.report_class:
            raise RuleViolated(
                "amendment-keeps-class",
                f"El reporte es de clase {report.report_class}. Si la fuente dice otra cosa, retírelo y presente uno "
                "nuevo.",
                f"The report is of class {report.report_class}. If the source says something else, withdraw it and "
                "submit a new one.",
            )
        said = await contents.read(unit, draft, report_id, anew=True)
        report.amend(unit.act, reason=draft.reason, **said.source, claims=said.claims, private=said.private)
        await linking.relink(unit, report)
        return report

    return decide


def withdraw(report_id: UUID, draft: WithdrawalDraft) -> Decision:
    """The institution no longer says it. The incident that rested on it no longer does."""

    async def decide(unit: Unit) -> Report:
        report = await _submitted(unit, report_id)
        linked = report.incidents
        report.withdraw(unit.act, draft.reason)
        await linking.withdrawn(unit, report, linked)
        return report

    return decide


def nil(draft: NilReportDraft) -> Decision:
    """The institution knows of nothing in a quarter; in public it looks the same as having reported."""

    async def decide(unit: Unit) -> Report:
        closes = _quarter_end(draft.quarter)
        if closes >= unit.act.at.date().isoformat():
            raise InvalidInput(
                "quarter",
                "El trimestre no ha terminado. Responda por él cuando cierre.",
                "The quarter has not ended. Answer for it once it has closed.",
            )
        holders = await unit.store.holders([quarter_name(unit.institution, draft.quarter)])
        for answered in holders.values():
            raise quarter_answered(answered)
        return unit.add(Report.nil(unit.act, institution=unit.institution, quarter=draft.quarter))

    return decide


def withdraw_nil(report_id: UUID, draft: WithdrawalDraft) -> Decision:
    """The institution's answer for a quarter no longer stands."""

    async def decide(unit: Unit) -> Report:
        report = await _submitted(unit, report_id, nil=True)
        report.withdraw(unit.act, draft.reason)
        return report

    return decide


async def _submitted(unit: Unit, report_id: UUID, *, nil: bool = False) -> Report:
    """The report that is to be changed. NotFound, before its version is compared, where the caller may see none."""
    report = await unit.get(Report, report_id)
    if not (unit.actor.sees_all or report.institution == unit.actor.institution):
        raise no_such_record()
    if (report.quarter is not None) is not nil:
        raise no_such_record()
    return await unit.target(Report, report_id)


def _quarter_end(quarter: str) -> str:
    """The last day of ``YYYY-Qn``, as ISO text."""
    year, number = quarter.split("-Q")
    return f"{year}-{('03-31', '06-30', '09-30', '12-31')[int(number) - 1]}"
