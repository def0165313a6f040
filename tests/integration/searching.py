"""Searching bytes for a value, however it is written: what was found, and where it comes from."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import NamedTuple

import asyncpg


class Found(NamedTuple):
    """Bytes that could hold something, and where they come from."""

    where: str
    data: bytes


def spellings(value: str) -> Iterator[bytes]:
    """How a value could be recognised: as text, escaped, encoded, or as a plain hash."""
    raw = value.encode()
    yield raw
    yield json.dumps(value)[1:-1].encode()
    yield raw.hex().encode()
    for offset in range(3):
        # Base64 of a text within another, wherever it starts: without the characters that its neighbours share.
        yield base64.b64encode(b"\0" * offset + raw)[4 : len(raw) // 3 * 4]
    for algorithm in ("sha256", "sha1", "md5"):
        digest = hashlib.new(algorithm, raw, usedforsecurity=False).digest()
        yield digest
        yield digest.hex().encode()
        yield base64.b64encode(digest)


async def columns(pool: asyncpg.Pool) -> list[Found]:
    """Every value of every column of every table, as the database shows it and as bytes."""
    tables = await pool.fetch(
        "SELECT table_schema AS schema, table_name AS name FROM information_schema.tables "
        "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'"
    )
    assert {("public", "events"), ("vault", "data_keys"), ("incidents", "folded")} <= {
        (table["schema"], table["name"]) for table in tables
    }
    found = []
    for table in tables:
        for row in await pool.fetch(
            f'SELECT t.*, t::text AS "as text" FROM "{table["schema"]}"."{table["name"]}" t'
        ):
            for column, value in row.items():
                where = f"{table['schema']}.{table['name']}.{column}"
                found.append(Found(where, value if isinstance(value, bytes) else str(value).encode()))
    return found


def hits(secrets: dict[str, str], searched: list[Found]) -> list[tuple[str, str]]:
    needles = {name: [one for one in spellings(value) if len(one) >= 8] for name, value in secrets.items()}
    return [
        (name, found.where)
        for found in searched
        for name, spelled in needles.items()
        if any(needle in found.data for needle in spelled)
    ]
