"""Signed notes, with the specification's own vectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import MalformedLog
from registry.log.lines import write_base64
from registry.log.note import MAX_SIGNATURES, Signature, Signer, Verifier, open_note, sign, split_note

# c2sp.org/signed-note, "Example".
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)

ALICE = Signer("alice.example", b"a" * 32)
BOB = Signer("bob.example", b"b" * 32)


def test_the_specifications_key_opens_the_specifications_note() -> None:
    verifier = Verifier.parse(VKEY)
    assert (verifier.name, verifier.key_id.hex(), verifier.vkey()) == ("example.com/foo", "530d903a", VKEY)
    assert open_note(NOTE, [verifier]).text == "This is an example message.\n"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n")).map(lambda text: text + "\n"))
def test_any_text_is_signed_and_opened(text: str) -> None:
    note = open_note(sign(text, ALICE, BOB), [ALICE.verifier, BOB.verifier])
    assert note.text == text
    assert [signature.name for signature in note.verified] == ["alice.example", "bob.example"]


def test_text_and_signatures_part_at_the_last_empty_line() -> None:
    text = "one\n\n— alice.example not a signature\n\ntwo\n"
    assert open_note(sign(text, ALICE), [ALICE.verifier]).text == text


def test_signatures_by_unknown_keys_are_ignored_whatever_they_hold() -> None:
    same_name = Signature("alice.example", b"\0\0\0\0", b"x").line()
    same_id = Signature("carol.example", ALICE.verifier.key_id, b"x" * 2420).line()
    note = open_note(sign("text\n", ALICE) + same_name + same_id + same_id, [ALICE.verifier])
    assert len(note.verified) == 1
    assert len(note.ignored) == 3


def test_one_false_signature_by_a_known_key_rejects_the_note() -> None:
    note = sign("text\n", BOB) + ALICE.sign("other\n").line()
    assert open_note(note, [BOB.verifier]).text == "text\n"
    with pytest.raises(MalformedLog, match=r"alice\.example"):
        open_note(note, [ALICE.verifier, BOB.verifier])


def test_a_known_key_that_signs_twice_rejects_the_note() -> None:
    with pytest.raises(MalformedLog, match="twice"):
        open_note(sign("text\n", ALICE, ALICE), [ALICE.verifier])


def test_a_note_without_a_known_signature_is_rejected() -> None:
    with pytest.raises(MalformedLog, match="No known key"):
        open_note(NOTE, [ALICE.verifier])
    with pytest.raises(MalformedLog, match="No known key"):
        open_note(NOTE, [])


def test_sixteen_signatures_are_read_and_seventeen_are_not() -> None:
    signers = [
        Signer(f"signer{number}.example", bytes([number] * 32)) for number in range(MAX_SIGNATURES + 1)
    ]
    note = sign("text\n", *signers[:-1])
    assert len(open_note(note, [signer.verifier for signer in signers]).verified) == 16
    with pytest.raises(MalformedLog, match="more than 16"):
        split_note(note + signers[-1].sign("text\n").line())
    with pytest.raises(ValueError, match="1 to 16"):
        sign("text\n", *signers)


LINE = NOTE.splitlines()[-1]


@pytest.mark.parametrize(
    "note",
    [
        pytest.param("", id="nothing"),
        pytest.param("text\n", id="no signatures"),
        pytest.param("text\n\n", id="no signatures after the empty line"),
        pytest.param(f"text\n{LINE}\n", id="no empty line"),
        pytest.param(f"text\n\n{LINE}", id="no newline at the end"),
        pytest.param(f"text\n\n{LINE}\n\n", id="an empty line at the end"),
        pytest.param(f"text\n\n{LINE}\nmore\n", id="text after the signatures"),
        pytest.param(f"text\r\n\r\n{LINE}\r\n", id="the line ends of another system"),
        pytest.param(f"te\txt\n\n{LINE}\n", id="a tab in the text"),
        pytest.param(f"te\0xt\n\n{LINE}\n", id="a null byte in the text"),
        pytest.param(f"te\ud800xt\n\n{LINE}\n", id="text that is no UTF-8"),
        pytest.param(f"text\n\n-{LINE[1:]}\n", id="a hyphen for the dash"),
        pytest.param(f"text\n\n{LINE.replace(' ', '', 1)}\n", id="no space after the dash"),
        pytest.param(f"text\n\n{LINE.replace('example.com/foo ', '')}\n", id="no name"),
        pytest.param(f"text\n\n{LINE.replace('/foo', '+foo')}\n", id="a plus in the name"),
        pytest.param(
            f"text\n\n{LINE.replace('/foo', chr(0xA0) + 'foo')}\n", id="a Unicode space in the name"
        ),
        pytest.param(f"text\n\n{LINE} \n", id="a space at the end of the line"),
        pytest.param(f"text\n\n{LINE[:-1]}\n", id="base64 without its padding"),
        pytest.param(f"text\n\n{LINE[:-2]}N=\n", id="base64 with stray bits"),
        pytest.param(f"text\n\n{LINE.replace('/1YEq', '_1YEq')}\n", id="base64 of the URL alphabet"),
        pytest.param("text\n\n— example.com/foo Uw2QOg==\n", id="a key id without a signature"),
    ],
)
def test_malformed_notes_are_refused(note: str) -> None:
    with pytest.raises(MalformedLog) as refused:
        open_note(note, [Verifier.parse(VKEY)])
    assert refused.value.text.es
    assert refused.value.text.en


@pytest.mark.parametrize(
    "vkey",
    [
        pytest.param("", id="nothing"),
        pytest.param("example.com/foo+530d903a", id="two parts"),
        pytest.param(VKEY.replace("530d903a", "530d903b"), id="another id"),
        pytest.param(VKEY.replace("530d903a", "530D903A"), id="an id in capitals"),
        pytest.param(VKEY.replace("/foo", "/bar"), id="another name"),
        pytest.param(VKEY.replace("example.com/foo", ""), id="no name"),
        pytest.param(VKEY + "\n", id="a newline at the end"),
        pytest.param(VKEY[:-4], id="a short key"),
        pytest.param(VKEY.replace("+Aek", "+Bek"), id="another type of key"),
    ],
)
def test_malformed_public_keys_are_refused(vkey: str) -> None:
    with pytest.raises(MalformedLog):
        Verifier.parse(vkey)


def test_a_public_key_may_hold_plus_signs_after_the_second() -> None:
    signer = next(
        signer for number in range(256)
        if "+" in (signer := Signer("name", bytes([number] * 32))).verifier.vkey().split("+", 2)[2]
    )  # fmt: skip
    assert Verifier.parse(signer.verifier.vkey()) == signer.verifier


def test_a_point_off_the_curve_verifies_nothing() -> None:
    off = Verifier("off.example", b"\x02" + b"\0" * 31)
    note = "text\n\n" + Signature("off.example", off.key_id, b"x" * 64).line()
    with pytest.raises(MalformedLog, match="false"):
        open_note(note, [off])


def test_a_private_key_survives_its_file_and_never_shows_itself() -> None:
    again = Signer.parse(ALICE.serialise())
    assert again.sign("text\n") == ALICE.sign("text\n")
    assert write_base64(b"\x01" + b"a" * 32) in ALICE.serialise()
    assert "YWFh" not in repr(ALICE)
    assert ALICE.verifier.vkey() in repr(ALICE)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(VKEY, id="a public key"),
        pytest.param(ALICE.serialise().replace("alice", "carol"), id="another name"),
        pytest.param(ALICE.serialise()[:-6], id="half a file"),
    ],
)
def test_a_damaged_private_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedLog):
        Signer.parse(text)


@pytest.mark.parametrize("text", ["text", "", "te\txt\n"])
def test_text_that_no_note_can_hold_is_not_signed(text: str) -> None:
    with pytest.raises(ValueError, match="newline"):
        sign(text, ALICE)
