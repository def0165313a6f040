"""From decided events to what is stored: private parts encrypted, commitments made, the leaf built; and back."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import msgspec

from registry.domain.event import Event, Pending
from registry.domain.mapper import AGGREGATES, content, decode_event, encode_event
from registry.errors import Erased
from registry.log.canonical import JSON, encode, encode_checked
from registry.log.leaf import entry_leaf, open_leaf
from registry.log.lines import write_base64
from registry.log.merkle import leaf_hash
from registry.privacy.sealing import commitment_to_bytes, new_key
from registry.privacy.vault import KEY_ID_BYTES, Cipher, OtherKey, Vault, decrypt, key_id
from registry.store import CommitmentKey, EventStore, NewDataKey, NewEvent, PrivatePart, Recorded
from registry.store.store import ContentKey

CONTENT = "content"
"""The one commitment of an entry leaf."""

Opening = Mapping[str, JSON]
"""``{"value": …, "key": base64}``: what a commitment commits to, and the key that shows it."""


class Sealed(msgspec.Struct, frozen=True):
    """An event ready for the store, and the openings that its sender receives."""

    event: NewEvent
    recorded: datetime
    openings: Mapping[str, Opening]


async def seal(
    vault: Vault, pending: Sequence[Pending], *, new_streams: bool = False
) -> tuple[list[Sealed], tuple[NewDataKey, ...]]:
    """Seals new events, outside of any lock. The new data keys among those used are to be stored with the events.

    ``new_streams``: streams that begin with these events are taken for as new as they look, so that nobody has a data
    key under their names yet. The store refuses them otherwise.
    """
    unknown = {
        f"{AGGREGATES[event.TOPIC].NOUN}:{event.originator_id}"
        for event, _, _ in pending
        if new_streams and event.originator_version == 1
    }
    data_keys = await vault.keys_for_sealing([subject for one in pending for subject in one.private], unknown)
    ciphers = {subject: Cipher(key) for subject, key in data_keys.keys.items()}
    return (
        [_seal(one, ciphers) for one in pending],
        tuple(NewDataKey(subject, wrapped) for subject, wrapped in data_keys.new.items()),
    )


def _seal(pending: Pending, ciphers: Mapping[str, Cipher]) -> Sealed:
    event = pending.event
    private = {subject: nfc(dict(values)) for subject, values in pending.private.items() if values}
    openings: dict[str, Opening] = {}
    keys = dict(pending.commitment_keys)
    if event.OPEN:
        leaf = open_leaf(event.event_id, event.TOPIC, event.recorded.date(), event.public())
    else:
        value = content(event, private)
        key = keys[CONTENT] = new_key()
        # This checks all that the event and its private parts hold.
        sealed = commitment_to_bytes(key, event.event_id, CONTENT, encode(value))
        leaf = entry_leaf(event.event_id, sealed)
        openings[CONTENT] = {"value": value, "key": write_base64(key)}
    subjects = tuple(sorted(pending.private))
    event_id = str(event.event_id)
    write = encode if event.OPEN else encode_checked
    return Sealed(
        NewEvent(
            event_id=event.event_id,
            stream_id=event.originator_id,
            version=event.originator_version,
            type=event.TOPIC,
            state=encode_event(event, checked=not event.OPEN),
            leaf=leaf,
            leaf_hash=leaf_hash(leaf),
            private_parts=tuple(
                PrivatePart(subject, ciphers[subject].encrypt(write(values), _part(event_id, subject)))
                for subject, values in private.items()
            ),
            commitment_keys=tuple(
                CommitmentKey(field, subjects, _wrap(key, event_id, field, subjects, ciphers))
                for field, key in keys.items()
            ),
        ),
        event.recorded,
        openings,
    )


class Unsealed(msgspec.Struct, frozen=True):
    """A stored event with its private values, by subject, and its commitment keys, by field."""

    recorded: Recorded
    event: Event
    private: dict[str, JSON]
    commitment_keys: dict[str, bytes]

    def openings(self) -> Mapping[str, Opening]:
        """The openings as the sender first received them. Raises Erased if they can no longer be made."""
        if self.event.OPEN:
            return {}
        if CONTENT not in self.commitment_keys:
            raise Erased
        key = self.commitment_keys[CONTENT]
        return {CONTENT: {"value": content(self.event, self.private), "key": write_base64(key)}}


async def unseal(store: EventStore, vault: Vault, recorded: Sequence[Recorded]) -> list[Unsealed]:
    """Reads back what was sealed. What was erased is absent."""
    ids = [one.event_id for one in recorded]
    parts = await store.private_parts(ids)
    keys = await store.commitment_keys(ids)
    subjects = {part.subject for part in parts} | {subject for key in keys for subject in key.subjects}
    data_keys = await vault.keys_for_reading(subjects)
    private: dict[UUID, dict[str, JSON]] = {event_id: {} for event_id in ids}
    for part in parts:
        # The subject may have been erased, and may have a new key since.
        if part.subject in data_keys:
            with suppress(OtherKey):
                plaintext = decrypt(
                    data_keys[part.subject], part.ciphertext, _part(str(part.event_id), part.subject)
                )
                private[part.event_id][part.subject] = msgspec.json.decode(plaintext)
    unwrapped: dict[UUID, dict[str, bytes]] = {event_id: {} for event_id in ids}
    for key in keys:
        if data_keys.keys() >= set(key.subjects):
            with suppress(OtherKey):
                unwrapped[key.event_id][key.field] = _unwrap(
                    key.wrapped, key.event_id, key.field, key.subjects, data_keys
                )
    return [
        Unsealed(one, decode_event(one.type, one.state), private[one.event_id], unwrapped[one.event_id])
        for one in recorded
    ]


class Coded(msgspec.Struct, frozen=True):
    """An entry without its private values: ``value`` is what the leaf commits to, but for these.

    ``people`` are the pseudonyms of those whom it covers. ``opening`` is None where a private value is committed to as
    well, and where the key was erased.
    """

    recorded: Recorded
    event: Event
    value: dict[str, JSON]
    people: tuple[str, ...]
    opening: Opening | None


async def read_coded(store: EventStore, vault: Vault, recorded: Sequence[Recorded]) -> list[Coded]:
    """Entries in codes, for those who may see these and no private value: none is decrypted."""
    keys = {key.event_id: key for key in await store.content_keys([one.event_id for one in recorded])}
    subjects = {subject for key in keys.values() if not key.private for subject in key.subjects}
    data_keys = await vault.keys_for_reading(subjects) if subjects else {}
    return [_coded(one, keys.get(one.event_id), data_keys) for one in recorded]


def _coded(recorded: Recorded, key: ContentKey | None, data_keys: Mapping[str, bytes]) -> Coded:
    event = decode_event(recorded.type, recorded.state)
    value = content(event, {})
    people = () if key is None else tuple(_people(key.subjects))
    opening: Opening | None = None
    if key is not None and not key.private and data_keys.keys() >= set(key.subjects):
        with suppress(OtherKey):
            unwrapped = _unwrap(key.wrapped, key.event_id, CONTENT, key.subjects, data_keys)
            # Between the private values and the key that covers them, an erasure may be under way.
            sealed = commitment_to_bytes(unwrapped, key.event_id, CONTENT, encode(value))
            if sealed.encode() in recorded.leaf:
                opening = {"value": value, "key": write_base64(unwrapped)}
    return Coded(recorded, event, value, people, opening)


def _people(subjects: Sequence[str]) -> Iterator[str]:
    for subject in subjects:
        kind, _, name = subject.partition(":")
        if kind == "person":
            yield name


def nfc(value: JSON) -> JSON:
    """Strings in Unicode NFC, the only form that canonical JSON has here."""
    if type(value) is str and value.isascii():  # most are
        return value
    match value:
        case str():
            return nfc_text(value)
        case list():
            return [nfc(item) for item in value]
        case dict():
            return {name: nfc(item) for name, item in value.items()}
        case _:
            return value


def nfc_text(text: str) -> str:
    """One text in Unicode NFC."""
    return unicodedata.normalize("NFC", text)


def _part(event_id: str, subject: str) -> str:
    return f"{event_id}/{subject}"


def _wrap(
    key: bytes, event_id: str, field: str, subjects: Sequence[str], ciphers: Mapping[str, Cipher]
) -> bytes:
    """Under every subject's data key, one inside the other: losing any one of them loses the commitment key.

    In front stand the ids of all those keys, in the order of the subjects: the store looks at them.
    """
    for subject in subjects:
        key = ciphers[subject].encrypt(key, f"{event_id}/{field}/{subject}")
    return b"".join([ciphers[subject].key_id for subject in subjects]) + key


def _unwrap(
    wrapped: bytes, event_id: UUID, field: str, subjects: Sequence[str], data_keys: Mapping[str, bytes]
) -> bytes:
    ids, wrapped = wrapped[: KEY_ID_BYTES * len(subjects)], wrapped[KEY_ID_BYTES * len(subjects) :]
    if ids != b"".join(key_id(data_keys[subject]) for subject in subjects):
        raise OtherKey
    for subject in reversed(subjects):
        wrapped = decrypt(data_keys[subject], wrapped, f"{event_id}/{field}/{subject}")
    return wrapped
