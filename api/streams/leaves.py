"""What open leaves say, by type: the shape of ``data.leaf.public``, for the document that describes streams."""

from typing import Any
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, field

from api.streams.models import Digest
from projections.counting.disclosure import Status
from registry.domain.codes import Certainty, IncidentClass, InstitutionKind, PlazaType, SiteLevel


class Facet(Struct, frozen=True, kw_only=True):
    """Open (``value``) or sealed by a commitment (``sealed``), of this leaf or of an earlier one (``sealed_in``).

    What was sealed before is opened with its ``key``.
    """

    value: Any | UnsetType = UNSET
    key: str | UnsetType = UNSET
    sealed: str | UnsetType = UNSET
    sealed_in: UUID | UnsetType = UNSET


class Facets(Struct, frozen=True, kw_only=True):
    tally: Facet
    year: Facet
    state: Facet
    kind: Facet
    municipality: Facet
    month: Facet
    sex: Facet


class DisclosedIncident(Struct, frozen=True, kw_only=True):
    """An incident as of its last release, whole. ``reason`` is the public code of a correction or retraction."""

    incident: UUID
    status: Status
    merged_into: UUID | None
    certainty: Certainty
    disputed: bool
    class_: IncidentClass = field(name="class")
    waived: list[str]
    reason: str | None
    facets: Facets


class Release(Struct, frozen=True, kw_only=True):
    """Closes a release, of ``disclosed`` incidents: under which definition and policy, and who had answered."""

    release: UUID
    definition: str
    policy: str
    disclosed: int
    answers: list[dict[str, Any]]
    tables: list[dict[str, Any]]


class RegisteredInstitution(Struct, frozen=True, kw_only=True):
    institution: UUID
    name: str
    kind: InstitutionKind
    state: str


class RenamedInstitution(Struct, frozen=True, kw_only=True):
    institution: UUID
    name: str


class RegisteredSite(Struct, frozen=True, kw_only=True):
    site: UUID
    name: str
    cvegeo: str
    clues: str | None
    level: SiteLevel | None
    plaza_types: list[PlazaType]


class RecodedSite(Struct, frozen=True, kw_only=True):
    """``clues`` is valid from a day on; until then the one before is."""

    site: UUID
    clues: str
    valid_from: str


class AdoptedDefinition(Struct, frozen=True, kw_only=True):
    id: str
    sha256: Digest


class AdoptedPolicy(Struct, frozen=True, kw_only=True):
    id: str
    sha256: Digest
    policy: dict[str, Any]


class AdoptedCatalog(Struct, frozen=True, kw_only=True):
    name: str
    vintage: str
    sha256: Digest
    rows: int


OPEN_LEAVES: dict[str, type[Struct]] = {
    "incident.disclosed": DisclosedIncident,
    "release.published": Release,
    "institution.registered": RegisteredInstitution,
    "institution.renamed": RenamedInstitution,
    "site.registered": RegisteredSite,
    "site.recoded": RecodedSite,
    "definition.adopted": AdoptedDefinition,
    "policy.adopted": AdoptedPolicy,
    "catalog.adopted": AdoptedCatalog,
}
