"""Institutions: who submits and who verifies."""

from datetime import date
from typing import ClassVar

import msgspec

from registry.domain.codes import InstitutionKind
from registry.domain.event import Act, Aggregate, Event
from registry.errors import RuleViolated
from registry.log.canonical import JSON


class InstitutionRegistered(Event, frozen=True, kw_only=True):
    """Who submits or verifies: a university, a ministry, an association. All of it is public."""

    TOPIC = "institution.registered"
    OPEN = True

    name: str
    kind: InstitutionKind
    state: str

    def public(self) -> dict[str, JSON]:
        return {
            "institution": str(self.originator_id),
            "name": self.name,
            "kind": self.kind.value,
            "state": self.state,
        }


class InstitutionRenamed(Event, frozen=True, kw_only=True):
    """It is the same institution, with its records, under another name."""

    TOPIC = "institution.renamed"
    OPEN = True

    name: str

    def public(self) -> dict[str, JSON]:
        return {"institution": str(self.originator_id), "name": self.name}


class FormerName(msgspec.Struct, frozen=True, kw_only=True):
    """``until`` is the day (UTC) on which the register took down the next one."""

    name: str
    until: date


class Institution(Aggregate, kw_only=True):
    NOUN: ClassVar[str] = "institution"

    name: str = ""
    kind: InstitutionKind = InstitutionKind.OTHER
    state: str = ""
    former_names: tuple[FormerName, ...] = ()

    @classmethod
    def register(cls, act: Act, *, name: str, kind: InstitutionKind, state: str) -> "Institution":
        institution = cls.new()
        institution.trigger(InstitutionRegistered, act, name=name, kind=kind, state=state)
        return institution

    def rename(self, act: Act, *, name: str) -> None:
        if name == self.name:
            raise RuleViolated(
                "name-is-another",
                "La institución ya se llama así. Indique el nombre nuevo.",
                "That is the institution's name already. Give the new one.",
            )
        self.trigger(InstitutionRenamed, act, name=name)

    def apply(self, event: Event) -> None:
        match event:
            case InstitutionRegistered():
                self.name, self.kind, self.state = event.name, event.kind, event.state
            case InstitutionRenamed():
                former = FormerName(name=self.name, until=event.recorded.date())
                self.former_names = (*self.former_names, former)
                self.name = event.name
