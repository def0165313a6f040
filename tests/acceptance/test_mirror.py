"""A mirror as its host and a stranger meet it: exported beside the program and without it, verified on its own."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import CONSTANCIA, Program, constancia

ASKED = """{ counts(groupBy: [STATE, KIND], unit: VICTIMISATIONS,
    filter: { class: [ATTACK], nexus: BROAD, period: { from: "2024-01", to: "2026-12" } }) {
  rows { low best high } total { low best high asOf { size } } certificate } }"""


@pytest.fixture
def demo(start_program: Callable[..., Program]) -> Program:
    """The register of invented people, its first releases published."""
    program = start_program(None, None, "--demo", CONSTANCIA_PUBLISH_EVERY="1", CONSTANCIA_RELEASE_EVERY="1")
    return program.wait_until_ready()


def answered(program: Program) -> dict[str, Any]:
    """The answer once there is something to count."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with program.client() as client:
            counts = (client.post("/graphql", json={"query": ASKED}).json().get("data") or {}).get("counts")
        if counts and counts["rows"]:
            answer: dict[str, Any] = counts
            return answer
        time.sleep(0.5)
    pytest.fail(f"nothing was counted:\n{program.output}")


def verify(mirror: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return constancia("verify", str(mirror), *arguments)


@pytest.mark.slow
def test_a_certificate_from_the_running_program_is_verified_offline_with_an_export(
    demo: Program, place: Path
) -> None:
    mirror, certificate = place / "mirror", place / "certificate.txt"
    answer = answered(demo)
    certificate.write_text(answer["certificate"], encoding="utf-8")

    exported = constancia("export", str(mirror), "--data", str(demo.data))
    assert exported.returncode == 0, exported.stderr
    assert demo.stop() == 0
    vkeys = json.loads((mirror / "keys").read_text())
    given = [f"--vkey={vkeys['log'][0]}", f"--vkey={vkeys['count'][0]}"]

    done = verify(mirror, *given, "--certificate", str(certificate))
    assert done.returncode == 0, done.stdout + done.stderr
    size = answer["total"]["asOf"]["size"]
    assert f"The certificate says what the first {size} leaves give" in done.stdout
    assert "The 6 files of counts say what the leaves give" in done.stdout
    assert verify(mirror).returncode == 4

    # The register is stopped now, and is exported all the same.
    again = constancia("export", str(mirror), "--data", str(demo.data))
    assert again.returncode == 0, again.stderr
    assert verify(mirror, *given, "--certificate", str(certificate)).returncode == 0

    counts = next((mirror / "counts").glob("*/counts.csv"))
    lines = counts.read_text().splitlines()
    lines[1] = lines[1][:-1] + ("8" if lines[1].endswith("9") else "9")
    counts.write_text("\n".join(lines))
    changed = verify(mirror, *given)
    assert changed.returncode == 1
    assert f"counts/{counts.parent.name}/counts.csv, row 1: it says" in changed.stderr


@pytest.mark.slow
def test_a_mirror_verifies_whenever_its_export_is_killed(demo: Program, place: Path) -> None:
    mirror = place / "mirror"
    answered(demo)
    arguments = ["export", str(mirror), "--data", str(demo.data)]
    assert constancia(*arguments).returncode == 0
    vkey = json.loads((mirror / "keys").read_text())["log"][0]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONSTANCIA_")}

    for patience in (0.9, 1.2, 1.5):
        killed = subprocess.Popen(
            [str(CONSTANCIA), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=clean,
        )
        time.sleep(patience)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        done = verify(mirror, f"--vkey={vkey}")
        assert done.returncode == 0, done.stderr
    assert constancia(*arguments).returncode == 0
    assert verify(mirror, f"--vkey={vkey}").returncode == 0
