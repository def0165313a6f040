"""The plan: everything that is written to the invented register over three years, in order. Pure and repeatable.

The same beginning gives the same plan; only the ids are the register's own. A case is reported in the month after
it happened and judged in the next one; what would come after the end of the plan is left out, so that the newest
cases still wait.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from enum import IntEnum
from itertools import chain
from random import Random
from typing import Final, NamedTuple

from api.demo.accounts import Account
from api.demo.case import Case
from api.demo.cases import cases
from api.demo.places import MINISTRY, Clinic, Placement, clinics, institutions, placements, universities
from api.demo.plan import MONTHS, OPERATOR, Batch, Release, Step, Write, moment, month, month_of, without_ids
from registry.application import assignments, reports
from registry.application.drafts import (
    AssignmentDraft,
    EndDraft,
    NilReportDraft,
    RelocationDraft,
    ReportDraft,
)
from registry.application.places import institutions as registering
from registry.application.places import sites
from registry.domain.codes import (
    AssignmentEnd,
    IncidentClass,
    Outcome,
    RelocationAction,
    RelocationReason,
    RelocationUnit,
    ReportClass,
    SourceType,
)

SEED: Final = 20_201_122
"""Any number would do; another one is another register."""


class Slot(IntEnum):
    """When in a month something is written: the day."""

    ANSWERS = 1
    INSTITUTIONS = 2
    SITES = 3
    ASSIGNMENTS = 5
    CHANGES = 8
    REPORTS = 12
    REPEATED = 15
    OPENINGS = 18
    REVIEWS = 22
    TURNS = 25


class Planned(NamedTuple):
    """A write, the month of the plan in which it comes, and when in it."""

    month: int
    slot: Slot
    write: Write


def script(begin: date) -> list[Step]:
    """The whole plan. Its first step registers the institutions; its last lies after the last release."""
    chance = Random(SEED)  # noqa: S311 - invented data is nobody's secret
    found = clinics(chance)
    students = placements(begin, found, chance)
    happened = cases(begin, students, chance)
    return _ordered(
        begin,
        chain(
            _institutions(),
            _sites(found),
            _years_of_service(begin, students, happened, found),
            _accounts(begin, happened),
            _relocations(begin, happened, found),
            _statements(begin, happened),
            _nil_reports(begin, happened, chance),
        ),
    )


def _ordered(begin: date, planned: Iterable[Planned]) -> list[Step]:
    batches: dict[tuple[int, Slot], list[Write]] = defaultdict(list)
    for one in planned:
        if one.month < MONTHS or (one.month, one.slot) == (MONTHS, Slot.ANSWERS):
            batches[one.month, one.slot].append(one.write)
    # Everything of the last month, release included, lies in the first hour of the quarter that follows the plan.
    steps: list[Step] = [
        Batch(
            moment(begin, number, slot, *((0, 20) if slot is Slot.ANSWERS else (12, 0))),
            tuple(writes),
        )
        for (number, slot), writes in batches.items()
    ]
    steps += [Release(moment(begin, number, 1, 0, 10)) for number in range(3, MONTHS + 1, 3)]
    return sorted(steps, key=lambda step: step.at)


def _institutions() -> Iterator[Planned]:
    for name, draft in institutions():
        yield Planned(0, Slot.INSTITUTIONS, Write(name, OPERATOR, without_ids(registering.register(draft))))


def _sites(found: list[Clinic]) -> Iterator[Planned]:
    for clinic in found:
        yield Planned(0, Slot.SITES, Write(clinic.name, OPERATOR, without_ids(sites.register(clinic.draft))))


def _years_of_service(
    begin: date, students: list[Placement], happened: list[Case], found: list[Clinic]
) -> Iterator[Planned]:
    """Assignments with their ends. Who is part of no case may also move, or resign, for reasons of their own."""
    involved = {
        harmed.placement.name: (case, harmed)
        for case in happened
        for harmed in case.victims
        if harmed.placement is not None
    }
    for number, student in enumerate(students):
        yield Planned(max(0, month_of(begin, student.starts)), Slot.ASSIGNMENTS, _assignment(student))
        reason, on = AssignmentEnd.COMPLETED, student.ends
        if student.name in involved:
            case, harmed = involved[student.name]
            if harmed.outcome is Outcome.KILLED:
                reason, on = AssignmentEnd.DEATH, case.day
        elif number % 23 == 0:
            reason, on = AssignmentEnd.RESIGNED, student.starts + timedelta(days=150)
        elif number % 29 == 0:
            effective = student.starts + timedelta(days=120)
            to = found[(found.index(student.clinic) + 1) % len(found)]
            move = _move(student, to, effective, RelocationReason.PERSONAL)
            yield Planned(max(0, month_of(begin, effective) + 1), Slot.CHANGES, move)
        # Recorded in the month after, behind a move in the same month.
        yield Planned(max(0, month_of(begin, on) + 1), Slot.TURNS, _end(student, reason, on))


def _assignment(student: Placement) -> Write:
    return Write(
        student.name,
        student.university,
        lambda ids: assignments.register(
            AssignmentDraft(
                student=student.student,
                site=ids[student.clinic.name],
                promotion=student.promotion,
                plaza_type=student.plaza,
                starts=student.starts,
                planned_end=student.ends,
            )
        ),
    )


def _move(
    student: Placement, to: Clinic, effective: date, reason: RelocationReason, trigger: str | None = None
) -> Write:
    return Write(
        f"{student.name}/move",
        student.university,
        lambda ids: assignments.relocate(
            ids[student.name],
            RelocationDraft(
                to=ids[to.name],
                effective=effective,
                reason=reason,
                trigger_incident=ids[trigger] if trigger else None,
            ),
        ),
    )


def _end(student: Placement, reason: AssignmentEnd, on: date) -> Write:
    draft = EndDraft(reason=reason, on=on)
    return Write(
        f"{student.name}/end", student.university, lambda ids: assignments.end(ids[student.name], draft)
    )


def _accounts(begin: date, happened: list[Case]) -> Iterator[Planned]:
    """What is said and found about each case."""
    for number, case in enumerate(happened, 1):
        account, at = Account(number, case), month_of(begin, case.day)
        yield from (Planned(at + 1, Slot.REPORTS, write) for write in account.reports())
        yield from (Planned(at + 1, Slot.REPEATED, write) for write in account.repeated())
        yield Planned(at + 2, Slot.OPENINGS, account.opening())
        yield from (Planned(at + 2, Slot.REVIEWS, write) for write in account.second_review())
        yield from (Planned(at + 8, Slot.TURNS, write) for write in account.turns())


def _relocations(begin: date, happened: list[Case], found: list[Clinic]) -> Iterator[Planned]:
    """Victims who go on elsewhere because of it, where their year lasts long enough."""
    for number, case in enumerate(happened, 1):
        at = month_of(begin, case.day) + 3
        effective = month(begin, at)
        for student in case.named if case.relocates else ():
            if effective < student.ends:
                reason = (
                    RelocationReason.THREAT
                    if case.incident_class is IncidentClass.THREAT
                    else RelocationReason.ATTACK
                )
                to = found[(found.index(student.clinic) + number) % len(found)]
                if to != student.clinic:
                    move = _move(student, to, effective, reason, Account(number, case).name)
                    yield Planned(at, Slot.CHANGES, move)


def _statements(begin: date, happened: list[Case]) -> Iterator[Planned]:
    """What the ministry says about relocations of many: every quarter, and after a case that moves many."""
    for number in range(3, MONTHS + 1, 3):
        draft = ReportDraft(
            class_=ReportClass.RELOCATION,
            source_type=SourceType.MINISTRY_HEALTH,
            action=RelocationAction.RELOCATED,
            unit=RelocationUnit.PLACES,
            low=number,
            best=number + 2,
            high=number + 5,
        )
        name = f"statement/{number // 3:02d}"
        yield Planned(number, Slot.ANSWERS, Write(name, MINISTRY, without_ids(reports.submit(draft))))
    for number, case in enumerate(happened, 1):
        if case.moves_many:
            account = Account(number, case)
            yield Planned(month_of(begin, case.day) + 3, Slot.REPORTS, account.relocation_of_many())


def _nil_reports(begin: date, happened: list[Case], chance: Random) -> Iterator[Planned]:
    """Universities that reported nothing in a quarter say so, most of them."""
    busy = {
        (university, month_of(begin, case.day) // 3)
        for number, case in enumerate(happened, 1)
        for university in Account(number, case).reporting()
    }
    for quarter in range(MONTHS // 3):
        first = month(begin, quarter * 3)
        draft = NilReportDraft(quarter=f"{first.year}-Q{(first.month + 2) // 3}")
        for university in universities():
            if (university, quarter) not in busy and chance.random() < 0.7:
                write = Write(
                    f"nil/{draft.quarter}/{university}", university, without_ids(reports.nil(draft))
                )
                yield Planned(quarter * 3 + 3, Slot.ANSWERS, write)
