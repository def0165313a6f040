"""The register's own policy file: what is refused at the start, because nothing could be published under it."""

from pathlib import Path

import pytest

from registry.errors import StartRefused
from registry.log.note import Signer
from registry.log.own_policy import is_local, load_policy
from registry.log.policy import Log, Policy
from tests.unit.log.test_policy import LOG, LOG_LINE, ORIGIN, VKEYS, W, witnesses

KEYS = [LOG.verifier]


def load(directory: Path, text: str, origin: str = ORIGIN) -> Policy:
    path = directory / "policy"
    path.write_text(text, encoding="utf-8")
    return load_policy(path, origin, KEYS)


def reached(*numbers: int) -> str:
    return "".join(f"witness w{n} {VKEYS[n]} https://w{n}.example/prefix\n" for n in numbers)


def test_without_a_file_no_witness_is_required_and_the_log_is_named() -> None:
    assert load_policy(None, ORIGIN, KEYS).serialise().decode() == f"{LOG_LINE}quorum none\n"


def test_the_logs_own_line_may_be_left_out(tmp_path: Path) -> None:
    text = f"# ours\n{reached(1)}quorum w1\n"
    assert load(tmp_path, text).logs == (Log(LOG.verifier),)
    assert load(tmp_path, LOG_LINE + text) == load(tmp_path, text)


def test_a_log_of_localhost_has_no_witnesses(tmp_path: Path) -> None:
    local = Signer("localhost:8000/log", b"l" * 32)
    policy = load(tmp_path, f"{reached(1)}quorum w1\n", origin=local.name)
    assert (policy.witnesses, policy.quorum) == ((), None)


@pytest.mark.parametrize(
    ("origin", "local"),
    [
        ("localhost:8000/log", True),
        ("localhost", True),
        ("dev.localhost/log", True),
        ("127.0.0.1:8000/log", True),
        ("[::1]:8000/log", True),
        ("[2001:db8::1]/log", False),
        ("localhost.example.org/log", False),
        ("register.example.org/localhost", False),
        ("notlocalhost/log", False),
    ],
)
def test_which_origins_are_of_this_machine_only(origin: str, local: bool) -> None:
    assert is_local(origin) is local


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("quorum w1\n", "line 1: “w1” is not defined", id="malformed"),
        pytest.param(f"{witnesses(1)}quorum w1\n", "not enough for the quorum", id="no address"),
        pytest.param(
            f"{reached(1)}{witnesses(2)}group g all w1 w2\nquorum g\n", "not enough", id="too few addresses"
        ),
        pytest.param(f"witness w1 {VKEYS[1]} w1.example\nquorum w1\n", "https://", id="no scheme"),
        pytest.param(f"witness w1 {VKEYS[1]} ftp://w1.example\nquorum w1\n", "https://", id="another scheme"),
        pytest.param(f"witness w1 {VKEYS[1]} https://\nquorum w1\n", "https://", id="no host"),
        pytest.param(
            f"{reached(*range(16))}group g all {' '.join(f'w{n}' for n in range(16))}\nquorum g\n",
            "asks for 16 cosignatures and a note has room for 15",
            id="more than a note carries",
        ),
    ],
)
def test_what_could_never_be_published_is_refused_at_the_start(tmp_path: Path, text: str, says: str) -> None:
    assert len(W) > 16
    with pytest.raises(StartRefused, match=says):
        load(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="Correct CONSTANCIA_POLICY_FILE"):
        load_policy(tmp_path / "absent", ORIGIN, KEYS)
