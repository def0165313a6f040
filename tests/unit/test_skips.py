"""Where everything must be tested, a skip is a failure, unless it is for shared data."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TESTS = {
    "shared_data": "def test(): pytest.skip('shared data: not here')",
    "call": "def test(): pytest.skip('node is absent')",
    "mark": "@pytest.mark.skipif(True, reason='no chromium')\ndef test(): pass",
    "module": "pytest.importorskip('no_such_module')",
    "expected_failure": "@pytest.mark.xfail\ndef test(): assert not 1",
}


@pytest.mark.parametrize(
    ("everything_required", "failing"), [("1", {"call", "mark", "module"}), ("", set())], ids=["all", "some"]
)
def test_a_skip_is_judged_by_its_reason(everything_required: str, failing: set[str], tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for name, test in TESTS.items():
        (tmp_path / f"test_{name}.py").write_text(f"import pytest\n{test}\n")
    options = (
        "-q",
        "-rfE",
        "--continue-on-collection-errors",
        "-p",
        "no:cacheprovider",
        "-p",
        "tests.conftest",
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        cwd=ROOT, env={**os.environ, "CONSTANCIA_REQUIRE_ALL_TESTS": everything_required},
        capture_output=True, text=True,
    )  # fmt: skip
    blamed = [line for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR "))]
    assert {name for name in TESTS if any(f"test_{name}.py" in line for line in blamed)} == failing
    assert (run.returncode == 0) == (not failing), run.stdout
