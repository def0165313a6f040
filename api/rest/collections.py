"""Where each kind of record is read: its collection under ``/v1``."""

from typing import Final

from registry.domain.assignment import Assignment
from registry.domain.incident import Incident
from registry.domain.institution import Institution
from registry.domain.mapper import NIL_REPORT
from registry.domain.report import Report
from registry.domain.site import Site

COLLECTIONS: Final = {
    Institution.NOUN: "/v1/institutions",
    Site.NOUN: "/v1/sites",
    Assignment.NOUN: "/v1/assignments",
    Report.NOUN: "/v1/reports",
    NIL_REPORT: "/v1/nil-reports",
    Incident.NOUN: "/v1/incidents",
}
