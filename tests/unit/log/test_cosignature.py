"""Cosignatures, against the specification's example and a checkpoint that independent witnesses have cosigned."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import MalformedLog
from registry.log.checkpoint import Checkpoint, open_checkpoint
from registry.log.cosignature import Cosigner, WitnessKey, time_of
from registry.log.note import Signature, Signer, Verifier, open_note, split_note

# c2sp.org/tlog-cosignature, its example; the specification gives no key for it.
EXAMPLE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZ"
    "qhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)

# A checkpoint of a public staging log of Certificate Transparency, as it was served, and the vkeys that the log and
# the witnesses publish. Its first signature is of a type that we do not know.
REAL_LOG = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
REAL_WITNESSES = [
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
    "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
]
REAL = (
    "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n"
    "— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzal"
    "ApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=\n"
    "— arche2025h1.staging.ct.transparency.dev "
    "ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n"
    "— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVk"
    "jZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==\n"
    "— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQt"
    "mJbqmNWVuE0tgh0XwzdZsDsUAQ==\n"
    "— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0"
    "WBxtqB0DrAWfBw==\n"
    "— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI"
    "7cUiOvKFYe/TmN9DAg==\n"
)

WITNESS = Cosigner(Signer("witness.example.net/w1", b"w" * 32))
TEXT = Checkpoint("example.org/log", 3, b"r" * 32).text()


def test_the_specifications_example_has_the_form_and_time_that_it_says() -> None:
    _, (_, cosignature) = split_note(EXAMPLE)
    assert (cosignature.name, cosignature.key_id.hex()) == ("witness.example.com/w1", "8d66cf3f")
    assert time_of(cosignature) == 1679315147


def test_what_independent_witnesses_cosigned_verifies_and_nothing_else() -> None:
    keys = [WitnessKey.parse(vkey) for vkey in REAL_WITNESSES]
    log = Verifier.parse(REAL_LOG)
    checkpoint, note = open_checkpoint(REAL, log.name, [log, *keys])
    assert checkpoint.size == 1432088532
    assert [signature.name for signature in note.verified] == [
        log.name, keys[2].name, keys[3].name, keys[0].name, keys[1].name
    ]  # fmt: skip
    assert {time_of(signature) for signature in note.verified[1:]} == {0x6A122120}
    for key in keys:
        with pytest.raises(MalformedLog, match="is false"):
            open_note(REAL.replace("1432088532", "1432088533"), [key])


@pytest.mark.parametrize("vkey", REAL_WITNESSES)
def test_a_published_vkey_of_a_witness_survives(vkey: str) -> None:
    assert WitnessKey.parse(vkey).vkey() == vkey


@given(time=st.integers(1, 2**63 - 1), text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_any_text_is_cosigned_at_any_time(time: int, text: str) -> None:
    cosignature = WITNESS.cosign(f"{text}\n", time)
    assert time_of(cosignature) == time
    assert WITNESS.key.verify(f"{text}\n", cosignature)
    assert not WITNESS.key.verify(f"{text}.\n", cosignature)


def test_the_time_and_extension_lines_are_signed() -> None:
    cosignature = WITNESS.cosign(TEXT + "extension\n", 1)
    later = Signature(cosignature.name, cosignature.key_id, struct.pack(">Q", 2) + cosignature.data[8:])
    assert not WITNESS.key.verify(TEXT + "extension\n", later)
    assert not WITNESS.key.verify(TEXT, cosignature)


@pytest.mark.parametrize("time", [0, -1, 2**63])
def test_no_cosignature_is_made_for_an_impossible_time(time: int) -> None:
    with pytest.raises(ValueError, match="POSIX"):
        WITNESS.cosign(TEXT, time)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"s" * 64, id="a plain signature"),
        pytest.param(b"\0" * 71, id="a byte short"),
        pytest.param(b"\0" * 73, id="a byte too many"),
        pytest.param(b"\x80" + b"\0" * 71, id="a time of 2^63"),
    ],
)
def test_what_has_not_the_form_of_a_cosignature_is_refused(data: bytes) -> None:
    signature = Signature(WITNESS.key.name, WITNESS.key.key_id, data)
    with pytest.raises(MalformedLog, match="not a witness's cosignature"):
        time_of(signature)
    assert not WITNESS.key.verify(TEXT, signature)


def test_a_key_for_notes_is_none_for_cosignatures_nor_the_other_way() -> None:
    with pytest.raises(MalformedLog, match="type 4"):
        WitnessKey.parse(REAL_LOG)
    with pytest.raises(MalformedLog, match="type 1"):
        Verifier.parse(REAL_WITNESSES[0])
    plain = Signer("witness.example.net/w1", b"w" * 32)
    assert plain.verifier.key_id != WITNESS.key.key_id
    forged = Signature(WITNESS.key.name, WITNESS.key.key_id, plain.sign(TEXT).data)
    assert not WITNESS.key.verify(TEXT, forged)


def test_a_witness_that_cosigns_twice_rejects_the_note() -> None:
    lines = WITNESS.cosign(TEXT, 1).line() + WITNESS.cosign(TEXT, 2).line()
    with pytest.raises(MalformedLog, match="twice"):
        open_note(f"{TEXT}\n{lines}", [WITNESS.key])


def test_a_cosigner_never_shows_its_key() -> None:
    assert repr(WITNESS) == f"Cosigner({WITNESS.key.vkey()!r})"
