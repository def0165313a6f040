"""Institutions and sites as they are sent."""

from registry.application.drafts.common import (
    CluesCode,
    Draft,
    MunicipalityCode,
    Name,
    ShortText,
    SourceRecordId,
    StateCode,
)
from registry.domain.codes import InstitutionKind, PlazaType, SiteLevel


class InstitutionDraft(Draft, frozen=True, kw_only=True):
    name: Name
    kind: InstitutionKind
    state: StateCode
    source_record_id: SourceRecordId | None = None


class Contact(Draft, frozen=True, kw_only=True):
    """How to reach a site. Private: encrypted, never in a leaf."""

    name: ShortText | None = None
    phone: ShortText | None = None
    email: ShortText | None = None


class SiteDraft(Draft, frozen=True, kw_only=True):
    name: Name
    cvegeo: MunicipalityCode
    clues: CluesCode | None = None
    level: SiteLevel | None = None
    plaza_types: list[PlazaType] = []
    contact: Contact | None = None
    source_record_id: SourceRecordId | None = None
