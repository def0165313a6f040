"""The municipalities of Mexico by vintage of the catalogue: which code holds on which day. Pure.

A vintage tells what there was on its day. Between two of them either may be true, since neither tells on which day a
municipality was made or renamed; before the first and after the last, that one is all that is known.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from registry.errors import InvalidInput

CATALOG: Final = "municipalities"
"""Under this name every vintage is adopted."""

MAX_NAMED: Final = 3
"""Municipalities that an error proposes."""

_VINTAGE = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")


class Municipality(NamedTuple):
    """``cvegeo`` is INEGI's code, five digits; coordinates are those of its seat, in degrees, where known."""

    cvegeo: str
    name: str
    latitude: float | None = None
    longitude: float | None = None


class Vintage(NamedTuple):
    """``label`` as adopted (``2020``, ``2020-07``, ``2020-07-01``), and what the catalogue held then, by code."""

    label: str
    municipalities: Mapping[str, Municipality]

    @property
    def day(self) -> date:
        return vintage_day(self.label)


def vintage_day(label: str) -> date:
    """The first day of a year, a month or a day. Raises ValueError for anything else."""
    if not _VINTAGE.fullmatch(label):
        raise ValueError("no vintage")
    year, month, day = [*map(int, label.split("-")), 1, 1][:3]
    return date(year, month, day)


class Municipalities:
    """All vintages together; of two with the same day, the one given later. Empty where nothing is loaded."""

    def __init__(self, vintages: Iterable[Vintage] = ()) -> None:
        by_day = {vintage.day: vintage for vintage in vintages}
        self._days = sorted(by_day)
        self.vintages: Sequence[Vintage] = tuple(by_day[day] for day in self._days)

    def holding(self, earliest: date | None, latest: date) -> Sequence[Vintage]:
        """Those that may be true of a day in the interval (``earliest`` None: open start), the oldest first."""
        first = max(bisect_right(self._days, earliest) - 1, 0) if earliest else 0
        return self.vintages[first : bisect_right(self._days, latest) + 1]

    def known(self, cvegeo: str, earliest: date | None, latest: date) -> bool:
        """Whether the code may hold on a day in the interval; every code does where nothing is loaded."""
        return not self.vintages or any(
            cvegeo in vintage.municipalities for vintage in self.holding(earliest, latest)
        )

    def check(self, cvegeo: str, earliest: date | None, latest: date, *, field: str) -> None:
        """Raises InvalidInput, naming the field and the municipalities whose codes are most like it."""
        if self.known(cvegeo, earliest, latest):
            return
        others = [vintage.label for vintage in self.vintages if cvegeo in vintage.municipalities]
        if others:
            labels = ", ".join(others)
            raise InvalidInput(
                field,
                f"Ese municipio no existía en esa fecha: está solo en el catálogo de {labels}. Indique el municipio "
                "que abarcaba el lugar entonces, o corrija la fecha.",
                f"That municipality did not exist on that date: it is in the catalogue of {labels} only. Give the "
                "municipality that the place belonged to then, or correct the date.",
            )
        named = "; ".join(f"{one.cvegeo} {one.name}" for one in self.alike(cvegeo, earliest, latest))
        raise InvalidInput(
            field,
            f"No hay municipio con ese código en el catálogo. Los más parecidos: {named}. Copie el código del "
            "catálogo, o búsquelo por nombre en GET /v1/places.",
            f"The catalogue has no municipality with that code. Most alike: {named}. Copy the code from the "
            "catalogue, or look it up by name at GET /v1/places.",
        )

    def alike(self, cvegeo: str, earliest: date | None, latest: date) -> list[Municipality]:
        """Those whose codes differ least, of the same state where it has any: fewest digits, then nearest number."""
        there = {
            one.cvegeo: one
            for vintage in self.holding(earliest, latest)
            for one in vintage.municipalities.values()
        }
        same_state = [one for one in there.values() if one.cvegeo[:2] == cvegeo[:2]]

        def difference(one: Municipality) -> tuple[int, int]:
            digits = sum(a != b for a, b in zip(one.cvegeo, cvegeo, strict=True))
            swapped = sorted(one.cvegeo) == sorted(cvegeo) and digits == 2
            return (1 if swapped else digits), abs(int(one.cvegeo) - int(cvegeo))

        return sorted(same_state or there.values(), key=difference)[:MAX_NAMED]
