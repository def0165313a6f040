"""Establishments of a catalogue, as their official files list them: codes, names, places. Pure."""

from datetime import date
from typing import Final, NamedTuple

from registry.domain.codes import SiteLevel

EARTH_RADIUS_KM: Final = 6371.0


class Establishment(NamedTuple):
    """One row. ``former_clues`` is the code that the same establishment had before; ``valid_from`` is the first day of
    ``clues``. What the file does not tell is None.
    """

    clues: str
    former_clues: str | None = None
    name: str | None = None
    cvegeo: str | None = None
    level: SiteLevel | None = None
    latitude: float | None = None
    longitude: float | None = None
    valid_from: date | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """The former one first."""
        return (self.former_clues, self.clues) if self.former_clues else (self.clues,)

    @property
    def point(self) -> tuple[float, float] | None:
        """Latitude and longitude in degrees, where both are known."""
        if self.latitude is None or self.longitude is None:
            return None
        return self.latitude, self.longitude
