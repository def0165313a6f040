"""A person's right of access: what the register holds about them, from which records, and who has read it.

Only what is the person's own: of a report or an incident the entry of this victim, not of others, and no narrative,
which is about others too; whoever answers looks at those by themselves. Once the person was erased, nothing here leads
from the pseudonym to a record any more.
"""

from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

import asyncpg
import msgspec

from registry.application.execution.application import Application
from registry.application.execution.sealing import Unsealed, unseal
from registry.domain.assignment import Assignment
from registry.domain.mapper import AGGREGATES
from registry.domain.report import Report
from registry.domain.report_events import EvidenceAttached
from registry.log.canonical import JSON
from registry.privacy.reads import PrivateRead
from registry.store.erasures import Erasures

_OF_THE_OCCURRENCE: Final = ("when", "where", "kind")
_VICTIMS: Final = ("victims", "victim")


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What one event says about the person: coded ``fields``, and ``private`` values of the person's own."""

    noun: str
    record: UUID
    institution: UUID | None
    type: str
    recorded: datetime
    fields: dict[str, Any]
    private: dict[str, Any]


class HeldEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """A file attached to a report that names the person. ``size`` in bytes."""

    id: UUID
    report: UUID
    institution: UUID | None
    media_type: str
    size: int
    stored: datetime


class AccessAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """All that is held about a pseudonym, and every time that somebody was shown some of it."""

    person: str
    records: list[Held]
    evidence: list[HeldEvidence]
    reads: list[PrivateRead]


class Access:
    """Collects what is held. ``institution`` None is everything; else only what that institution sent."""

    def __init__(self, app: Application, pool: asyncpg.Pool) -> None:
        self._app = app
        self._erasures = Erasures(pool)

    async def events(self, person: str, institution: UUID | None) -> list[Unsealed]:
        """The events that name the person, in the order of the log."""
        ids = await self._erasures.covered(f"person:{person}")
        recorded = sorted(await self._app.store.events(ids), key=lambda one: one.position)
        events = await unseal(self._app.store, self._app.vault, recorded)
        return [one for one in events if institution is None or one.event.by.institution == institution]

    async def collect(self, person: str, institution: UUID | None, *, identities: bool) -> AccessAnswer:
        """The answer to a request for access. Who asks must have been found to be the person, or to act for them.

        ``identities``: with the private values of the person's own.
        """
        events = await self.events(person, institution)
        reports = {one.recorded.stream_id for one in events if AGGREGATES[one.recorded.type] is Report}
        return AccessAnswer(
            person=person,
            records=[_held(one, person, identities) for one in events],
            evidence=[file for report in sorted(reports) for file in await self._files(report)],
            reads=await self._reads(person, institution),
        )

    async def _files(self, report: UUID) -> list[HeldEvidence]:
        recorded = await self._app.store.read_stream(report)
        return [
            HeldEvidence(
                id=event.evidence,
                report=report,
                institution=event.by.institution,
                media_type=event.media_type,
                size=event.size,
                stored=event.recorded,
            )
            for event in (one.event for one in await unseal(self._app.store, self._app.vault, recorded))
            if isinstance(event, EvidenceAttached)
        ]

    async def _reads(self, person: str, institution: UUID | None) -> list[PrivateRead]:
        found: list[PrivateRead] = []
        after: int | None = 0
        while after is not None:
            page, after = await self._app.reads.page(owner=institution, person=person, after=after, limit=200)
            found += page
        return found


def _held(one: Unsealed, person: str, identities: bool) -> Held:
    aggregate = AGGREGATES[one.recorded.type]
    fields = msgspec.to_builtins(one.event)
    said = {**fields, **fields.get("claims", {})}
    if aggregate is Assignment:
        envelope = {"stream", "version", "event_id", "recorded", "by", "claims"}
        own = {name: value for name, value in said.items() if name not in envelope}
    else:
        own = {name: said[name] for name in _OF_THE_OCCURRENCE if said.get(name) is not None}
        own |= {name: _entries(said[name], person) for name in _VICTIMS if name in said}
    return Held(
        noun=aggregate.NOUN,
        record=one.recorded.stream_id,
        institution=one.event.by.institution,
        type=one.recorded.type,
        recorded=one.event.recorded,
        fields=own,
        private=cast("dict[str, JSON]", one.private.get(f"person:{person}", {}) if identities else {}),
    )


def _entries(victims: object, person: str) -> object:
    """The entries of this person; a number stands for a victim whose entry was recorded before."""
    match victims:
        case list() | tuple():
            return [victim for victim in victims if victim["person"] == person]
        case {"person": named}:
            return victims if named == person else None
        case int():
            return victims
    raise TypeError("victims are entries, or the number of one")
