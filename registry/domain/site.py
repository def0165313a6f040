"""Sites: the clinics where students serve. A site has its own id; official codes come and go."""

from typing import ClassVar
from uuid import UUID

from registry.domain.codes import PlazaType, SiteLevel
from registry.domain.event import NOTHING_PRIVATE, Act, Aggregate, Event, Private
from registry.log.canonical import JSON


class SiteRegistered(Event, frozen=True, kw_only=True):
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


class Site(Aggregate, kw_only=True):
    NOUN: ClassVar[str] = "site"

    registered_by: UUID | None = None
    name: str = ""
    cvegeo: str = ""
    clues: str | None = None
    level: SiteLevel | None = None
    plaza_types: tuple[PlazaType, ...] = ()

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

    def apply(self, event: Event) -> None:
        match event:
            case SiteRegistered():
                self.registered_by = event.by.institution
                self.name, self.cvegeo, self.clues = event.name, event.cvegeo, event.clues
                self.level, self.plaza_types = event.level, event.plaza_types
