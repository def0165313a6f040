"""What people send, field by field as in the public contract, before anything is decided.

Decoded strictly from JSON (unknown fields are refused). Private fields stay in drafts only for as long as it takes
to seal them: events hold codes and pseudonyms.
"""

from registry.application.drafts.assignments import AssignmentDraft, EndDraft, Promotion, RelocationDraft
from registry.application.drafts.common import (
    NO_CONTROLS,
    CluesCode,
    Draft,
    LongText,
    MunicipalityCode,
    Name,
    RecordReference,
    Reference,
    ShortText,
    SourceRecordId,
    StateCode,
    Student,
    VictimDraft,
    WhenDraft,
    WhereDraft,
)
from registry.application.drafts.evidence import FileDraft
from registry.application.drafts.incidents import (
    CertaintyDraft,
    FindingDraft,
    FindingRecordDraft,
    IncidentDraft,
    RetractionDraft,
    VictimRecordDraft,
)
from registry.application.drafts.places import Contact, InstitutionDraft, SiteDraft
from registry.application.drafts.reports import EvidenceDraft, NilReportDraft, Quarter, ReportDraft

__all__ = [
    "NO_CONTROLS",
    "AssignmentDraft",
    "CertaintyDraft",
    "CluesCode",
    "Contact",
    "Draft",
    "EndDraft",
    "EvidenceDraft",
    "FileDraft",
    "FindingDraft",
    "FindingRecordDraft",
    "IncidentDraft",
    "InstitutionDraft",
    "LongText",
    "MunicipalityCode",
    "Name",
    "NilReportDraft",
    "Promotion",
    "Quarter",
    "RecordReference",
    "Reference",
    "RelocationDraft",
    "ReportDraft",
    "RetractionDraft",
    "ShortText",
    "SiteDraft",
    "SourceRecordId",
    "StateCode",
    "Student",
    "VictimDraft",
    "VictimRecordDraft",
    "WhenDraft",
    "WhereDraft",
]
