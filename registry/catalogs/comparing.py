"""What a catalogue's rows say against each other, the municipalities, and what was loaded before. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from registry.catalogs.defects import Defect, doubt, note
from registry.catalogs.establishments import Establishment
from registry.catalogs.municipalities import Municipalities, Municipality
from registry.catalogs.reading import Row
from registry.catalogs.seats import Point, distance_km
from registry.catalogs.spelling import folded
from registry.catalogs.state_names import find_state
from registry.catalogs.states import BY_CODE

MOVED_KM: Final = 1.0
"""Between two catalogues; less is how the same place was measured."""


class Known(NamedTuple):
    """An establishment of a catalogue that was adopted before."""

    catalog: str
    establishment: Establishment


def municipalities_between(
    earlier: Mapping[str, Municipality], rows: Sequence[Row[Municipality]]
) -> Iterator[Defect]:
    """What is new, gone and renamed since the vintage before."""
    for row in rows:
        before = earlier.get(row.entry.cvegeo)
        if before is None:
            yield note(
                row.number,
                row.entry.cvegeo,
                "new",
                f"Municipio nuevo: {row.entry.name}.",
                f"New municipality: {row.entry.name}.",
            )
        elif before.name != row.entry.name:
            yield note(
                row.number,
                row.entry.cvegeo,
                "renamed",
                f"Antes {before.name}, ahora {row.entry.name}.",
                f"Formerly {before.name}, now {row.entry.name}.",
            )
    now = {row.entry.cvegeo for row in rows}
    for code, before in sorted(earlier.items()):
        if code not in now:
            yield note(
                None,
                code,
                "gone",
                f"Ya no está: {before.name}.",
                f"No longer there: {before.name}.",
            )


def codes(rows: Sequence[Row[Establishment]]) -> Iterator[Defect]:
    """Old and new codes, and codes that two establishments claim."""
    current = {row.entry.clues: row.number for row in rows}
    holders: defaultdict[str, list[Row[Establishment]]] = defaultdict(list)
    for row in rows:
        if row.entry.former_clues is not None:
            holders[row.entry.former_clues].append(row)
    for former, claimed in holders.items():
        for row in claimed:
            yield note(row.number, row.entry.clues, "code-changed", f"Antes {former}.", f"Formerly {former}.")
            if len(claimed) > 1:
                others = ", ".join(str(other.number) for other in claimed if other is not row)
                yield doubt(
                    row.number,
                    row.entry.clues,
                    "shared-former-clues",
                    f"Su clave anterior, {former}, es también la de la fila {others}. Solo uno puede haberla tenido.",
                    f"Its former code, {former}, is that of row {others}, too. Only one can have had it.",
                )
            if former in current:
                yield doubt(
                    row.number,
                    row.entry.clues,
                    "former-clues-in-use",
                    f"Su clave anterior, {former}, es la actual de la fila {current[former]}.",
                    f"Its former code, {former}, is the present one of row {current[former]}.",
                )


def names_and_places(
    rows: Iterable[Row[Establishment]], municipalities: Municipalities, day: date
) -> Iterator[Defect]:
    """What is missing, and names that are not those of the codes. ``day`` is that of the catalogue."""
    spellings: defaultdict[str, set[str]] = defaultdict(set)
    for vintage in municipalities.vintages:
        for one in vintage.municipalities.values():
            spellings[one.cvegeo].add(folded(one.name))
    for row in rows:
        code, cvegeo = row.entry.clues, row.entry.cvegeo
        if row.entry.name is None:
            yield doubt(row.number, code, "no-name", "No tiene nombre.", "It has no name.")
        if cvegeo is None:
            yield doubt(
                row.number, code, "no-municipality", "No dice su municipio.", "It tells no municipality."
            )
            continue
        if not municipalities.known(cvegeo, day, day):
            yield doubt(
                row.number,
                code,
                "unknown-municipality",
                f"El municipio {cvegeo} no está en el catálogo cargado. Cargue la edición que lo tiene y repita.",
                f"Municipality {cvegeo} is not in the catalogue loaded. Load the vintage that has it, and repeat.",
            )
        elif (
            row.municipality_name
            and cvegeo in spellings
            and folded(row.municipality_name) not in spellings[cvegeo]
        ):
            yield doubt(
                row.number,
                code,
                "municipality-name-differs",
                f"El municipio {cvegeo} se llama de otro modo en el catálogo de municipios: compruebe la clave.",
                f"Municipality {cvegeo} has another name in the catalogue of municipalities: check the code.",
            )
        if row.state_name:
            said = find_state(row.state_name)
            if said is None or said.code != cvegeo[:2]:
                yield doubt(
                    row.number,
                    code,
                    "state-name-differs",
                    f"El nombre de la entidad no es el del código {cvegeo[:2]} ({BY_CODE[cvegeo[:2]].name}).",
                    f"The state's name is not that of code {cvegeo[:2]} ({BY_CODE[cvegeo[:2]].name}).",
                )


def shared_points(rows: Iterable[Row[Establishment]]) -> Iterator[Defect]:
    """Establishments at exactly the same point: one has been copied, or they share a building."""
    points: list[tuple[Row[Establishment], Point]] = [
        (row, row.entry.point) for row in rows if row.entry.point is not None
    ]
    counts = Counter(point for _, point in points)
    for row, point in points:
        if counts[point] > 1:
            yield doubt(
                row.number,
                row.entry.clues,
                "shared-coordinates",
                f"{counts[point]} establecimientos tienen estas mismas coordenadas ({point[0]}, {point[1]}).",
                f"{counts[point]} establishments have these same coordinates ({point[0]}, {point[1]}).",
            )


def since_earlier(
    name: str, rows: Sequence[Row[Establishment]], known: Mapping[str, Known]
) -> Iterator[Defect]:
    """What differs from the newest row that another catalogue, or the vintage before, has under one of the codes.

    ``known`` is by present and former code. Establishments that are new or gone are told within one catalogue only.
    """
    same_catalog = any(one.catalog == name for one in known.values())
    now: set[str] = set()
    for row in rows:
        now.update(row.entry.codes)
        # By the present code rather than by the former one.
        found = [known[code] for code in reversed(row.entry.codes) if code in known]
        if found:
            yield from _differences(row, found[0])
        if same_catalog and all(one.catalog != name for one in found):
            yield note(row.number, row.entry.clues, "new", "Establecimiento nuevo.", "New establishment.")
    for code, one in sorted(known.items()):
        if (
            one.catalog == name
            and code == one.establishment.clues
            and now.isdisjoint(one.establishment.codes)
        ):
            yield note(None, code, "gone", "Ya no está en el catálogo.", "No longer in the catalogue.")


def _differences(row: Row[Establishment], known: Known) -> Iterator[Defect]:
    entry, before = row.entry, known.establishment
    told: list[tuple[str, str, str, str, str]] = []
    if entry.name and before.name and folded(entry.name) != folded(before.name):
        told.append(("name-differs", "El nombre", "The name", before.name, entry.name))
    if entry.cvegeo and before.cvegeo and entry.cvegeo != before.cvegeo:
        told.append(("municipality-differs", "El municipio", "The municipality", before.cvegeo, entry.cvegeo))
    if entry.level and before.level and entry.level is not before.level:
        told.append(("level-differs", "El nivel", "The level", before.level.value, entry.level.value))
    if entry.point and before.point and (apart := distance_km(entry.point, before.point)) > MOVED_KM:
        there = f"{before.latitude}, {before.longitude}"
        here = f"{entry.latitude}, {entry.longitude} ({apart:.1f} km)"
        told.append(("coordinates-differ", "Las coordenadas: lugar", "The coordinates: place", there, here))
    for kind, es, en, old, new in told:
        yield doubt(
            row.number,
            entry.clues,
            kind,
            f"{es} no es el del catálogo {known.catalog}: allí {old}, aquí {new}.",
            f"{en} is not that of catalogue {known.catalog}: there {old}, here {new}.",
        )
