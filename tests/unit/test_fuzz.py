"""Every parser of a public document, fed with damaged ones: it refuses with MalformedLog, or it was nothing but the
one spelling of what it read.

Documents that carry a signature are damaged first and signed then, so that the damage reaches what is behind the
signature; and damaged after signing, where nothing may come out but the text that was signed.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import NamedTuple, TypeVar
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.counting.fold import Fold
from registry.errors import MalformedLog
from registry.log import canonical
from registry.log.canonical import JSON
from registry.log.certificate import CountCertificate
from registry.log.checkpoint import Checkpoint, open_checkpoint
from registry.log.cosignature import Cosigner, WitnessKey
from registry.log.entry_bundles import is_entry_bundle
from registry.log.leaf import EntryLeaf, entry_leaf, is_entry_leaf, open_leaf, parse_leaf
from registry.log.lines import read_base64, read_decimal, write_base64
from registry.log.merkle import leaf_hash, root
from registry.log.note import Signer, Verifier, open_note, sign, split_note
from registry.log.policy import Policy
from registry.log.proof import Proof
from registry.log.receipt import Receipt
from registry.log.tiles import (
    TileAddress,
    bundle_path,
    decode_bundle,
    encode_bundle,
    parse_path,
    split_hashes,
    tile_path,
)
from tests.unit.verification.synthetic import incident, small_log

ORIGIN = "log.example.org/log"
LOG = Signer(ORIGIN, b"l" * 32)
RECEIPT = Signer(f"{ORIGIN}/receipt/v1", b"r" * 32)
COUNT = Signer(f"{ORIGIN}/count/v1", b"c" * 32)
WITNESS = Cosigner(Signer("witness.example.net", b"w" * 32))
ID = UUID("6f1f3f0a-63b3-4b0e-8b1c-5a1f0f6f3c11")
HASH = leaf_hash(b"leaf")

CHECKPOINT = Checkpoint(ORIGIN, 3, HASH, ("extension",))
A_RECEIPT = Receipt(ORIGIN, 7, HASH, received=1_700_000_000, merge_by=1_700_086_400)
CERTIFICATE = CountCertificate(
    ORIGIN, "national-count/1", "ab" * 32, {"unit": "DEATHS", "groupBy": []}, {"low": 1, "rows": []}, 3, HASH
)
POLICY = (
    f"log {LOG.verifier.vkey()} https://log.example.org/log\n"
    f"witness one {WITNESS.key.vkey()} https://witness.example.net\ngroup all all one\nquorum all\n"
)


T = TypeVar("T")


class Parser(NamedTuple):
    """``respell`` reads a document and writes what it read; None where its reading has no one spelling."""

    document: bytes
    respell: Callable[[bytes], bytes | None]


def text(parse: Callable[[str], str | None]) -> Callable[[bytes], bytes | None]:
    """A parser of text, for bytes. Bytes that are no UTF-8 reach it as half surrogates."""

    def respell(document: bytes) -> bytes | None:
        spelled = parse(document.decode("utf-8", "surrogateescape"))
        return None if spelled is None else spelled.encode("utf-8", "surrogateescape")

    return respell


def unspelled(parse: Callable[[T], object]) -> Callable[[T], None]:
    """A parser of what has more than one spelling: it only must not break."""

    def read(document: T) -> None:
        parse(document)

    return read


def signed_by(signer: Signer, read: Callable[[str], str]) -> Callable[[bytes], bytes | None]:
    """What is read behind a true signature over the damaged text."""

    def respell(document: bytes) -> bytes | None:
        try:
            note = sign(document.decode(), signer)
        except ValueError:  # nothing that anyone could sign
            raise MalformedLog("", "") from None
        return read(note).encode()

    return respell


def respell_path(path: str) -> str:
    address = parse_path(path)
    if isinstance(address, TileAddress):
        return tile_path(address.level, address.index, address.width)
    return bundle_path(address.index, address.width)


def respell_leaf(leaf: bytes) -> bytes:
    read = parse_leaf(leaf)
    if isinstance(read, EntryLeaf):
        return entry_leaf(read.event_id, read.content)
    return open_leaf(read.event_id, read.type, read.recorded, read.public)


def folded(leaf: bytes) -> None:
    Fold().add(0, leaf)


DISCLOSED = next(leaf for leaf in small_log().leaves if incident(1).encode() in leaf)
RELEASED = next(leaf for leaf in small_log().leaves if b'"release.published"' in leaf)
ENTRY = entry_leaf(ID, write_base64(HASH))
VALUE: JSON = {"a": [1, -2, None, True, 'é\n"\\'], "b": {"c": {}}, "d": 2**53 - 1}

PARSERS = {
    "canonical JSON": Parser(canonical.encode(VALUE), lambda data: canonical.encode(canonical.decode(data))),
    "note": Parser(sign("one\n\ntwo\n", LOG, RECEIPT).encode(), text(unspelled(split_note))),
    "vkey": Parser(LOG.verifier.vkey().encode(), text(lambda vkey: Verifier.parse(vkey).vkey())),
    "witness's vkey": Parser(WITNESS.key.vkey().encode(), text(lambda vkey: WitnessKey.parse(vkey).vkey())),
    "private key": Parser(LOG.serialise().encode(), text(unspelled(Signer.parse))),
    "base64": Parser(write_base64(HASH).encode(), text(lambda data: write_base64(read_base64(data, "x")))),
    "decimal": Parser(b"1234567", text(lambda number: str(read_decimal(number, "x")))),
    "checkpoint": Parser(CHECKPOINT.text().encode(), text(lambda it: Checkpoint.parse(it).text())),
    "signed checkpoint": Parser(
        CHECKPOINT.text().encode(),
        signed_by(LOG, lambda note: open_checkpoint(note, ORIGIN, [LOG.verifier])[0].text()),
    ),
    "proof": Parser(
        Proof(2, (HASH, HASH), CHECKPOINT.sign(LOG), b"extra").text().encode(),
        text(lambda proof: Proof.parse(proof).text()),
    ),
    "receipt": Parser(
        A_RECEIPT.text().encode(),
        signed_by(RECEIPT, lambda note: Receipt.open(note, RECEIPT.verifier).text()),
    ),
    "count certificate": Parser(
        CERTIFICATE.text().encode(),
        signed_by(COUNT, lambda note: CountCertificate.open(note, COUNT.verifier).text()),
    ),
    "policy": Parser(POLICY.encode(), unspelled(Policy.parse)),
    "path of a tile": Parser(b"tile/3/x001/x234/067.p/112", text(respell_path)),
    "path of a bundle": Parser(b"tile/entries/x001/067", text(respell_path)),
    "bundle": Parser(
        encode_bundle([b"", b"one", b"x" * 300]), lambda data: encode_bundle(decode_bundle(data, 3))
    ),
    "tile": Parser(HASH * 3, lambda data: b"".join(split_hashes(data))),
    "entry leaf": Parser(ENTRY, respell_leaf),
    "open leaf": Parser(open_leaf(ID, "site.registered", date(2026, 11, 22), {"a": 1}), respell_leaf),
    "disclosure": Parser(DISCLOSED, folded),
    "release": Parser(RELEASED, folded),
}

PIECES = st.binary(max_size=4) | st.sampled_from(
    [
        *(b"\n", b"\n\n", b"\0", b"\x1f", b"\x7f", b"\r\n", b" ", b"+", b"0", b"-1", b"=", b"/", b"9" * 20),
        *(b"\\u0000", b'"', b"{", b"[", b'"a":1,', b"null", b"1e2", b"\xff", b"\xed\xa0\x80"),
        *("\u00a0".encode(), "— ".encode(), "٣".encode()),
    ]
)


@st.composite
def damaged(draw: st.DrawFn, document: bytes) -> bytes:
    """The document after one to four accidents."""
    for _ in range(draw(st.integers(1, 4))):
        at, end = sorted((draw(st.integers(0, len(document))), draw(st.integers(0, len(document)))))
        match draw(st.sampled_from(["cut", "insert", "replace", "repeat", "end", "flip", "swap"])):
            case "cut":
                document = document[:at] + document[end:]
            case "insert":
                document = document[:at] + draw(PIECES) + document[at:]
            case "replace":
                document = document[:at] + draw(PIECES) + document[at + 1 :]
            case "repeat":
                document = document[:end] + document[at:end] + document[end:]
            case "end":
                document = document[:at]
            case "flip" if at < len(document):
                changed = document[at] ^ 1 << draw(st.integers(0, 7))
                document = document[:at] + bytes([changed]) + document[at + 1 :]
            case _:
                lines = document.split(b"\n")
                first, second = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
                lines[first], lines[second] = lines[second], lines[first]
                document = b"\n".join(lines)
    return document


@pytest.mark.parametrize("name", PARSERS)
def test_the_document_itself_is_read(name: str) -> None:
    document, respell = PARSERS[name]
    assert respell(document) in (document, None)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=150)
@given(data=st.data())
def test_a_damaged_document_is_refused_or_was_the_one_spelling_of_what_it_says(
    name: str, data: st.DataObject
) -> None:
    document, respell = PARSERS[name]
    spoilt = data.draw(damaged(document) | st.binary(max_size=80))
    with suppress(MalformedLog):
        assert respell(spoilt) in (spoilt, None)


@settings(max_examples=400)
@given(damaged(ENTRY) | damaged(ENTRY.replace(b"4b0e", b"7b0e")))
def test_an_entry_leaf_is_known_without_parsing_exactly_when_parsing_gives_one(leaf: bytes) -> None:
    try:
        parsed = isinstance(parse_leaf(leaf), EntryLeaf)
    except MalformedLog:
        parsed = False
    assert is_entry_leaf(leaf) == parsed
    assert is_entry_bundle(encode_bundle([ENTRY, leaf]), 2) == parsed


NOTES = {
    "checkpoint": (CHECKPOINT.sign(LOG), LOG),
    "receipt": (A_RECEIPT.sign(RECEIPT), RECEIPT),
    "count certificate": (CERTIFICATE.sign(COUNT), COUNT),
    "two signatures": (sign("one\n\ntwo\n", LOG, RECEIPT), LOG),
}


@pytest.mark.parametrize("name", NOTES)
@settings(max_examples=150)
@given(data=st.data())
def test_from_a_note_damaged_after_signing_nothing_comes_out_but_what_was_signed(
    name: str, data: st.DataObject
) -> None:
    note, signer = NOTES[name]
    spoilt = data.draw(damaged(note.encode())).decode("utf-8", "surrogateescape")
    with suppress(MalformedLog):
        assert open_note(spoilt, [signer.verifier]).text == open_note(note, [signer.verifier]).text


@settings(max_examples=150)
@given(data=st.data())
def test_a_damaged_proof_proves_nothing_else(data: st.DataObject) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(2)]
    proof = Proof(1, (leaves[0],), Checkpoint(ORIGIN, 2, root(leaves)).sign(LOG))
    spoilt = data.draw(damaged(proof.text().encode())).decode("utf-8", "surrogateescape")
    with suppress(MalformedLog):
        read = Proof.parse(spoilt)
        read.verify(leaves[1], ORIGIN, [LOG.verifier])
        assert (read.index, read.hashes) == (proof.index, proof.hashes)
