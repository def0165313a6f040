"""Where everything must be tested, a skip is a failure, unless it is for shared data."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SHARED_DATA = "import pytest\ndef test_one(): pytest.skip('shared data: not here')\n"
NO_NODE = "import pytest\ndef test_one(): pytest.skip('node is absent')\n"
MARKED = "import pytest\n@pytest.mark.skipif(True, reason='no chromium')\ndef test_one(): pass\n"
MODULE = "import pytest\npytest.importorskip('no_such_module')\ndef test_one(): pass\n"
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail\ndef test_one(): assert not 1\n"


@pytest.mark.parametrize(
    ("test", "everything_required", "passes"),
    [
        (SHARED_DATA, True, True),
        (NO_NODE, True, False),
        (MARKED, True, False),
        (MODULE, True, False),
        (EXPECTED_FAILURE, True, True),
        (NO_NODE, False, True),
    ],
)
def test_a_skip_is_judged_by_its_reason(
    test: str, everything_required: bool, passes: bool, tmp_path: Path
) -> None:
    (tmp_path / "test_given.py").write_text(test)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = {**os.environ, "CONSTANCIA_REQUIRE_ALL_TESTS": "1" if everything_required else ""}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.conftest", str(tmp_path)],
        cwd=ROOT, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert (run.returncode in (0, 5)) == passes, run.stdout + run.stderr
