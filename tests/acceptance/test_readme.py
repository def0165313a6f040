"""The README does what it says: its commands, run as they stand there, against the running program."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.conftest import Program

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"
SECONDS = 120

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def blocks(language: str) -> list[str]:
    """The fenced blocks of the README in one language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def run(script: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """In a shell that stops at the first command that fails."""
    proxies = {name: "" for name in os.environ if name.lower().endswith("_proxy")}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=directory,
        env={**os.environ, **proxies},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def outputs(program: Program, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each block prints, all run in one shell where a reader would: beside ``data`` and ``.venv``."""
    directory = tmp_path_factory.mktemp("reader")
    (directory / "data").symlink_to(program.data)
    (directory / ".venv" / "bin").mkdir(parents=True)
    (directory / ".venv" / "bin" / "constancia").symlink_to(Path(sys.executable).with_name("constancia"))
    script = "\necho '--- next block'\n".join(blocks("bash")).replace(ADDRESS, program.url)
    done = run(script, directory)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout.split("--- next block\n")


def test_the_readers_commands_are_all_run(outputs: list[str]) -> None:
    assert len(outputs) == len(blocks("bash")) == 5


def test_the_first_submission_ends_with_a_signed_receipt(outputs: list[str]) -> None:
    assert "/receipt/v1\n" in outputs[1]
    assert "\n— " in outputs[1]


def test_the_proof_names_the_spec_and_carries_a_checkpoint(outputs: list[str]) -> None:
    assert outputs[2].startswith("c2sp.org/tlog-proof@v1\nindex ")


def test_the_first_query_is_answered(outputs: list[str]) -> None:
    answer = json.loads(outputs[3])
    assert "errors" not in answer
    assert answer["data"]["counts"]["total"]["definition"]["id"] == "national-count/1"


def test_the_register_is_verified(outputs: list[str]) -> None:
    assert outputs[4].rstrip().endswith("VERIFIED")


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    (commands,) = blocks("sh")
    assert commands.split("\n") == ["make run", "make test", ""]
    done = run("make --dry-run run test", ROOT)
    assert done.returncode == 0, done.stderr
    assert "up --demo" in done.stdout
