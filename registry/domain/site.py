"""Sites: the clinics where students serve. A site has its own id; official codes come and go."""

from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from registry.domain.codes import (
    Connectivity,
    PlazaType,
    SiteLevel,
    SiteSuspensionReason,
    StaffAlone,
    Supervision,
)
from registry.domain.event import NOTHING_PRIVATE, Act, Aggregate, Event, Private
from registry.errors import RuleViolated
from registry.log.canonical import JSON


class SiteRegistered(Event, frozen=True, kw_only=True):
    """A health unit where students serve. How to reach it is private."""

    TOPIC = "site.registered"
    OPEN = True

    name: str
    cvegeo: str
    clues: str | None
    level: SiteLevel | None
    plaza_types: tuple[PlazaType, ...]

    def public(self) -> dict[str, JSON]:
        return {
            "site": str(self.originator_id),
            "name": self.name,
            "cvegeo": self.cvegeo,
            "clues": self.clues,
            "level": self.level.value if self.level else None,
            "plaza_types": [plaza.value for plaza in self.plaza_types],
        }


class SiteRecoded(Event, frozen=True, kw_only=True):
    """The catalogue gives the site another CLUES from a day on; until then the one before is valid."""

    TOPIC = "site.recoded"
    OPEN = True

    clues: str
    valid_from: date

    def public(self) -> dict[str, JSON]:
        return {
            "site": str(self.originator_id),
            "clues": self.clues,
            "valid_from": self.valid_from.isoformat(),
        }


class ConditionsRecorded(Event, frozen=True, kw_only=True):
    """How students live and work there, as somebody found it on a day."""

    TOPIC = "site.conditions_recorded"

    connectivity: Connectivity
    staff_alone: StaffAlone
    supervision: Supervision
    on: date


class SiteSuspended(Event, frozen=True, kw_only=True):
    """A plaza removed: no student may be there from ``on`` on."""

    TOPIC = "site.suspended"

    reason: SiteSuspensionReason
    on: date


class SiteReopened(Event, frozen=True, kw_only=True):
    """Students may be there again from ``on`` on."""

    TOPIC = "site.reopened"

    on: date


def code_name(clues: str) -> str:
    """The exclusive name that the site of this CLUES holds."""
    return f"clues:{clues}"


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A CLUES from ``valid_from`` on (None: since before the register) until the next one's day."""

    clues: str
    valid_from: date | None


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    on: date
    connectivity: Connectivity
    staff_alone: StaffAlone
    supervision: Supervision


class Closure(msgspec.Struct, frozen=True, kw_only=True):
    """Without students from ``on`` (included) until ``reopened`` (excluded; None: still)."""

    on: date
    reason: SiteSuspensionReason
    reopened: date | None = None


class Site(Aggregate, kw_only=True):
    """``codes`` and ``closures`` are in the order of their days, ``conditions`` in that of recording."""

    NOUN: ClassVar[str] = "site"

    registered_by: UUID | None = None
    name: str = ""
    cvegeo: str = ""
    level: SiteLevel | None = None
    plaza_types: tuple[PlazaType, ...] = ()
    codes: tuple[Code, ...] = ()
    conditions: tuple[Conditions, ...] = ()
    closures: tuple[Closure, ...] = ()

    @classmethod
    def register(
        cls,
        act: Act,
        *,
        name: str,
        cvegeo: str,
        clues: str | None,
        level: SiteLevel | None,
        plaza_types: tuple[PlazaType, ...],
        contact: dict[str, JSON] | None,
    ) -> "Site":
        site = cls.new()
        private: Private = {f"site:{site.id}": {"contact": contact}} if contact else NOTHING_PRIVATE
        site.trigger(
            SiteRegistered,
            act,
            private=private,
            name=name,
            cvegeo=cvegeo,
            clues=clues,
            level=level,
            plaza_types=plaza_types,
        )
        return site

    @property
    def exclusive(self) -> frozenset[str]:
        """Its codes, of all times: what is the same establishment under another code stays one site."""
        return frozenset(code_name(code.clues) for code in self.codes)

    def clues_on(self, day: date) -> str | None:
        """The code that is valid on a day; None before the first, or where none is known."""
        valid = [code.clues for code in self.codes if code.valid_from is None or code.valid_from <= day]
        return valid[-1] if valid else None

    def closed_on(self, day: date) -> bool:
        """Whether the site is suspended on a day, as things stand."""
        return any(
            closure.on <= day and (closure.reopened is None or day < closure.reopened)
            for closure in self.closures
        )

    def recode(self, act: Act, *, clues: str, valid_from: date) -> None:
        """One code is valid at a time: the day of the new one ends the one before."""
        last = self.codes[-1] if self.codes else None
        if last is not None and last.clues == clues:
            raise RuleViolated(
                "code-is-another",
                "La sede ya tiene esa CLUES. Indique la nueva, tal como está en el catálogo oficial.",
                "The site has that CLUES already. Give the new one, as it stands in the official catalogue.",
            )
        if last is not None and last.valid_from is not None and valid_from <= last.valid_from:
            raise RuleViolated(
                "code-after-the-last",
                f"Solo una CLUES vale a la vez, y la última vale desde el {last.valid_from}. Indique un día posterior.",
                f"One CLUES is valid at a time, and the last one is from {last.valid_from} on. Give a later day.",
            )
        self.trigger(SiteRecoded, act, clues=clues, valid_from=valid_from)

    def record_conditions(
        self,
        act: Act,
        *,
        connectivity: Connectivity,
        staff_alone: StaffAlone,
        supervision: Supervision,
        on: date,
    ) -> None:
        self.trigger(
            ConditionsRecorded,
            act,
            connectivity=connectivity,
            staff_alone=staff_alone,
            supervision=supervision,
            on=on,
        )

    def suspend(self, act: Act, *, reason: SiteSuspensionReason, on: date) -> None:
        last = self.closures[-1] if self.closures else None
        if last is not None and last.reopened is None:
            raise RuleViolated(
                "site-suspended-already",
                f"La sede está suspendida desde el {last.on}. Registre antes su reapertura.",
                f"The site is suspended since {last.on}. Record its reopening first.",
            )
        if last is not None and last.reopened is not None and on < last.reopened:
            raise RuleViolated(
                "site-suspension-in-order",
                f"La sede reabrió el {last.reopened}; otra suspensión empieza ese día o después. Compruebe la fecha.",
                f"The site reopened on {last.reopened}; another suspension begins on that day or later. Check the "
                "date.",
            )
        self.trigger(SiteSuspended, act, reason=reason, on=on)

    def reopen(self, act: Act, *, on: date) -> None:
        last = self.closures[-1] if self.closures else None
        if last is None or last.reopened is not None:
            raise RuleViolated(
                "site-not-suspended",
                "La sede no está suspendida. Registre antes la suspensión que termina.",
                "The site is not suspended. Record the suspension that ends first.",
            )
        if on <= last.on:
            raise RuleViolated(
                "reopening-after-suspension",
                f"La sede está suspendida desde el {last.on}; reabre después. Indique el primer día en que recibe "
                "pasantes otra vez.",
                f"The site is suspended since {last.on}; it reopens later. Give the first day on which it takes "
                "students again.",
            )
        self.trigger(SiteReopened, act, on=on)

    def apply(self, event: Event) -> None:
        match event:
            case SiteRegistered():
                self.registered_by = event.by.institution
                self.name, self.cvegeo = event.name, event.cvegeo
                self.level, self.plaza_types = event.level, event.plaza_types
                self.codes = (Code(clues=event.clues, valid_from=None),) if event.clues else ()
            case SiteRecoded():
                self.codes = (*self.codes, Code(clues=event.clues, valid_from=event.valid_from))
            case ConditionsRecorded():
                found = Conditions(
                    on=event.on,
                    connectivity=event.connectivity,
                    staff_alone=event.staff_alone,
                    supervision=event.supervision,
                )
                self.conditions = (*self.conditions, found)
            case SiteSuspended():
                self.closures = (*self.closures, Closure(on=event.on, reason=event.reason))
            case SiteReopened():
                *before, last = self.closures
                self.closures = (*before, msgspec.structs.replace(last, reopened=event.on))
