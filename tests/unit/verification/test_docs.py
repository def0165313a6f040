"""docs/verify.md does what it says: its commands are run, in order, on an honest log and on a changed one."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from registry.log.tiles import bundle_path, encode_bundle
from tests.unit.verification.synthetic import KEY, files, small_log, write

DOC = Path(__file__).parents[3] / "docs" / "verify.md"
COMMANDS = re.findall(r"^```sh\n(.*?)^```$", DOC.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "openssl"))), reason="bash, curl or openssl is absent"
)


def follow(directory: Path, content: dict[str, bytes]) -> subprocess.CompletedProcess[str]:
    """Runs all commands of the page in one shell, over files instead of a server."""
    mirror = write(directory / "log", content)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(COMMANDS)],
        cwd=directory,
        env={
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "LOG": mirror.as_uri(),
            "VKEY": KEY.verifier.vkey(),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_commands_by_hand_verify_and_count(tmp_path: Path) -> None:
    log = small_log(entries=300)
    done = follow(tmp_path, files(log.leaves))
    assert done.returncode == 0, done.stderr
    assert "Signature Verified Successfully" in done.stdout
    assert f"{len(log.leaves)} leaves give the signed root" in done.stdout
    assert "2 openings match their commitments" in done.stdout
    assert done.stdout.endswith("INCIDENTS STRICT 3/3/3\n")


def test_the_commands_by_hand_notice_a_changed_leaf(tmp_path: Path) -> None:
    log = small_log()
    content = files(log.leaves)
    content[bundle_path(0, len(log.leaves))] = encode_bundle([*log.leaves[:-1], log.leaves[0]])
    done = follow(tmp_path, content)
    assert done.returncode != 0
    assert "the leaves do not give the signed root" in done.stderr


def test_the_commands_by_hand_notice_a_false_signature(tmp_path: Path) -> None:
    log = small_log()
    content = files(log.leaves)
    content["checkpoint"] = content["checkpoint"].replace(b"\n12\n", b"\n11\n")
    assert follow(tmp_path, content).returncode != 0
