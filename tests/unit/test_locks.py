"""The lock files install the same, verified files for everybody, from any index."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HASH = re.compile(r"\s+--hash=sha256:[0-9a-f]{64}( \\)?")
REQUIREMENT = re.compile(r"(?P<name>[a-z0-9-]+)(\[[a-z,]+\])?==(?P<version>\S+)( ; .*?)? \\")


def locked(file: str) -> dict[str, str]:
    lines = (line for line in (ROOT / file).read_text().splitlines() if not HASH.fullmatch(line))
    found = {}
    for line in lines:
        requirement = REQUIREMENT.fullmatch(line)
        assert requirement, f"{file}: {line}"  # an address, a path or a requirement without hashes
        found[requirement["name"]] = requirement["version"]
    return found


@pytest.mark.parametrize("file", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_holds_names_versions_and_hashes_and_nothing_else(file: str) -> None:
    assert locked(file)


def test_the_tests_run_on_the_versions_that_are_shipped() -> None:
    assert locked("requirements.lock").items() <= locked("requirements-dev.lock").items()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for file, wanted in (
        ("requirements.lock", project["project"]["dependencies"]),
        ("requirements-dev.lock", project["dependency-groups"]["dev"]),
    ):
        names = {re.split(r"[\[<>=]", requirement)[0] for requirement in wanted}
        assert names <= set(locked(file))
