"""``constancia catalog`` as an operator uses it on the first day."""

import asyncio
import csv
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from api.cli import app as commands
from api.cli.catalog import vintage_in_name
from registry.catalogs.clues import check_digit
from registry.errors import RegistryError
from registry.log.keys import LogKeys

Run = Callable[..., Awaitable[Result]]

MUNICIPALITIES = "CVEGEO,CVE_ENT,CVE_MUN,NOMGEO\n10023,10,023,Pueblo Nuevo\n11024,11,024,Pueblo Nuevo\n"


@pytest.fixture
def constancia(database_url: str, log_keys: LogKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``constancia`` on the machine of the register."""
    (tmp_path / "log" / "master.key").write_bytes(bytes(range(32)))
    monkeypatch.setenv("CONSTANCIA_DATABASE_URL", database_url)

    async def run(*arguments: str | Path) -> Result:
        given = ["catalog", *map(str, arguments)]
        if arguments[0] != "columns":
            given += ["--data", str(tmp_path / "log")]
        return await asyncio.to_thread(CliRunner().invoke, commands, given)

    return run


def clues(letters: str, number: int) -> str:
    return f"{letters}{number:05}{check_digit(f'{letters}{number:05}')}"


def refusal(result: Result) -> str:
    error = result.exception
    assert isinstance(error, RegistryError)
    return error.text.en


async def test_an_operator_loads_both_catalogues_on_the_first_day_and_repeats_it(
    constancia: Run, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    geo, units, defects = tmp_path / "mun_2024-07.csv", tmp_path / "unidades.csv", tmp_path / "d.csv"
    geo.write_text(MUNICIPALITIES, encoding="cp1252")
    units.write_text(
        "Clave CLUES;Clave anterior;Nombre;CVE_GEO;Nivel\n"
        f"{clues('DGIST', 1)};{clues('DGSSA', 1)};Clínica Uno;10023;Primer nivel\n"
        f"{clues('GTIST', 2)};;Clínica Dos;11024;\n"
        f"{clues('GTIST', 3)};;Clínica Tres;11999;\n",
        encoding="cp1252",
    )
    loaded = await constancia("load", "municipalities", geo)
    assert (loaded.exit_code, loaded.stdout) == (
        0, "Adoptado: municipalities 2024-07, 2 filas. · Adopted: 2 rows.\n",
    )  # fmt: skip
    # Nobody knows these columns: the refusal leads to a profile.
    assert "constancia catalog columns unidades.csv" in refusal(
        await constancia("load", "establishments", units)
    )
    proposed = await constancia("columns", units)
    assert "Clave anterior" in proposed.stderr
    profile = tmp_path / "profile.toml"
    profile.write_text(proposed.stdout.replace("clues-…", "clues-estatal"), encoding="utf-8")

    given = ("load", "establishments", units, "--profile", profile, "--defects", defects)
    trial = await constancia(*given, "--dry-run")
    assert (trial.exit_code, await pool.fetchval("SELECT count(*) FROM establishments")) == (0, 0)
    assert "2 nuevas" in trial.stdout
    done = await constancia(*given)
    today = datetime.now(UTC).date().isoformat()
    assert f"Adoptado: clues-estatal {today}, 3 filas" in done.stdout
    assert "Sites: 2 nuevas · new, 0" in done.stdout
    with defects.open(encoding="utf-8-sig", newline="") as file:
        told = {(row["row"], row["kind"]) for row in csv.DictReader(file)}
    assert told == {("1", "code-changed"), ("3", "unknown-municipality"), ("3", "no-site")}
    size = await pool.fetchval("SELECT size FROM head")
    again = await constancia(*given)
    assert "Ya estaba adoptado" in again.stdout
    assert "0 con otra clave · with another code, 2 sin cambio" in again.stdout
    assert await pool.fetchval("SELECT size FROM head") == size
    listed = (await constancia("list")).stdout.splitlines()
    assert [line.split()[1:] for line in listed] == [["2024-07", "municipalities"], [today, "clues-estatal"]]


async def test_a_file_with_rejected_rows_is_taken_without_them_or_not_at_all(
    constancia: Run, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    geo = tmp_path / "mun_2020.csv"
    geo.write_text(MUNICIPALITIES + "1001,01,001,Aguascalientes\n", encoding="utf-8")
    refused = await constancia("load", "municipalities", geo)
    assert (refused.exit_code, await pool.fetchval("SELECT count(*) FROM catalogs")) == (1, 0)
    assert "1001" in refused.stderr
    taken = await constancia("load", "municipalities", geo, "--leave-out", "--vintage", "2021")
    assert (taken.exit_code, await pool.fetchval("SELECT count(*) FROM municipalities")) == (0, 2)
    # Said to be of another vintage, the same file is; not said, it is what it was.
    assert "Ya estaba adoptado" in (await constancia("load", "municipalities", geo, "--leave-out")).stdout
    both = await constancia("load", "municipalities", geo, "--leave-out", "--vintage", "2019")
    assert "Adoptado: municipalities 2019" in both.stdout
    assert (await constancia("load", "municipalities", geo, "--vintage", "then")).exit_code == 2
    empty = tmp_path / "none.csv"
    empty.write_text("CVEGEO,NOMGEO\n", encoding="utf-8")
    assert "no row" in refusal(await constancia("load", "municipalities", empty))
    profile = tmp_path / "p.toml"
    profile.write_text('catalog = "municipalities"\n[columns]\ncvegeo = "a"\nname = "b"\n', encoding="utf-8")
    assert "not establishments" in refusal(
        await constancia("load", "establishments", geo, "--profile", profile)
    )


@pytest.mark.parametrize(
    ("name", "vintage"),
    [
        ("mx_municipios_2020.csv", "2020"),
        ("ESTABLECIMIENTO_SALUD_202504.xlsx", "2025-04"),
        ("who_ssa_2024-02-08.csv.gz", "2024-02-08"),
        ("clues-20240230.csv", None),
        ("00mun.csv", None),
        ("v12020.csv", None),
    ],
)
def test_a_file_name_may_tell_the_vintage(name: str, vintage: str | None) -> None:
    assert vintage_in_name(name) == vintage
