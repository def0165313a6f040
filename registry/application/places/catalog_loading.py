"""Takes a catalogue into the register: what is wrong with it, its rows, the event that adopts it."""

from collections.abc import Sequence
from typing import NamedTuple

from registry.application import register
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, WriteOptions
from registry.catalogs import comparing
from registry.catalogs.boundaries import Boundaries
from registry.catalogs.defects import Defect
from registry.catalogs.establishments import Establishment
from registry.catalogs.municipalities import Municipality, vintage_day
from registry.catalogs.reading import Row
from registry.catalogs.seats import Seats
from registry.domain.register import REGISTER_ID, Adopted, Register
from registry.store.catalogs import CatalogFile


class Adoption(NamedTuple):
    """Under which vintage the file is adopted. ``new`` False: it was before, and nothing has changed."""

    vintage: str
    new: bool


async def adopted(app: Application) -> tuple[Adopted, ...]:
    """All catalogues in the order of adoption."""
    found = await app.load(Register, REGISTER_ID)
    return found.catalogs if found else ()


async def examine_municipalities(
    app: Application, rows: Sequence[Row[Municipality]], vintage: str
) -> list[Defect]:
    """What has changed since the vintage before."""
    known = await app.catalogs.municipalities(await adopted(app))
    day = vintage_day(vintage)
    earlier = [one for one in known.vintages if one.day < day]
    if not earlier:
        return []
    return list(comparing.municipalities_between(earlier[-1].municipalities, rows))


async def examine_establishments(
    app: Application,
    rows: Sequence[Row[Establishment]],
    name: str,
    vintage: str,
    boundaries: Boundaries | None = None,
) -> list[Defect]:
    """What the rows say against each other, the municipalities, and the establishments adopted before.

    Points are held against ``boundaries``; without them, against the seats of municipalities.
    """
    before = await adopted(app)
    municipalities = await app.catalogs.municipalities(before)
    day = vintage_day(vintage)
    # The newest coordinates of each seat: not every vintage tells them.
    seats = {
        one.cvegeo: one
        for known in municipalities.vintages
        for one in known.municipalities.values()
        if one.latitude is not None
    }
    known = await app.catalogs.establishments(
        before, [code for row in rows for code in row.entry.codes], name
    )
    return [
        *comparing.codes(rows),
        *comparing.names_and_places(rows, municipalities, day),
        *(boundaries or Seats(seats.values())).misplaced(rows),
        *comparing.shared_points(rows),
        *comparing.since_earlier(name, rows, known),
    ]


async def adopt(app: Application, file: CatalogFile, *, vintage_given: bool) -> Adoption:
    """Stores the rows and adopts them; a crash in between leaves nothing that counts, and repeating finishes it.

    ``vintage_given``: somebody says that the file is of that vintage. Otherwise the same file changes nothing.
    """
    ids = {one.id for one in await adopted(app)}
    for stored, vintage in (await app.catalogs.stored_as(file)).items():
        if stored in ids and (vintage == file.vintage or not vintage_given):
            return Adoption(vintage, new=False)
    stored = await app.catalogs.store(file)
    decision = register.adopt_catalog(stored, file.name, file.vintage, file.sha256.hex(), len(file.entries))
    await app.execute(OPERATOR, decision, WriteOptions())
    return Adoption(file.vintage, new=True)
