"""``--policy`` and ``--max-age``: who else vouches for a checkpoint, and since when."""

from pathlib import Path

import pytest

from api.cli.verify import run
from projections.verification.errors import VerificationFailed
from projections.verification.sources import Directory
from projections.verification.verifier import Options, Verdict, verify_log
from registry.log.cosignature import Cosigner
from registry.log.note import Signer, split_note
from registry.log.policy import Policy
from tests.unit.verification.synthetic import (
    KEY,
    OTHER_KEY,
    URL,
    Told,
    files,
    honest,
    server,
    small_log,
    write,
)

LEAVES = small_log().leaves
NOW = 1_800_000_000
HOUR = 3600
W = [Cosigner(Signer(f"w{number}.example/w", bytes([number]) * 32)) for number in range(3)]
NAMES = " ".join(f"w{number}" for number in range(3))
LINES = "".join(f"witness w{number} {each.key.vkey()}\n" for number, each in enumerate(W))
LOG_LINE = f"log {KEY.verifier.vkey()}\n"
TWO = f"{LOG_LINE}{LINES}group two 2 {NAMES}\nquorum two\n"


def mirror(directory: Path, ages: dict[int, float], also: str = "") -> Directory:
    """A mirror whose checkpoint the witnesses with these numbers cosigned so many hours ago."""
    content = files(LEAVES)
    note = content["checkpoint"].decode()
    text, _ = split_note(note)
    lines = "".join(W[number].cosign(text, int(NOW - age * HOUR)).line() for number, age in ages.items())
    content["checkpoint"] = (note + lines + also).encode()
    return Directory(write(directory, content))


def verify(
    source: Directory, policy: str | None, max_age: float | None = None, state: Path | None = None
) -> tuple[Verdict, Told]:
    told = Told()
    parsed = None if policy is None else Policy.parse(policy.encode())
    vkeys = (KEY.verifier.vkey(),) if policy is None or "log " not in policy else ()
    given = Options(vkeys=vkeys, policy=parsed, max_age=max_age, now=lambda: NOW, state=state)
    return verify_log(source, given, told), told


def remarked(told: Told) -> str:
    return "\n".join(text.en for text in told.remarks)


def test_the_policys_key_authenticates_and_its_quorum_vouches(tmp_path: Path) -> None:
    verdict, told = verify(mirror(tmp_path, {0: 1, 2: 3}), TWO)
    assert verdict is Verdict.VERIFIED
    assert "with the key of the policy" in told.steps[0].en
    assert "cosigned: w0 (2027-01-15T07:00:00Z), w2 (2027-01-15T05:00:00Z)" in told.steps[1].en
    assert "UNWITNESSED" not in remarked(told)


@pytest.mark.parametrize("ages", [{}, {1: 0}])
def test_without_the_quorum_it_fails_and_says_who_cosigned(tmp_path: Path, ages: dict[int, float]) -> None:
    with pytest.raises(VerificationFailed, match=r"quorum two\). Cosigned: (-|w1 \(2027)"):
        verify(mirror(tmp_path, ages), TWO)


def test_a_false_cosignature_fails_even_beside_a_quorum(tmp_path: Path) -> None:
    with pytest.raises(VerificationFailed, match=r"signature by w2\.example/w is false"):
        verify(mirror(tmp_path, {0: 0, 1: 0}, also=W[2].cosign("other\n", NOW).line()), TWO)


def test_a_policy_is_remembered_and_holds_where_none_is_given(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    cosigned = mirror(tmp_path / "cosigned", {0: 1, 1: 1})
    verify(cosigned, TWO, state=state)
    told = verify(cosigned, None, max_age=2, state=state)[1]
    assert "They are the policy's quorum" in told.steps[1].en
    assert not told.remarks or "UNWITNESSED" not in remarked(told)
    with pytest.raises(VerificationFailed, match=r"quorum two\). Cosigned: w0"):
        verify(mirror(tmp_path / "one", {0: 1}), None, state=state)


@pytest.mark.parametrize(
    ("lowered", "ages", "also", "met"),
    [
        (TWO.replace("two 2", "two 1"), {0: 1}, "", "does NOT meet"),
        (f"{LOG_LINE}quorum none\n", {0: 1, 1: 1}, "", "also meets"),
        (f"{LOG_LINE}{LINES}quorum w0\n", {0: 1, 1: 1}, "", "also meets"),
        (f"{LOG_LINE}quorum none\n", {0: 1, 1: 1}, W[2].cosign("other\n", NOW).line(), "does NOT meet"),
    ],
)
def test_a_policy_that_asks_for_less_than_the_remembered_one_is_told_once(
    tmp_path: Path, lowered: str, ages: dict[int, float], also: str, met: str
) -> None:
    state = tmp_path / "state.json"
    verify(mirror(tmp_path / "before", {0: 1, 1: 1}), TWO, state=state)
    now = mirror(tmp_path / "now", ages, also)
    told = remarked(verify(now, lowered, state=state)[1])
    assert f"This checkpoint {met} the quorum that was asked for then" in told
    assert "Before:\nwitness w0 " in told
    assert told.count("quorum two") == 1 + ("quorum two" in lowered)
    # What the person gave is what holds from now on.
    assert "asked for then" not in remarked(verify(now, lowered, state=state)[1])


def test_other_addresses_of_the_same_witnesses_are_no_change(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    source = mirror(tmp_path, {0: 1, 1: 1})
    verify(source, TWO, state=state)
    moved = "".join(f"{line} https://w.example/\n" for line in LINES.splitlines())
    assert "asked for then" not in remarked(verify(source, TWO.replace(LINES, moved), state=state)[1])


@pytest.mark.parametrize("policy", [None, f"{LOG_LINE}quorum none\n", f"{LOG_LINE}{LINES}quorum none\n"])
def test_without_a_quorum_it_says_unwitnessed(tmp_path: Path, policy: str | None) -> None:
    verdict, told = verify(mirror(tmp_path, {0: 0}), policy)
    assert verdict is Verdict.VERIFIED
    assert "UNWITNESSED" in remarked(told)


def test_a_policy_without_logs_needs_the_key_from_elsewhere(tmp_path: Path) -> None:
    assert verify(mirror(tmp_path, {0: 0, 1: 0}), TWO.removeprefix(LOG_LINE))[0] is Verdict.VERIFIED


def test_a_policy_of_several_logs_accepts_each_and_no_other(tmp_path: Path) -> None:
    other = f"log {Signer('other.example/log', b'o' * 32).verifier.vkey()}\n"
    source = mirror(tmp_path, {0: 0, 1: 0})
    assert verify(source, other + TWO)[0] is Verdict.VERIFIED
    again = f"log {Signer('again.example/log', b'a' * 32).verifier.vkey()}\n"
    with pytest.raises(VerificationFailed, match="none of the policy's logs"):
        verify(source, other + again + "quorum none\n")
    with pytest.raises(VerificationFailed, match="no valid signature"):
        verify(source, f"log {OTHER_KEY.verifier.vkey()}\nquorum none\n")


def test_a_recent_checkpoint_is_accepted_and_an_old_one_is_not(tmp_path: Path) -> None:
    source = mirror(tmp_path, {0: 30, 1: 20})
    assert "cosigned it at 2027-01-14T02:00:00Z" in verify(source, TWO, max_age=31)[1].steps[2].en
    with pytest.raises(VerificationFailed, match=r"30\.0 hours ago, and 29 are accepted"):
        verify(source, TWO, max_age=29)


def test_it_is_as_old_as_its_quorum_not_as_its_newest_cosignature(tmp_path: Path) -> None:
    source = mirror(tmp_path, {0: 30, 1: 20, 2: 1})
    assert verify(source, TWO, max_age=21)[0] is Verdict.VERIFIED
    with pytest.raises(VerificationFailed, match="stale"):
        verify(source, TWO, max_age=19)


def test_without_a_quorum_the_newest_cosignature_dates_it(tmp_path: Path) -> None:
    policy = f"{LOG_LINE}{LINES}quorum none\n"
    assert verify(mirror(tmp_path, {0: 30, 1: 2}), policy, max_age=3)[0] is Verdict.VERIFIED


@pytest.mark.parametrize("policy", [None, f"{LOG_LINE}quorum none\n", f"{LOG_LINE}{LINES}quorum none\n"])
def test_what_no_known_witness_cosigned_cannot_be_dated(tmp_path: Path, policy: str | None) -> None:
    with pytest.raises(VerificationFailed, match="cannot be known how old"):
        verify(mirror(tmp_path, {}), policy, max_age=24)


def test_a_cosignature_from_the_future_dates_nothing(tmp_path: Path) -> None:
    with pytest.raises(VerificationFailed, match="cannot be known how old"):
        verify(mirror(tmp_path, {0: -1, 1: 0}), TWO, max_age=24)
    assert verify(mirror(tmp_path / "near", {0: -0.05, 1: 0}), TWO, max_age=24)[0] is Verdict.VERIFIED


def test_exit_codes_of_a_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, broken = tmp_path / "good", tmp_path / "broken"
    good.write_text(TWO, encoding="utf-8")
    broken.write_text("quorum nobody\n", encoding="utf-8")
    transport = server(files(LEAVES), honest(LEAVES))
    assert run(URL, Options(), policy=good, transport=transport) == 1
    assert run(URL, Options(), policy=broken, transport=transport) == 2
    assert "line 1: “nobody” is not defined before" in capsys.readouterr().err
    assert run(URL, Options(), policy=tmp_path / "absent", transport=transport) == 2
    good.write_text(f"{LOG_LINE}quorum none\n", encoding="utf-8")
    assert run(URL, Options(), policy=good, transport=transport) == 0
    assert run(URL, Options(max_age=1), policy=good, transport=transport) == 1
