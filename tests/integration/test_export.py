"""``constancia export``: a mirror that verifies by itself, at every moment of its making."""

import asyncio
import csv
import json
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
import yaml

from api.cli.verify import run
from projections.counting.certificate import certify
from projections.counting.definition import definition_sha256
from projections.counting.fold import fold
from projections.counting.query import CountQuery, ask
from projections.errors import DefinitionNotAdopted, ExportRefused, NotPublishedYet
from projections.mirror import placing
from projections.mirror.export import Exported, export
from projections.mirror.parquet import read_parquet
from projections.verification.verifier import Options
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor
from registry.log import reader, storage
from registry.log.keys import LogKeys, Purpose, load_or_create
from registry.log.leaf import entry_leaf
from registry.log.merkle import leaf_hash
from registry.log.publisher import Publisher
from registry.log.tiles import bundle_path, tile_path, tiles_of
from registry.privacy.sealing import commitment, new_key
from tests.integration.conftest import Clock
from tests.integration.published import given, one_incident, write_history

SERVED = {"policy": b"quorum none\n"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "mirror"


@pytest.fixture
async def publisher(
    app: Application,
    pool: asyncpg.Pool,
    clock: Clock,
    university: Actor,
    verifier: Actor,
    log_keys: LogKeys,
    tmp_path: Path,
) -> Publisher:
    await write_history(app, pool, clock, university, verifier)
    publisher = Publisher(pool, log_keys, log_keys.origin, tmp_path / "log")
    await publisher.publish_once()
    return publisher


async def exported(pool: asyncpg.Pool, keys: LogKeys, place: Path) -> Exported:
    served = {**SERVED, "keys": json.dumps(keys.vkeys()).encode()}
    return await export(pool, keys.origin, keys.verifiers(Purpose.LOG), served, place)


def contents(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def verified(place: Path, keys: LogKeys) -> int:
    return run(str(place), given(keys))


async def grow(app: Application, publisher: Publisher, university: Actor, verifier: Actor) -> None:
    await one_incident(app, university, verifier)
    await publisher.publish_once()


async def test_an_export_verifies_with_the_key_and_says_so_without_it(
    pool: asyncpg.Pool,
    publisher: Publisher,
    log_keys: LogKeys,
    place: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await exported(pool, log_keys, place)

    assert verified(place, log_keys) == 0
    assert "The 6 files of counts say what the leaves give" in capsys.readouterr().out
    assert run(str(place), Options()) == 4


async def test_a_mirror_holds_the_bytes_that_the_log_serves(
    pool: asyncpg.Pool, publisher: Publisher, log_keys: LogKeys, place: Path
) -> None:
    size = (await exported(pool, log_keys, place)).size

    assert (place / "checkpoint").read_text() == await reader.checkpoint_note(pool)
    for tile in tiles_of(size):
        path = tile_path(tile.level, tile.index, tile.width)
        assert (place / path).read_bytes() == await reader.tile(pool, path)
    assert (place / bundle_path(0, size)).read_bytes() == await reader.tile(pool, bundle_path(0, size))
    assert (place / "policy").read_bytes() == SERVED["policy"]


async def test_a_mirror_describes_itself(
    pool: asyncpg.Pool, publisher: Publisher, log_keys: LogKeys, place: Path
) -> None:
    size = (await exported(pool, log_keys, place)).size

    package = json.loads((place / "datapackage.json").read_text())
    assert package["licenses"][0]["name"] == "CC-BY-4.0"
    assert definition_sha256() in package["description"]
    for resource in package["resources"]:
        content = (place / resource["path"]).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{sha256(content).hexdigest()}"
        if resource["format"] == "csv":
            names = next(csv.reader(content.decode().splitlines()))
        else:
            names, _ = read_parquet(content)
        assert names == [field["name"] for field in resource["schema"]["fields"]]
    cited = yaml.safe_load((place / "CITATION.cff").read_text())
    assert cited["version"] == str(size)
    assert date.fromisoformat(cited["date-released"]) == datetime.fromisoformat(package["created"]).date()
    assert log_keys.origin in (place / "README.md").read_text()
    assert "CC-BY-4.0" in (place / "LICENSE").read_text()


async def test_exporting_again_changes_nothing_and_later_only_adds(
    pool: asyncpg.Pool,
    publisher: Publisher,
    app: Application,
    university: Actor,
    verifier: Actor,
    log_keys: LogKeys,
    place: Path,
) -> None:
    await exported(pool, log_keys, place)
    before = contents(place)
    assert (await exported(pool, log_keys, place)).written == 0
    assert contents(place) == before

    await grow(app, publisher, university, verifier)
    await exported(pool, log_keys, place)

    after = contents(place)
    replaced = {path for path in before if after.get(path) != before[path]}
    assert replaced == {"checkpoint", "datapackage.json", "CITATION.cff", "README.md"}
    assert verified(place, log_keys) == 0


async def pad(pool: asyncpg.Pool, size: int) -> None:
    """Entry leaves until the log has so many."""
    positions = range(await storage.count_events(pool), size)
    events = [uuid4() for _ in positions]
    leaves = [entry_leaf(event, commitment(new_key(), event, "content", {})) for event in events]
    await pool.execute(
        "INSERT INTO events (position, event_id, stream_id, version, type, state, leaf, leaf_hash) "
        "SELECT position, id, gen_random_uuid(), 1, 'attack.reported', '', leaf, hash "
        "FROM unnest($1::bigint[], $2::uuid[], $3::bytea[], $4::bytea[]) AS new (position, id, leaf, hash)",
        positions,
        events,
        leaves,
        [leaf_hash(leaf) for leaf in leaves],
    )


async def test_a_mirror_grows_from_tile_to_tile(
    pool: asyncpg.Pool, publisher: Publisher, log_keys: LogKeys, place: Path
) -> None:
    for size in (255, 256, 257, 1024, 1300):
        await pad(pool, size)
        await publisher.publish_once()
        assert (await exported(pool, log_keys, place)).size == size
        assert verified(place, log_keys) == 0
    for tile in tiles_of(1300):
        path = tile_path(tile.level, tile.index, tile.width)
        assert (place / path).read_bytes() == await reader.tile(pool, path)


async def test_a_changed_number_is_named_by_file_and_row_also_as_of_an_earlier_size(
    pool: asyncpg.Pool,
    publisher: Publisher,
    app: Application,
    university: Actor,
    verifier: Actor,
    log_keys: LogKeys,
    place: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    size = (await exported(pool, log_keys, place)).size
    await grow(app, publisher, university, verifier)
    await exported(pool, log_keys, place)
    totals = place / "counts" / str(size) / "totals.csv"
    totals.write_text(totals.read_text().replace("INCIDENTS,STRICT,0,0,3", "INCIDENTS,STRICT,0,0,4"))

    assert verified(place, log_keys) == 1
    failed = capsys.readouterr().err
    assert f"counts/{size}/totals.csv, row 1: it says “INCIDENTS,STRICT,0,0,4,0”" in failed
    assert "the leaves give “INCIDENTS,STRICT,0,0,3,0”" in failed


async def test_a_changed_parquet_file_is_named(
    pool: asyncpg.Pool,
    publisher: Publisher,
    log_keys: LogKeys,
    place: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    size = (await exported(pool, log_keys, place)).size
    folder = place / "counts" / str(size)
    (folder / "counts.parquet").write_bytes((folder / "totals.parquet").read_bytes())
    assert verified(place, log_keys) == 1
    assert f"counts/{size}/counts.parquet, row 0" in capsys.readouterr().err
    (folder / "counts.parquet").write_bytes(b"PAR1")
    assert verified(place, log_keys) == 1
    assert "cannot be read as parquet" in capsys.readouterr().err


class Killed(BaseException):
    """The process ended here."""


async def test_an_export_killed_at_any_file_leaves_a_mirror_that_verifies_and_can_go_on(
    pool: asyncpg.Pool,
    publisher: Publisher,
    app: Application,
    university: Actor,
    verifier: Actor,
    log_keys: LogKeys,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await exported(pool, log_keys, place)
    shown = (place / "checkpoint").read_bytes()
    await grow(app, publisher, university, verifier)
    rename, left = Path.replace, 0

    def dying(source: Path, target: Path) -> Path:
        nonlocal left
        if placing.ASIDE in source.parts:
            if left == 0:
                raise Killed
            left -= 1
        return rename(source, target)

    monkeypatch.setattr(Path, "replace", dying)
    for survived in range(100):
        left = survived
        try:
            await exported(pool, log_keys, place)
        except Killed:
            assert (place / "checkpoint").read_bytes() == shown
            assert await asyncio.to_thread(verified, place, log_keys) == 0
        else:
            break
        # A process that dies leaves its files aside.
        (place / placing.ASIDE / "staged").mkdir()
        (place / placing.ASIDE / "staged" / "0").write_bytes(b"half")
    assert survived > 0
    assert (place / "checkpoint").read_bytes() != shown
    assert verified(place, log_keys) == 0


async def test_a_damaged_file_of_a_mirror_is_put_right_by_the_next_export(
    pool: asyncpg.Pool, publisher: Publisher, log_keys: LogKeys, place: Path
) -> None:
    size = (await exported(pool, log_keys, place)).size
    (place / bundle_path(0, size)).write_bytes(b"x")
    (place / "counts" / str(size) / "totals.parquet").unlink()
    assert verified(place, log_keys) == 1

    assert (await exported(pool, log_keys, place)).written == 2
    assert verified(place, log_keys) == 0


async def test_a_directory_that_holds_another_log_is_refused_and_left_alone(
    pool: asyncpg.Pool, publisher: Publisher, log_keys: LogKeys, place: Path, tmp_path: Path
) -> None:
    await exported(pool, log_keys, place)
    before = contents(place)
    for origin in ("log.example/other", log_keys.origin):  # another name, and the same name with another key
        other = load_or_create(tmp_path / origin.replace("/", "-"), origin)
        with pytest.raises(ExportRefused, match="holds another log"):
            await exported(pool, other, place)
    assert contents(place) == before


async def test_a_database_older_than_the_mirror_is_refused(
    pool: asyncpg.Pool,
    publisher: Publisher,
    app: Application,
    university: Actor,
    verifier: Actor,
    log_keys: LogKeys,
    place: Path,
) -> None:
    await grow(app, publisher, university, verifier)
    await exported(pool, log_keys, place)
    await pool.execute("DELETE FROM checkpoints WHERE size = (SELECT max(size) FROM checkpoints)")

    with pytest.raises(ExportRefused, match="restored copy"):
        await exported(pool, log_keys, place)
    assert verified(place, log_keys) == 0


async def test_leaves_that_were_changed_after_signing_are_not_exported(
    pool: asyncpg.Pool, publisher: Publisher, log_keys: LogKeys, place: Path
) -> None:
    await pool.execute(
        "UPDATE events SET leaf = (SELECT leaf FROM events WHERE position = 6) WHERE position = 5"
    )

    with pytest.raises(ExportRefused, match="do not give the root signed at size"):
        await exported(pool, log_keys, place)
    assert not (place / "checkpoint").exists()
    assert not (place / "tile").exists()


async def test_before_the_first_checkpoint_and_before_a_definition_there_is_nothing_to_export(
    pool: asyncpg.Pool, log_keys: LogKeys, place: Path, tmp_path: Path
) -> None:
    with pytest.raises(NotPublishedYet):
        await exported(pool, log_keys, place)
    await Publisher(pool, log_keys, log_keys.origin, tmp_path / "log").publish_once()
    with pytest.raises(DefinitionNotAdopted):
        await exported(pool, log_keys, place)
    assert not (place / "checkpoint").exists()


async def test_a_mirror_behind_a_plain_web_server_verifies(
    pool: asyncpg.Pool, publisher: Publisher, log_keys: LogKeys, place: Path
) -> None:
    await exported(pool, log_keys, place)

    def serve(request: httpx.Request) -> httpx.Response:
        path = place / request.url.path.removeprefix("/log/")
        if request.method == "GET" and path.is_file():
            return httpx.Response(200, content=path.read_bytes())
        return httpx.Response(404)

    transport = httpx.MockTransport(serve)
    assert run("https://mirror.example", given(log_keys), transport=transport) == 0


@pytest.mark.parametrize(
    "query",
    [
        ask(),
        ask("DEATHS", nexus="BROAD", group_by=["SEX", "MONTH"]),
        ask(
            "VICTIMISATIONS",
            kinds=["COERCED_CARE"],
            states=["16"],
            period=("2025-12", "2026-03"),
            group_by=["KIND"],
        ),
    ],
    ids=["headline", "deaths by sex", "filtered"],
)
async def test_a_certificate_for_any_question_is_checked_offline_also_as_of_an_earlier_size(
    pool: asyncpg.Pool,
    publisher: Publisher,
    app: Application,
    university: Actor,
    verifier: Actor,
    log_keys: LogKeys,
    place: Path,
    query: CountQuery,
    capsys: pytest.CaptureFixture[str],
) -> None:
    latest = await storage.latest_checkpoint(pool)
    assert latest is not None
    counted = fold(await storage.read_entries(pool, 0, latest.size)).count(query)
    note = certify([log_keys.count], log_keys.origin, query, counted, latest.size, latest.root)
    await grow(app, publisher, university, verifier)
    await exported(pool, log_keys, place)

    assert run(str(place), replace(given(log_keys), certificate=note)) == 0
    assert f"says what the first {latest.size} leaves give" in capsys.readouterr().out

    other = counted._replace(disputed=counted.disputed + 1)
    false = certify([log_keys.count], log_keys.origin, query, other, latest.size, latest.root)
    assert run(str(place), replace(given(log_keys), certificate=false)) == 1
    elsewhere = certify([log_keys.count], log_keys.origin, query, counted, latest.size, bytes(32))
    assert run(str(place), replace(given(log_keys), certificate=elsewhere)) == 1


async def test_every_row_of_the_tables_is_in_csv_and_parquet(
    pool: asyncpg.Pool, publisher: Publisher, log_keys: LogKeys, place: Path
) -> None:
    size = (await exported(pool, log_keys, place)).size
    folder = place / "counts" / str(size)
    lines = list(csv.reader((folder / "counts.csv").read_text().splitlines()))
    names, rows = read_parquet((folder / "counts.parquet").read_bytes())

    assert lines[0] == names
    assert [[str(value) for value in row] for row in rows] == lines[1:]
    assert sum(int(line[-1]) for line in lines if line[:2] == ["INCIDENTS", "STRICT"]) == 3
