"""Events of institutions and sites."""

from datetime import date

from registry.domain.codes import (
    Connectivity,
    InstitutionKind,
    PlazaType,
    SiteLevel,
    SiteSuspensionReason,
    StaffAlone,
    Supervision,
)
from registry.domain.event import Event
from registry.domain.institution import InstitutionRegistered, InstitutionRenamed
from registry.domain.site import ConditionsRecorded, SiteRecoded, SiteRegistered, SiteReopened, SiteSuspended
from tests.golden.values.common import OPERATOR, UNIVERSITY, envelope

PLACES: dict[str, Event] = {
    "institution.registered.v1.university": InstitutionRegistered(
        **envelope(1, 1, OPERATOR), name="Universidad Ñandú", kind=InstitutionKind.UNIVERSITY, state="09"
    ),
    "site.registered.v1.full": SiteRegistered(
        **envelope(11, 1, UNIVERSITY),
        name="Clínica «La Ladera» № 3",
        cvegeo="16012",
        clues="MNSSA000123",
        level=SiteLevel.FIRST,
        plaza_types=(PlazaType.A, PlazaType.CC),
    ),
    "site.registered.v1.bare": SiteRegistered(
        **envelope(12, 1, OPERATOR), name="Clínica", cvegeo="14053", clues=None, level=None, plaza_types=()
    ),
    "institution.registered.v1.former_name": InstitutionRegistered(
        **envelope(2, 1, OPERATOR), name="Instituto Primero", kind=InstitutionKind.OTHER, state="16"
    ),
    "institution.renamed.v1.second": InstitutionRenamed(**envelope(2, 2, OPERATOR), name="Instituto Segundo"),
    "site.registered.v1.kept": SiteRegistered(
        **envelope(13, 1, OPERATOR),
        name="Clínica Tercera",
        cvegeo="16012",
        clues="MNSSA000456",
        level=None,
        plaza_types=(),
    ),
    "site.recoded.v1.new_code": SiteRecoded(
        **envelope(13, 2, UNIVERSITY), clues="MNIMB000456", valid_from=date(2026, 4, 1)
    ),
    "site.conditions_recorded.v1.alone": ConditionsRecorded(
        **envelope(13, 3, UNIVERSITY),
        connectivity=Connectivity.RADIO,
        staff_alone=StaffAlone.YES,
        supervision=Supervision.NOT_REPORTED,
        on=date(2026, 2, 15),
    ),
    "site.suspended.v1.threat": SiteSuspended(
        **envelope(13, 4, UNIVERSITY), reason=SiteSuspensionReason.THREAT, on=date(2026, 2, 20)
    ),
    "site.reopened.v1.later": SiteReopened(**envelope(13, 5, OPERATOR), on=date(2026, 3, 1)),
}
