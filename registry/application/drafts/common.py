"""What all drafts share: names, codes, places and dates as they are sent."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

from registry.domain.claims import Range
from registry.domain.codes import (
    KINDS,
    DatePrecision,
    Manner,
    Nexus,
    Outcome,
    PlacePrecision,
    Sex,
    VictimRole,
)

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"
"""A line of text; among the control characters is NUL, which the database cannot hold."""
SourceRecordId = Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=NO_CONTROLS)]
StateCode = Annotated[str, msgspec.Meta(pattern=r"^(0[1-9]|[12][0-9]|3[0-2])$")]
MunicipalityCode = Annotated[str, msgspec.Meta(pattern=r"^(0[1-9]|[12][0-9]|3[0-2])(?!000)[0-9]{3}$")]
CluesCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{5}[0-9]{6}$")]
Curp = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[A-Z0-9][0-9]$")]
LongText = Annotated[str, msgspec.Meta(max_length=20_000)]
ShortText = Annotated[str, msgspec.Meta(max_length=2_000)]
Kind = Annotated[
    str,
    msgspec.Meta(
        title="Kind",
        description="Los de amenaza con la clase THREAT, los de ataque con ATTACK. · Those of threats with class "
        "THREAT, those of attacks with ATTACK.",
        extra_json_schema={"enum": sorted(frozenset().union(*KINDS.values()))},
    ),
]
"""Which of them belong to the class is checked with the rest of the record, which says the class."""


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base: strict about field names, immutable."""


class RecordReference(Draft, frozen=True, kw_only=True):
    """A record by its sender's own id, where the caller does not know ours.

    ``institution`` is who sent it, needed where several used that id; another institution's record is found only by
    keys that may see it.
    """

    source_record_id: SourceRecordId
    institution: UUID | None = None


Reference = UUID | RecordReference


class Student(Draft, frozen=True, kw_only=True):
    """A CURP, or the institution's own number: one of the two. Private; becomes a keyed pseudonym."""

    curp: Curp | None = None
    internal_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None


class WhenDraft(Draft, frozen=True, kw_only=True):
    """``wording`` keeps the source's own words for the date; private."""

    earliest: date | None
    latest: date
    precision: DatePrecision
    wording: ShortText | None = None


class WhereDraft(Draft, frozen=True, kw_only=True):
    """``wording`` keeps the source's own words for the place; private."""

    state: StateCode | None = None
    cvegeo: MunicipalityCode | None = None
    site: UUID | None = None
    precision: PlacePrecision
    wording: ShortText | None = None


Pseudonym = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
"""Of a person, as records show it to those who may read them."""


class ReportedVictimDraft(Draft, frozen=True, kw_only=True):
    """A victim as a source tells of them."""

    role: VictimRole
    sex: Sex = Sex.NOT_REPORTED
    outcome: Outcome = Outcome.NOT_REPORTED
    nexus: Nexus = Nexus.NOT_REPORTED
    count: Range | None = None
    manner: Manner | None = None
    student: Student | None = None
    assignment: UUID | None = None


class VictimDraft(ReportedVictimDraft, frozen=True, kw_only=True):
    """A victim as reviewers find them. ``person``: the pseudonym of somebody whom a linked report names."""

    person: Pseudonym | None = None
