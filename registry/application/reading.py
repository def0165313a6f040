"""Reading records: folded from their events, with what the caller may see of their private parts.

Own records show all, identities only to whoever says why; a verifier sees narrative and evidence of every report, never
an identity. What is not public is noted in the audit of private reads before anybody sees it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import cast
from uuid import UUID

import msgspec

from registry.application.assignments import view as assignment_view
from registry.application.execution.application import Application
from registry.application.execution.sealing import unseal
from registry.application.execution.unit import Actor, no_such_record
from registry.application.incidents import view as incident_view
from registry.application.places import site_view
from registry.application.reports import view as report_view
from registry.domain.assignment import Assignment
from registry.domain.event import Aggregate, Event
from registry.domain.incident import Incident
from registry.domain.institution import Institution
from registry.domain.mapper import NIL_REPORT, decode_event, noun_of
from registry.domain.report import Report
from registry.domain.site import Site
from registry.errors import NotFound
from registry.log.canonical import JSON
from registry.privacy.reads import Shown
from registry.store import Recorded

READABLE: dict[str, type[Aggregate]] = {
    NIL_REPORT: Report,
    **{aggregate.NOUN: aggregate for aggregate in (Institution, Site, Assignment, Report, Incident)},
}
"""Kinds of records that can be read one by one."""

_PUBLIC = (Institution, Site)
"""What every key sees, for their events are open, or say nothing of anybody."""


class View(msgspec.Struct, frozen=True):
    """A record as the caller may see it. ``institution`` is whose it is, None for what belongs to all.

    ``shown`` is what the audit says about it, None for what is public anyway.
    """

    id: UUID
    noun: str
    version: int
    institution: UUID | None
    body: dict[str, JSON]
    shown: Shown | None


async def view(app: Application, actor: Actor, noun: str, record_id: UUID) -> View:
    """One record. Raises NotFound where there is none, or none that the caller may see."""
    found = await _look(app, actor, noun, record_id)
    await _note(app, actor, [found])
    return found


async def views(app: Application, actor: Actor, noun: str, record_ids: Iterable[UUID]) -> list[View]:
    """Those of the records that are of this kind and that the caller may see."""
    found = []
    for record_id in record_ids:
        try:
            found.append(await _look(app, actor, noun, record_id))
        except NotFound:
            continue
    await _note(app, actor, found)
    return found


async def _note(app: Application, actor: Actor, found: Iterable[View]) -> None:
    shown = [one.shown for one in found if one.shown is not None]
    await app.reads.note(actor.institution, actor.key, actor.purpose, shown)


async def _look(app: Application, actor: Actor, noun: str, record_id: UUID) -> View:
    recorded = await app.store.read_stream(record_id)
    aggregate_type = READABLE[noun]
    if not recorded or noun_of(recorded[0].type) != noun:
        raise no_such_record()
    events = [decode_event(one.type, one.state) for one in recorded]
    owner = _owner(aggregate_type, events[0])
    if not _visible(aggregate_type, owner, actor):
        raise no_such_record()
    aggregate = aggregate_type(id=record_id)
    aggregate.replay(events)
    body = _body(aggregate, events, actor, app.clock().date())
    if isinstance(aggregate, Report):
        body |= await report_view.links(app, actor, aggregate)
    if events[0].by.institution == actor.institution or actor.sees_all:
        body["source_record_id"] = await app.store.source_record_id(record_id)
    private = await _private(app, actor, owner, recorded)
    withheld = _withhold(private, actor)
    shown = None if aggregate_type in _PUBLIC else _shown(noun, record_id, owner, body, private)
    if withheld:
        body["withheld"] = withheld
    if private:
        body["private"] = private
    return View(record_id, noun, aggregate.version, owner, body, shown)


def _shown(
    noun: str, record_id: UUID, owner: UUID | None, body: dict[str, JSON], private: dict[str, JSON]
) -> Shown:
    people = {subject.partition(":")[2] for subject in private if subject.startswith("person:")}
    people |= set(people_in(body))
    return Shown(
        noun=noun,
        record=record_id,
        owner=owner,
        people=tuple(sorted(people)),
        fields=(*sorted(body), *_names(private)),
    )


def people_in(value: JSON) -> Iterator[str]:
    """All pseudonyms of people in a record, also those that it named before."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name in ("student", "person") and isinstance(item, str):
                yield item
            else:
                yield from people_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from people_in(item)


def _withhold(private: dict[str, JSON], actor: Actor) -> list[JSON]:
    """Takes out the identities that nobody has said why they need, and names them."""
    if actor.purpose is not None:
        return []
    identities = {subject: private.pop(subject) for subject in list(private) if subject.startswith("person:")}
    return [*_names(identities)]


def _names(private: dict[str, JSON]) -> list[str]:
    """``private.report.narrative`` for each private value, by the kind of its subject."""
    return sorted(
        {
            f"private.{subject.partition(':')[0]}.{name}"
            for subject, values in private.items()
            for name in cast("dict[str, JSON]", values)
        }
    )


async def receipt(app: Application, actor: Actor, position: int) -> str:
    """The receipt of what the caller's institution sent. Any other position is NotFound, whatever lies there."""
    recorded = await app.store.at(position)
    if recorded is None or decode_event(recorded.type, recorded.state).by.institution != actor.institution:
        raise NotFound(
            "Su institución no envió nada en esa posición. Compruebe el número que recibió con su envío.",
            "Your institution sent nothing at that position. Check the number that came with your submission.",
        )
    return app.answers.receipt(recorded)


def _owner(aggregate_type: type[Aggregate], first: Event) -> UUID | None:
    return first.by.institution if aggregate_type in (Assignment, Report) else None


def _visible(aggregate_type: type[Aggregate], owner: UUID | None, actor: Actor) -> bool:
    if aggregate_type in _PUBLIC or actor.sees_all:
        return True
    return owner is not None and owner == actor.institution


def _body(aggregate: Aggregate, events: Sequence[Event], actor: Actor, today: date) -> dict[str, JSON]:
    """The record in codes, under the names in which it is sent."""
    match aggregate:
        case Assignment():
            state = assignment_view.body(aggregate)
        case Site():
            state = site_view.body(aggregate, actor, today)
        case Report():
            return report_view.body(aggregate)
        case Incident():
            return incident_view.body(aggregate, events)
        case _:
            state = msgspec.to_builtins(aggregate)
            del state["id"], state["version"]
    return cast("dict[str, JSON]", state)


async def _private(
    app: Application, actor: Actor, owner: UUID | None, recorded: list[Recorded]
) -> dict[str, JSON]:
    own = owner is not None and owner == actor.institution
    if not own and "incidents:verify" not in actor.scopes:
        return {}
    private: dict[str, JSON] = {}
    for one in await unseal(app.store, app.vault, recorded):
        for subject, values in one.private.items():
            kind = subject.partition(":")[0]
            known = cast("dict[str, JSON]", private.get(subject, {}))
            said = cast("dict[str, JSON]", values)
            if kind == "incident" and one.recorded.type != "incident.disclosed":
                private[subject] = {**known, **_with_earlier(known, said, one.recorded.version)}
            elif own or kind == "report":
                private[subject] = {**known, **said}
    return private


def _with_earlier(known: dict[str, JSON], said: dict[str, JSON], version: int) -> dict[str, JSON]:
    """Reviewers' words, all of them: each with the version of the event that it came with."""
    return {
        name: [*cast("list[JSON]", known.get(name, [])), {"version": version, "value": value}]
        for name, value in said.items()
    }
