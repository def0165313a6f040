"""Which key may call which endpoint: declared here, once, for every path under ``/v1``.

A key needs one of the scopes listed for an endpoint. What it may see or change *there* (its own institution only,
submitter other than verifier) is decided by the domain.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """What a key may be used for."""

    REPORTS_WRITE = "reports:write"
    ASSIGNMENTS_WRITE = "assignments:write"
    IMPORTS_WRITE = "imports:write"
    EVENTS_READ = "events:read"
    INCIDENTS_VERIFY = "incidents:verify"
    RESTRICTED_READ = "restricted:read"
    WEBHOOKS_MANAGE = "webhooks:manage"
    ADMIN = "admin"


ANY: Final = frozenset(Scope)
"""Open to every valid key: what is read there is public anyway, or guarded record by record."""

FOR_AN_INSTITUTION: Final = ANY - {Scope.ADMIN}
"""Scopes that make sense only for a key of an institution: the operator neither reports nor verifies."""


class Role(StrEnum):
    """What people are in the register. A role is a named set of scopes and nothing else: keys store the scopes."""

    ADMIN = "admin"
    SUBMITTER = "submitter"
    VERIFIER = "verifier"
    ANALYST = "analyst"
    PUBLIC = "public"


ROLES: Final[Mapping[Role, frozenset[Scope]]] = {
    Role.ADMIN: frozenset({Scope.ADMIN}),
    Role.SUBMITTER: frozenset(
        {Scope.REPORTS_WRITE, Scope.ASSIGNMENTS_WRITE, Scope.IMPORTS_WRITE, Scope.EVENTS_READ}
    ),
    Role.VERIFIER: frozenset({Scope.INCIDENTS_VERIFY, Scope.IMPORTS_WRITE, Scope.EVENTS_READ}),
    Role.ANALYST: frozenset({Scope.RESTRICTED_READ, Scope.EVENTS_READ}),
    Role.PUBLIC: frozenset(),
}
"""The public needs no key. ``webhooks:manage`` is in no role: it is given to whoever runs an integration."""

_ADMIN = frozenset({Scope.ADMIN})
_SUBMIT = frozenset({Scope.REPORTS_WRITE})
_ASSIGN = frozenset({Scope.ASSIGNMENTS_WRITE})
_VERIFY = frozenset({Scope.INCIDENTS_VERIFY})
# Verifiers, analysts and the administrator see the records of all institutions, others their own; narratives and
# identities are guarded within.
_READ_ALL = _VERIFY | _ADMIN | {Scope.RESTRICTED_READ}
_READ_REPORTS = _SUBMIT | _READ_ALL | {Scope.EVENTS_READ}
_READ_ASSIGNMENTS = _ASSIGN | _READ_ALL | {Scope.EVENTS_READ}
_READ_INCIDENTS = _READ_ALL
_WEBHOOKS = frozenset({Scope.WEBHOOKS_MANAGE})
_FOLLOW = frozenset({Scope.EVENTS_READ})

REQUIRED: Final[Mapping[tuple[str, str], frozenset[Scope]]] = {
    ("POST", "/v1/institutions"): _ADMIN,
    ("GET", "/v1/institutions"): ANY,
    ("GET", "/v1/institutions/{id}"): ANY,
    ("POST", "/v1/institutions/{id}/names"): _ADMIN,
    ("POST", "/v1/keys"): _ADMIN,
    ("GET", "/v1/keys"): _ADMIN,
    ("GET", "/v1/keys/{id}"): _ADMIN,
    # The ministry of health registers sites, too: with the scope for assignments, and the domain knows its kind.
    ("POST", "/v1/sites"): _ADMIN | _ASSIGN,
    ("POST", "/v1/sites/{id}/codes"): _ADMIN | _ASSIGN,
    ("POST", "/v1/sites/{id}/conditions"): _ADMIN | _ASSIGN,
    ("POST", "/v1/sites/{id}/suspension"): _ADMIN | _ASSIGN,
    ("POST", "/v1/sites/{id}/reopening"): _ADMIN | _ASSIGN,
    ("GET", "/v1/sites"): ANY,
    ("GET", "/v1/sites/{id}"): ANY,
    ("GET", "/v1/sites/{id}/history"): _READ_ALL,
    ("POST", "/v1/assignments"): _ASSIGN,
    ("POST", "/v1/assignments/{id}/start"): _ASSIGN,
    ("POST", "/v1/assignments/{id}/suspension"): _ASSIGN,
    ("POST", "/v1/assignments/{id}/resumption"): _ASSIGN,
    ("POST", "/v1/assignments/{id}/relocation-requests"): _ASSIGN,
    ("POST", "/v1/assignments/{id}/relocation-decisions"): _ASSIGN,
    ("POST", "/v1/assignments/{id}/relocations"): _ASSIGN,
    ("POST", "/v1/assignments/{id}/end"): _ASSIGN,
    ("POST", "/v1/assignments/{id}/corrections"): _ASSIGN,
    ("GET", "/v1/assignments"): _READ_ASSIGNMENTS,
    ("GET", "/v1/assignments/{id}"): _READ_ASSIGNMENTS,
    ("POST", "/v1/reports"): _SUBMIT,
    ("GET", "/v1/reports"): _READ_REPORTS,
    ("GET", "/v1/reports/{id}"): _READ_REPORTS,
    ("POST", "/v1/reports/{id}/amendments"): _SUBMIT,
    ("POST", "/v1/reports/{id}/withdrawal"): _SUBMIT,
    ("POST", "/v1/reports/{id}/triage"): _VERIFY,
    ("POST", "/v1/reports/{id}/match-rejections"): _VERIFY,
    ("GET", "/v1/matches"): _VERIFY,
    ("GET", "/v1/triage-queue"): _VERIFY,
    ("GET", "/v1/places"): ANY,
    ("POST", "/v1/nil-reports"): _SUBMIT,
    ("POST", "/v1/nil-reports/{id}/withdrawal"): _SUBMIT,
    ("GET", "/v1/nil-reports"): _READ_REPORTS,
    ("GET", "/v1/nil-reports/{id}"): _READ_REPORTS,
    ("POST", "/v1/incidents"): _VERIFY,
    ("POST", "/v1/incidents/{id}/reports"): _VERIFY,
    ("POST", "/v1/incidents/{id}/victims"): _VERIFY,
    ("POST", "/v1/incidents/{id}/findings"): _VERIFY,
    ("POST", "/v1/incidents/{id}/certainty"): _VERIFY,
    ("POST", "/v1/incidents/{id}/outcomes"): _VERIFY,
    # Contesting decides nothing: every institution may.
    ("POST", "/v1/incidents/{id}/dispute"): FOR_AN_INSTITUTION,
    ("POST", "/v1/incidents/{id}/dispute-resolution"): _VERIFY,
    ("POST", "/v1/incidents/{id}/corrections"): _VERIFY,
    ("POST", "/v1/incidents/{id}/retraction"): _VERIFY,
    ("POST", "/v1/incidents/{id}/reinstatement"): _VERIFY,
    ("POST", "/v1/incidents/{id}/merge"): _VERIFY,
    ("POST", "/v1/incidents/{id}/split"): _VERIFY,
    ("GET", "/v1/incidents"): _READ_INCIDENTS,
    ("GET", "/v1/incidents/{id}"): _READ_INCIDENTS,
    ("GET", "/v1/incidents/{id}/warnings"): _READ_INCIDENTS,
    ("GET", "/v1/events"): _FOLLOW,
    ("GET", "/v1/events/stream"): _FOLLOW,
    # A receipt is shown to the institution that sent the event and to nobody else.
    ("GET", "/v1/receipts/{position}"): ANY,
    ("POST", "/v1/reports/{id}/evidence"): _SUBMIT,
    ("GET", "/v1/evidence/{id}"): _SUBMIT | _VERIFY | _ADMIN,
    ("GET", "/v1/evidence/{id}/file"): _SUBMIT | _VERIFY,
    # An institution keeps the requests of its own students; erasures are carried out by the administrator alone.
    ("POST", "/v1/subject-requests"): _ADMIN | _ASSIGN,
    ("GET", "/v1/subject-requests"): _ADMIN | _ASSIGN,
    ("GET", "/v1/subject-requests/{id}"): _ADMIN | _ASSIGN,
    ("GET", "/v1/subject-requests/{id}/data"): _ADMIN | _ASSIGN,
    ("POST", "/v1/subject-requests/{id}/answer"): _ADMIN | _ASSIGN,
    ("POST", "/v1/subject-requests/{id}/completion"): _ADMIN | _ASSIGN,
    # The administrator asks about all records, an institution about its own.
    ("GET", "/v1/private-reads"): _ADMIN | _SUBMIT | _ASSIGN,
    # What the rows are needs its own scope besides; the import checks it when it knows.
    ("POST", "/v1/imports"): frozenset({Scope.IMPORTS_WRITE}),
    ("GET", "/v1/imports/{id}"): frozenset({Scope.IMPORTS_WRITE}),
    ("DELETE", "/v1/imports/{id}"): frozenset({Scope.IMPORTS_WRITE}),
    ("POST", "/v1/imports/{id}/cancellation"): frozenset({Scope.IMPORTS_WRITE}),
    ("GET", "/v1/imports/{id}/file"): frozenset({Scope.IMPORTS_WRITE}),
    # What an endpoint gets is what its key may read; without events:read, what is public.
    ("POST", "/v1/webhooks"): _WEBHOOKS,
    ("GET", "/v1/webhooks"): _WEBHOOKS,
    ("GET", "/v1/webhooks/{id}"): _WEBHOOKS,
    ("DELETE", "/v1/webhooks/{id}"): _WEBHOOKS,
    ("POST", "/v1/webhooks/{id}/test"): _WEBHOOKS,
    ("POST", "/v1/webhooks/{id}/rotate"): _WEBHOOKS,
    ("POST", "/v1/webhooks/{id}/replay"): _WEBHOOKS,
    ("GET", "/v1/webhooks/{id}/attempts"): _WEBHOOKS,
}

KEYLESS: Final = frozenset({("GET", "/v1/events"), ("GET", "/v1/events/stream")})
"""Endpoints that answer without a key, too, with what is public. A key that comes along needs its scope."""
