"""The wheel is complete: what the source tree finds beside itself, the wheel carries."""

import subprocess
import sys
import zipfile
from pathlib import Path

import asyncpg
import pytest

ROOT = Path(__file__).parents[2]

MIGRATE = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
import registry.database
assert registry.database.__file__.startswith(sys.argv[1]), registry.database.__file__
asyncio.run(registry.database.migrate(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        str(directory),
        str(ROOT),
    ]
    subprocess.run([*pip, *build], check=True)
    (built,) = directory.glob("*.whl")
    return built


def test_every_file_of_the_program_is_in_the_wheel(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "registry", "projections", "api", "alembic"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    present = (path for path in tracked if (ROOT / path).is_file())
    expected = {
        "registry/_migrations" + path.removeprefix("alembic") if path.startswith("alembic/") else path
        for path in present
    }
    with zipfile.ZipFile(wheel) as packed:
        missing = expected - set(packed.namelist())
    assert not missing


def test_nothing_of_the_tests_or_of_a_top_level_alembic_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        tops = {name.partition("/")[0] for name in packed.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"registry", "projections", "api"}


async def test_the_wheel_migrates_without_the_source_tree(
    wheel: Path, tmp_path: Path, empty_database_url: str
) -> None:
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(installed)
    subprocess.run(
        [sys.executable, "-c", MIGRATE, str(installed), empty_database_url], check=True, cwd=tmp_path
    )
    connection = await asyncpg.connect(empty_database_url)
    assert await connection.fetchval("SELECT size FROM head") == 0
    await connection.close()
