"""What a caller gets: an accepted write with its leaves, openings and receipts, one record, a page of records."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.responses import Response

from api.rest.headers import entity_tag
from registry.application.execution.answers import Accepted
from registry.application.reading import View
from registry.log import canonical
from registry.log.canonical import JSON
from registry.text import Language

_MEDIA_TYPE: Final = "application/json"

# The largest number that canonical JSON, and so the log, can name.
LAST_POSITION: Final = 2**53 - 1

# Answers hold private values, and openings: no cache on the way may keep them.
_PRIVATE: Final = {"Cache-Control": "private, no-store"}


class OpeningAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Value and key (base64 of 32 bytes) of a commitment: with them the sender checks the leaf."""

    value: Any
    key: str


class EventAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An event of an accepted write: its position (= leaf index), the exact leaf, what opens it, its receipt."""

    position: int
    leaf: str
    openings: dict[str, OpeningAnswer]
    receipt: str


class WarningAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is doubtful about a field that was accepted all the same. ``detail`` follows Accept-Language."""

    field: str
    detail: str


class WriteAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to every accepted write. ``receipt`` is that of the last event; ``warnings`` only where there are."""

    id: str
    version: int
    events: list[EventAnswer]
    receipt: str
    warnings: list[WarningAnswer] | msgspec.UnsetType = msgspec.UNSET


class EvidenceAnswer(WriteAnswer, frozen=True, kw_only=True):
    """The answer to an accepted file: ``id`` and ``version`` are those of the report, ``evidence`` is the file's."""

    evidence: str


class KeyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A new key. ``key`` is shown now and never again."""

    id: str
    key: str


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A record as the caller may see it. Beside these, its own fields in codes, and ``private`` where it shows."""

    id: str
    version: int
    institution: str | None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of records; ``next`` is the ``after`` of the following page, null on the last."""

    items: list[dict[str, Any]]
    next: int | None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A record that may be about the same occurrence, a ``report`` or an ``incident``.

    ``incident`` is where a report is linked. ``score`` from 0 to 1 orders candidates and is no probability.
    ``rules`` are those that made it a candidate. ``features`` are bits for (positive) and against; null where a side
    says nothing.
    """

    noun: str
    id: str
    incident: str | None
    score: float
    rules: list[str]
    features: dict[str, float | None]


class Matches(msgspec.Struct, frozen=True, kw_only=True):
    """The likeliest first. ``algorithm`` names the version that gave the scores."""

    report: str
    algorithm: str
    items: list[Candidate]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A municipality by its present name; ``state`` is INEGI's code, ``vintage`` the newest catalogue that has it."""

    cvegeo: str
    name: str
    state: str
    vintage: str


class PlaceChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A municipality that may be meant. ``score`` up to 1 (the same name) orders them and is no probability."""

    cvegeo: str
    name: str
    state: str
    score: float


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """``resolved`` where the name is exactly one municipality's, else ``choices``, the likeliest first.

    ``vintages`` are those of the catalogues that were searched; none: no catalogue is loaded.
    """

    resolved: Place | None
    choices: list[PlaceChoice]
    vintages: list[str]


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A page of waiting reports; ``count`` is how many wait in all."""

    items: list[dict[str, Any]]
    next: int | None
    count: int


def accepted(result: Accepted, collection: str, language: Language) -> Response:
    """The answer to a write: 201, or 200 when the source record was known with the same content."""
    answer = _answer(result)
    if result.warnings:
        told = [WarningAnswer(field=one.field, detail=one.text.in_(language)) for one in result.warnings]
        answer = msgspec.structs.replace(answer, warnings=told)
    return _written(answer, result, f"{collection}/{result.id}")


def attached(result: Accepted, evidence: UUID) -> Response:
    """The answer to a file of evidence, likewise."""
    answer = EvidenceAnswer(**msgspec.structs.asdict(_answer(result)), evidence=str(evidence))
    return _written(answer, result, f"/v1/evidence/{evidence}")


def _answer(result: Accepted) -> WriteAnswer:
    events = [
        EventAnswer(
            position=event.position,
            leaf=event.leaf.decode(),
            openings={field: _opening(opening) for field, opening in event.openings.items()},
            receipt=event.receipt,
        )
        for event in result.events
    ]
    return WriteAnswer(id=str(result.id), version=result.version, events=events, receipt=events[-1].receipt)


def _written(answer: WriteAnswer, result: Accepted, location: str) -> Response:
    headers = {"Location": location, "ETag": entity_tag(result.version)}
    return _json(answer, 201 if result.created else 200, headers, replayed=result.replayed)


def issued(key_id: str, key: str, *, replayed: bool) -> Response:
    """The answer to a request for a key."""
    return _json(KeyAnswer(id=key_id, key=key), 201, {"Location": f"/v1/keys/{key_id}"}, replayed=replayed)


def one(view: View) -> Response:
    """A record at its current version."""
    return _json(_item(view), 200, {"ETag": entity_tag(view.version)})


def page(views: Sequence[View], following: int | None) -> Response:
    """A page of records."""
    return _json(page_of(views, following), 200)


def page_of(views: Sequence[View], following: int | None) -> Page:
    """What a page of records holds."""
    return Page(items=[_item(view) for view in views], next=following)


def made(value: object, location: str, *, replayed: bool) -> Response:
    """A row of our own, made or changed: no event, hence no receipt."""
    return _json(value, 201, {"Location": location}, replayed=replayed)


def plain(value: object) -> Response:
    """Any other JSON for the caller's eyes only."""
    return _json(value, 200)


def text(value: str) -> Response:
    """A signed note, for the caller's eyes only."""
    return Response(value, 200, _PRIVATE, "text/plain")


def _opening(opening: Mapping[str, JSON]) -> OpeningAnswer:
    """The value spelt canonically, so that a repeated answer is the first one byte by byte."""
    return OpeningAnswer(value=msgspec.Raw(canonical.encode(opening["value"])), key=str(opening["key"]))


def _item(view: View) -> dict[str, Any]:
    institution = None if view.institution is None else str(view.institution)
    return {"id": str(view.id), "version": view.version, "institution": institution, **view.body}


def _json(
    value: object, status: int, headers: dict[str, str] | None = None, *, replayed: bool = False
) -> Response:
    more = {"Idempotency-Replayed": "true"} if replayed else {}
    return Response(msgspec.json.encode(value), status, {**_PRIVATE, **(headers or {}), **more}, _MEDIA_TYPE)
