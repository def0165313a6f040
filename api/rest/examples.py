"""One realistic body per endpoint, as OpenAPI and docs/api.md show it. Synthetic: nobody in here exists."""

from typing import Any, Final

INSTITUTION: Final = "8a6f2f0e-3c0b-4d0e-9a53-1b0d0d6c7f10"
SITE: Final = "1f5d7c0a-9a55-4a0e-8f2b-0c6f3f0a7d21"
INCIDENT: Final = "5b0c9d7e-2f4a-4b61-9c38-7a1e0d2f6b4c"
REPORT: Final = "c2b4a9e6-7d1f-4c58-b8a3-5e9d0f1a2b3c"

EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "/v1/institutions": {"name": "Universidad de Ejemplo del Bajío", "kind": "UNIVERSITY", "state": "16"},
    "/v1/institutions/{id}/names": {"name": "Universidad Autónoma de Ejemplo"},
    "/v1/keys": {
        "institution": INSTITUTION,
        "scopes": ["reports:write", "assignments:write", "events:read"],
        "expires_on": "2030-12-31",
    },
    "/v1/subject-requests": {
        "type": "ACCESS",
        "person": {"internal_id": "EJEMPLO-2026-0417"},
        "received_on": "2026-11-02",
        "relation": "La propia persona",
        "contact": {"email": "persona@example.org"},
    },
    "/v1/subject-requests/{id}/answer": {"outcome": "REFUSED", "reason": "IDENTITY_NOT_PROVEN"},
    "/v1/subject-requests/{id}/completion": {"positions": [417]},
    "/v1/sites": {
        "name": "Centro de Salud Rural El Ejemplo",
        "cvegeo": "16012",
        "level": "FIRST",
        "plaza_types": ["A", "B"],
        "contact": {"phone": "+52 55 0000 0000"},
    },
    "/v1/sites/{id}/codes": {"clues": "MNIMB000126", "valid_from": "2026-10-01"},
    "/v1/sites/{id}/conditions": {
        "connectivity": "RADIO",
        "staff_alone": "YES",
        "supervision": "VISITS",
        "on": "2026-09-15",
    },
    "/v1/sites/{id}/suspension": {"reason": "INSECURITY", "on": "2026-10-05"},
    "/v1/sites/{id}/reopening": {"on": "2027-02-01"},
    "/v1/assignments": {
        "student": {"internal_id": "EJEMPLO-2026-0417"},
        "site": SITE,
        "promotion": "2026-2",
        "plaza_type": "A",
        "starts": "2026-08-01",
        "planned_end": "2027-07-31",
        "selection_rank": 1204,
        "source_record_id": "asignacion-0417",
    },
    "/v1/assignments/{id}/start": {"on": "2026-08-03"},
    "/v1/assignments/{id}/suspension": {"on": "2026-10-01", "reason": "THREAT"},
    "/v1/assignments/{id}/resumption": {"on": "2026-10-20"},
    "/v1/assignments/{id}/relocation-requests": {"by": "STUDENT", "reason": "THREAT", "on": "2026-09-30"},
    "/v1/assignments/{id}/relocation-decisions": {"request": 3, "decision": "GRANTED", "on": "2026-10-02"},
    "/v1/assignments/{id}/relocations": {
        "to": SITE,
        "effective": "2026-10-05",
        "reason": "THREAT",
        "request": 3,
    },
    "/v1/assignments/{id}/end": {"reason": "COMPLETED", "on": "2027-07-31"},
    "/v1/assignments/{id}/corrections": {
        "field": "planned_end",
        "new": "2027-08-31",
        "reason": "NEW_EVIDENCE",
    },
    "/v1/reports": {
        "class": "THREAT",
        "source_type": "UNIVERSITY",
        "directness": "DIRECT",
        "when": {
            "earliest": "2026-09-28",
            "latest": "2026-09-30",
            "precision": "INTERVAL",
            "wording": "a finales de septiembre",
        },
        "where": {"state": "16", "cvegeo": "16012", "site": SITE, "precision": "SITE"},
        "kind": "ORDER_TO_LEAVE",
        "means": ["FIREARM"],
        "perpetrator": {"group": "ORGANISED_CRIME", "basis": "ALLEGED"},
        "victims": [
            {
                "role": "PASANTE_MEDICINE",
                "sex": "FEMALE",
                "outcome": "PSYCHOLOGICAL",
                "nexus": "ON_DUTY_AT_SITE",
                "student": {"internal_id": "EJEMPLO-2026-0417"},
            }
        ],
        "narrative": "Dos personas armadas le ordenaron dejar la clínica antes del fin de semana.",
        "source_record_id": "reporte-2026-031",
    },
    "/v1/reports/{id}/amendments": {
        "reason": "NEW_EVIDENCE",
        "class": "THREAT",
        "source_type": "UNIVERSITY",
        "directness": "DIRECT",
        "when": {"earliest": "2026-09-29", "latest": "2026-09-29", "precision": "DAY"},
        "where": {"state": "16", "cvegeo": "16012", "site": SITE, "precision": "SITE"},
        "kind": "ORDER_TO_LEAVE",
        "victims": [{"role": "PASANTE_MEDICINE", "sex": "FEMALE", "outcome": "PSYCHOLOGICAL"}],
        "narrative": "Fue el martes: lo confirma la encargada de la clínica.",
        "source_record_id": "enmienda-2026-031-1",
    },
    "/v1/reports/{id}/withdrawal": {"reason": "DATA_ENTRY"},
    "/v1/reports/{id}/triage": {"decision": "LINK", "incident": INCIDENT},
    "/v1/reports/{id}/match-rejections": {"incident": INCIDENT},
    "/v1/nil-reports/{id}/withdrawal": {"reason": "NEW_EVIDENCE"},
    "/v1/nil-reports": {"quarter": "2026-Q3", "source_record_id": "sin-incidentes-2026-Q3"},
    "/v1/incidents": {
        "class": "THREAT",
        "reports": [REPORT, {"source_record_id": "reporte-2026-031", "institution": INSTITUTION}],
        "findings": [
            {"when": {"earliest": "2026-09-28", "latest": "2026-09-30", "precision": "INTERVAL"}},
            {"where": {"state": "16", "cvegeo": "16012", "precision": "MUNICIPALITY"}},
            {"kind": "ORDER_TO_LEAVE"},
        ],
        "victims": [
            {
                "role": "PASANTE_MEDICINE",
                "sex": "FEMALE",
                "outcome": "PSYCHOLOGICAL",
                "nexus": "ON_DUTY_AT_SITE",
            }
        ],
        "certainty": {"level": "POSSIBLE", "basis": ["LINKED_REPORTS"]},
        "source_record_id": "caso-2026-007",
    },
    "/v1/webhooks": {
        "url": "https://integracion.example.org/constancia",
        "types": ["incident.disclosed", "release.published"],
    },
    "/v1/webhooks/{id}/test": {},
    "/v1/webhooks/{id}/rotate": {},
    "/v1/webhooks/{id}/replay": {"after": 0},
    "/v1/incidents/{id}/victims": {
        "role": "PASANTE_MEDICINE",
        "sex": "MALE",
        "outcome": "NONE",
        "nexus": "COMMUTE",
        "count": {"low": 1, "best": 1, "high": 2},
    },
    "/v1/incidents/{id}/reports": {"report": REPORT},
    "/v1/incidents/{id}/findings": {
        "kind": "ARMED_INTIMIDATION",
        "basis": ["LINKED_REPORTS"],
        "reports": [REPORT],
    },
    "/v1/incidents/{id}/outcomes": {
        "victim": 1,
        "outcome": "KILLED",
        "manner": "HOMICIDE",
        "known_on": "2026-10-12",
        "source_record_id": "desenlace-2026-007",
    },
    "/v1/incidents/{id}/dispute": {
        "ground": "WHEN",
        "statement": "Según el acta de la clínica, ocurrió el día anterior.",
    },
    "/v1/incidents/{id}/dispute-resolution": {"dispute": 1, "decision": "UPHELD"},
    "/v1/incidents/{id}/corrections": {
        "when": {"earliest": "2026-09-27", "latest": "2026-09-27", "precision": "DAY"},
        "reason": "NEW_EVIDENCE",
        "authority": "Acta 12 de la clínica de ejemplo",
    },
    "/v1/incidents/{id}/certainty": {"level": "PROBABLE", "basis": ["LINKED_REPORTS"]},
    "/v1/incidents/{id}/retraction": {"reason": "OUT_OF_SCOPE"},
    "/v1/incidents/{id}/reinstatement": {"reason": "NEW_EVIDENCE"},
    "/v1/incidents/{id}/merge": {"into": INCIDENT, "reason": "DUPLICATE"},
    "/v1/incidents/{id}/split": {"reports": [REPORT], "victims": [2], "reason": "MISIDENTIFICATION"},
}
