"""The register's own stream: which definition, policy and catalogues hold, what was released, what was erased."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from registry.domain.codes import CorrectionReason
from registry.domain.event import Act, Aggregate, Event
from registry.errors import RuleViolated
from registry.log.canonical import JSON

REGISTER_ID = UUID("6f1b0a3e-0d0f-4f0e-9a55-3b6d1f2f7c11")
"""The one stream of its kind, under a random id drawn once."""


class DefinitionAdopted(Event, frozen=True, kw_only=True):
    """``id`` and SHA-256 (hex) of the text by which counts are made."""

    TOPIC = "definition.adopted"
    OPEN = True

    definition: str
    sha256: str

    def public(self) -> dict[str, JSON]:
        return {"id": self.definition, "sha256": self.sha256}


class PolicyAdopted(Event, frozen=True, kw_only=True):
    """The disclosure policy itself, so that anyone can replay what it allowed. SHA-256 (hex) of its canonical JSON."""

    TOPIC = "policy.adopted"
    OPEN = True

    name: str
    sha256: str
    policy: dict[str, Any]

    def public(self) -> dict[str, JSON]:
        return {"id": self.name, "sha256": self.sha256, "policy": self.policy}


class CatalogAdopted(Event, frozen=True, kw_only=True):
    """A catalogue of official codes holds from now on, beside its earlier vintages: codes are valid for their time.

    ``vintage`` is a year, a month or a day (``2020``, ``2020-07``, ``2020-07-01``), ``sha256`` (hex) that of the file
    as published, uncompressed, ``rows`` how many of its rows were taken. The rows lie in tables under ``event_id``.
    """

    TOPIC = "catalog.adopted"
    OPEN = True

    name: str
    vintage: str
    sha256: str
    rows: int

    def public(self) -> dict[str, JSON]:
        return {"name": self.name, "vintage": self.vintage, "sha256": self.sha256, "rows": self.rows}


class Adopted(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue that was adopted. ``id`` is that of the event, and of the rows."""

    id: UUID
    name: str
    vintage: str


class ReleasePublished(Event, frozen=True, kw_only=True):
    """Closes a release: the definition and policy it followed, how many incidents it disclosed, who answered."""

    TOPIC = "release.published"
    OPEN = True

    release: UUID
    definition: str
    policy: str
    disclosed: int
    answers: tuple[dict[str, Any], ...]
    tables: tuple[dict[str, Any], ...]

    def public(self) -> dict[str, JSON]:
        return {
            "release": str(self.release),
            "definition": self.definition,
            "policy": self.policy,
            "disclosed": self.disclosed,
            "answers": list(self.answers),
            "tables": list(self.tables),
        }


class SubjectKind(StrEnum):
    """What private values belong to, and are erased with."""

    PERSON = "PERSON"
    REPORT = "REPORT"
    INCIDENT = "INCIDENT"
    SITE = "SITE"


class SubjectErased(Event, frozen=True, kw_only=True):
    """The private values of a subject are gone, with the keys that would open what covers them.

    ``subject`` is a keyed hash made for this purpose only, and no pseudonym or id: events that still name the subject
    must not be linked to its wish to be forgotten by reading them side by side. Whoever holds the master key can tell
    whether a given subject was erased, nobody can list who was.
    """

    TOPIC = "subject.erased"

    kind: SubjectKind
    subject: str
    reason: CorrectionReason


class Register(Aggregate, kw_only=True):
    NOUN: ClassVar[str] = "register"
    class_version: ClassVar[int] = 2

    definition: str | None = None
    definition_sha256: str | None = None
    policy_sha256: str | None = None
    policy: dict[str, Any] | None = None
    released: date | None = None
    """When the last release was published (UTC)."""
    answers: tuple[dict[str, Any], ...] = ()
    """Who had answered, as that release said."""
    catalogs: tuple[Adopted, ...] = ()
    """In the order of adoption: of two of the same name and vintage, the later one corrects the earlier."""

    def adopt_definition(self, act: Act, *, definition: str, sha256: str) -> None:
        """Decides nothing if this very text already holds."""
        if self.definition_sha256 != sha256:
            self.trigger(DefinitionAdopted, act, definition=definition, sha256=sha256)

    def adopt_policy(self, act: Act, *, name: str, sha256: str, policy: Mapping[str, JSON]) -> None:
        """Decides nothing if this very policy already holds."""
        if self.policy_sha256 != sha256:
            self.trigger(PolicyAdopted, act, name=name, sha256=sha256, policy=dict(policy))

    def adopt_catalog(
        self, act: Act, *, event_id: UUID, name: str, vintage: str, sha256: str, rows: int
    ) -> None:
        """``event_id`` is the one under which the rows lie. Decides nothing if it was adopted before."""
        if all(adopted.id != event_id for adopted in self.catalogs):
            self.trigger(
                CatalogAdopted,
                act,
                event_id=event_id,
                name=name,
                vintage=vintage,
                sha256=sha256,
                rows=rows,
            )

    def rules(self) -> tuple[str, dict[str, Any]]:
        """What releases follow: SHA-256 (hex) of the definition, and the policy. RuleViolated before both hold."""
        if self.definition_sha256 is None or self.policy is None:
            raise RuleViolated(
                "release-needs-definition-and-policy",
                "Antes de publicar hay que adoptar una definición y una política de divulgación.",
                "A definition and a disclosure policy must be adopted before anything is released.",
            )
        return self.definition_sha256, self.policy

    def publish_release(
        self, act: Act, *, release: UUID, disclosed: int, answers: tuple[dict[str, Any], ...]
    ) -> None:
        definition, _ = self.rules()
        self.trigger(
            ReleasePublished,
            act,
            release=release,
            definition=definition,
            policy=self.policy_sha256,
            disclosed=disclosed,
            answers=answers,
            tables=(),
        )

    def record_erasure(
        self, act: Act, *, event_id: UUID, kind: SubjectKind, subject: str, reason: CorrectionReason
    ) -> None:
        """After the erasure, never before. ``event_id`` is fixed beforehand, so that it is said once."""
        self.trigger(SubjectErased, act, event_id=event_id, kind=kind, subject=subject, reason=reason)

    def apply(self, event: Event) -> None:
        match event:
            case DefinitionAdopted():
                self.definition, self.definition_sha256 = event.definition, event.sha256
            case PolicyAdopted():
                self.policy, self.policy_sha256 = event.policy, event.sha256
            case CatalogAdopted():
                adopted = Adopted(id=event.event_id, name=event.name, vintage=event.vintage)
                self.catalogs = (*self.catalogs, adopted)
            case ReleasePublished():
                self.released, self.answers = event.recorded.date(), event.answers
