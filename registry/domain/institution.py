"""Institutions: who submits and who verifies."""

from typing import ClassVar

from registry.domain.codes import InstitutionKind
from registry.domain.event import Act, Aggregate, Event
from registry.log.canonical import JSON


class InstitutionRegistered(Event, frozen=True, kw_only=True):
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


class Institution(Aggregate, kw_only=True):
    NOUN: ClassVar[str] = "institution"

    name: str = ""
    kind: InstitutionKind = InstitutionKind.OTHER
    state: str = ""

    @classmethod
    def register(cls, act: Act, *, name: str, kind: InstitutionKind, state: str) -> "Institution":
        institution = cls.new()
        institution.trigger(InstitutionRegistered, act, name=name, kind=kind, state=state)
        return institution

    def apply(self, event: Event) -> None:
        match event:
            case InstitutionRegistered():
                self.name, self.kind, self.state = event.name, event.kind, event.state
