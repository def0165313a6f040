"""Institutions and sites as they are sent, and what changes about them."""

from datetime import date

from registry.application.drafts.common import (
    CluesCode,
    Draft,
    MunicipalityCode,
    Name,
    ShortText,
    SourceRecordId,
    StateCode,
)
from registry.domain.codes import (
    Connectivity,
    InstitutionKind,
    PlazaType,
    SiteLevel,
    SiteSuspensionReason,
    StaffAlone,
    Supervision,
)


class InstitutionDraft(Draft, frozen=True, kw_only=True):
    name: Name
    kind: InstitutionKind
    state: StateCode
    source_record_id: SourceRecordId | None = None


class InstitutionNameDraft(Draft, frozen=True, kw_only=True):
    """The same institution under another name."""

    name: Name
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


class SiteCodeDraft(Draft, frozen=True, kw_only=True):
    """Another CLUES from a day on, which ends the one before."""

    clues: CluesCode
    valid_from: date
    source_record_id: SourceRecordId | None = None


class ConditionsDraft(Draft, frozen=True, kw_only=True):
    """How students live and work at a site, as somebody found it on a day."""

    connectivity: Connectivity = Connectivity.NOT_REPORTED
    staff_alone: StaffAlone = StaffAlone.NOT_REPORTED
    supervision: Supervision = Supervision.NOT_REPORTED
    on: date
    source_record_id: SourceRecordId | None = None


class SiteSuspensionDraft(Draft, frozen=True, kw_only=True):
    """No student may be at the site from a day on."""

    reason: SiteSuspensionReason
    on: date
    source_record_id: SourceRecordId | None = None


class ReopeningDraft(Draft, frozen=True, kw_only=True):
    """Students may be at the site again from a day on."""

    on: date
    source_record_id: SourceRecordId | None = None
