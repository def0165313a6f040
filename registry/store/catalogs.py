"""Catalogues as they are stored: rows first, then the event that adopts them; readers see adopted ones only.

What was adopted never changes, so each process keeps the municipalities that it has read. Which vintages are adopted
it knows from the register's own stream: a decision that rests on it is refused by the store, and taken anew, if that
stream has moved on since. So no command asks the database which catalogue holds, and none follows an old one.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec

from registry.catalogs.comparing import Known
from registry.catalogs.establishments import Establishment
from registry.catalogs.municipalities import (
    CATALOG,
    Municipalities,
    Municipality,
    Vintage,
    vintage_day,
)
from registry.catalogs.places import Places
from registry.catalogs.reading import plain
from registry.domain.codes import SiteLevel
from registry.domain.register import Adopted
from registry.log.canonical import encode
from registry.sql import load_queries

_QUERIES = load_queries("registry.store", "catalogs.sql")

_MUNICIPALITY = ("catalog", *Municipality._fields)
_ESTABLISHMENT = ("catalog", *Establishment._fields)


class CatalogFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was read: the name and vintage to adopt it under, its SHA-256, what was taken from it."""

    name: str
    vintage: str
    sha256: bytes
    entries: Sequence[Municipality] | Sequence[Establishment]

    @property
    def taken(self) -> bytes:
        """SHA-256 of the entries: another profile may read others from the same file."""
        return sha256(encode([plain(entry) for entry in self.entries])).digest()


class Catalogs:
    """Reads and stores catalogues. One per process; the pool belongs to the caller."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._vintages: dict[UUID, Vintage] = {}
        self._municipalities: tuple[tuple[UUID, ...], Municipalities] = ((), Municipalities())
        self._places: tuple[Municipalities | None, Places] = (None, Places(Municipalities()))

    async def municipalities(self, adopted: Iterable[Adopted]) -> Municipalities:
        """All vintages among the catalogues adopted; empty where there is none. Asks for each vintage once."""
        wanted = [one for one in adopted if one.name == CATALOG]
        ids = tuple([one.id for one in wanted])
        if ids == self._municipalities[0]:
            return self._municipalities[1]
        for one in wanted:
            if one.id not in self._vintages:
                rows = await self._pool.fetch(_QUERIES["municipalities"], one.id)
                self._vintages[one.id] = Vintage(
                    one.vintage, {row["cvegeo"]: Municipality(*row) for row in rows}
                )
        known = Municipalities(self._vintages[catalog_id] for catalog_id in ids)
        self._municipalities = (ids, known)
        return known

    async def places(self, adopted: Iterable[Adopted]) -> Places:
        """The same by name."""
        municipalities = await self.municipalities(adopted)
        if self._places[0] is not municipalities:
            self._places = (municipalities, Places(municipalities))
        return self._places[1]

    async def establishments(
        self, adopted: Iterable[Adopted], codes: Sequence[str], name: str
    ) -> dict[str, Known]:
        """By present and former code, what the newest catalogues say of some codes; of catalogue ``name``, of all."""
        in_time = sorted(adopted, key=lambda one: vintage_day(one.vintage))
        newest = {one.name: one for one in in_time if one.name != CATALOG}
        by_id = {one.id: one.name for one in newest.values()}
        same = newest[name].id if name in newest else None
        rows = await self._pool.fetch(_QUERIES["establishments"], list(by_id), codes, same)
        order = {catalog_id: number for number, catalog_id in enumerate(by_id)}
        known: dict[str, Known] = {}
        # The catalogue of the same name last: what it said before is what a new vintage is compared with.
        for row in sorted(rows, key=lambda row: (row["catalog"] == same, order[row["catalog"]])):
            catalog, *fields = row
            one = Known(by_id[catalog], _establishment(fields))
            known |= dict.fromkeys(one.establishment.codes, one)
        return known

    async def stored_as(self, file: CatalogFile) -> dict[UUID, str]:
        """Id and vintage of each time that the same rows of the same file were stored."""
        rows = await self._pool.fetch(_QUERIES["same_file"], file.name, file.sha256, file.taken)
        return {row["id"]: row["vintage"] for row in rows}

    async def store(self, file: CatalogFile) -> UUID:
        """Stores the rows, all or none, and returns the id to adopt them by; the same one for the same file."""
        key = (file.name, file.vintage, file.sha256, file.taken)
        async with self._pool.acquire() as connection, connection.transaction():
            new: UUID | None = await connection.fetchval(_QUERIES["store"], uuid4(), *key)
            if new is None:
                known: UUID = await connection.fetchval(_QUERIES["stored"], *key)
                return known
            table, columns = (
                ("municipalities", _MUNICIPALITY)
                if file.name == CATALOG
                else ("establishments", _ESTABLISHMENT)
            )
            await connection.copy_records_to_table(
                table, records=[(new, *entry) for entry in file.entries], columns=columns
            )
            return new


def _establishment(fields: Sequence[Any]) -> Establishment:
    read = Establishment(*fields)
    return read._replace(level=SiteLevel(read.level) if read.level else None)
