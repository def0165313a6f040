"""What drafts claim and whom they name, as values of the domain: days, places, victims, students, records."""

from registry.application.claims.occurrence import (
    victim,
    when,
    where,
)

__all__ = [
    "victim",
    "when",
    "where",
]
