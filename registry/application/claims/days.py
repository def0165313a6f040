"""Civil days as they are sent, compared with the day it is."""

from datetime import date, timedelta

from registry.application.execution.unit import Unit
from registry.errors import InvalidInput

CLOCK_TOLERANCE = timedelta(days=1)
"""Civil dates are those of the place: in UTC they may be a day ahead."""


def must_have_come(unit: Unit, day: date, field: str = "on") -> None:
    """Raises InvalidInput for a day in the future: what has happened, happened by today."""
    if day > (unit.act.at + CLOCK_TOLERANCE).date():
        raise InvalidInput(
            field,
            "La fecha está en el futuro. Registre el hecho cuando haya ocurrido; si no, compruebe el año.",
            "The date is in the future. Record this once it has happened; otherwise check the year.",
        )
