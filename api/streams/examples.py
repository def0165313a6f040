"""Events as streams deliver them, for the document that describes them. Synthetic: none of it happened."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from api.streams.envelope import HIDDEN, Envelope, publicly
from registry.log.canonical import JSON
from registry.log.leaf import ENTRY, entry_leaf, open_leaf
from registry.log.merkle import leaf_hash

_ENVELOPE: Final = Envelope("registro.example.org/log")
_INCIDENT: Final = UUID("5b0c9d7e-2f4a-4b61-9c38-7a1e0d2f6b4c")
_DISCLOSURE: Final = UUID("e1a4c3d2-7b60-4f19-8a5e-3c2d1b0f9e87")
_ENTRY: Final = UUID("34b8cc0c-d73d-4af2-84df-f31630dc7615")
_COMMITMENT: Final = "mRV44TOJPMvvOABN9DHzKpJSSO24YQP6qnBAQhVm2wI="
_DISCLOSED: Final = "incident.disclosed"

_SEALED: Final[JSON] = {"sealed": _COMMITMENT}
_PEOPLE: Final[JSON] = {"victims": [1, 1, 1], "deaths": [0, 0, 0]}
_PUBLIC: Final[dict[str, JSON]] = {
    "incident": str(_INCIDENT),
    "status": "ACTIVE",
    "merged_into": None,
    "certainty": "CONFIRMED",
    "disputed": False,
    "class": "THREAT",
    "waived": [],
    "reason": None,
    "facets": {
        "tally": {"value": {"strict": _PEOPLE, "broad": _PEOPLE}},
        "year": {"value": "2026"},
        "state": {"value": "16"},
        "kind": _SEALED,
        "municipality": _SEALED,
        "month": _SEALED,
        "sex": {"value": "NOT_APPLICABLE"},
    },
}


def examples() -> Mapping[str, dict[str, Any]]:
    """Events by their type."""
    disclosed = open_leaf(_DISCLOSURE, _DISCLOSED, date(2026, 11, 22), _PUBLIC)
    sealed = entry_leaf(_ENTRY, _COMMITMENT)
    shown = publicly(_DISCLOSED, _INCIDENT, disclosed)
    return {
        _DISCLOSED: json.loads(_ENVELOPE.encode(41, _DISCLOSURE, shown, disclosed, leaf_hash(disclosed))),
        ENTRY: json.loads(_ENVELOPE.encode(42, _ENTRY, HIDDEN, sealed, leaf_hash(sealed))),
    }
