"""The AsyncAPI document (3.0) as a reference to read: channels, the envelope, and what each message says in it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from api.web.developers.schemas import Field, Schema, Schemas, Shape
from api.web.developers.wording import Said, fold, plain, said
from api.web.texts import Texts

ENVELOPE: Final = "StreamEvent"
PUBLIC_CHANNEL: Final = "nats"
"""It carries what is public and nothing else."""


class Channel(NamedTuple):
    """A way by which events come. ``messages``: how many types of them."""

    name: str
    address: str | None
    protocols: Sequence[str]
    title: str
    said: Said
    parameters: Sequence[Field]
    messages: int


class Part(NamedTuple):
    """What an event of a type says beside the envelope: the ``fields`` of the object at ``path``."""

    path: str
    said: Said | None
    fields: Sequence[Field]


class Message(NamedTuple):
    """A type of event. ``public``: whether everybody is shown what it is."""

    name: str
    said: Said | None
    public: bool
    parts: Sequence[Part]
    example: str | None


class Group(NamedTuple):
    """The types about one kind of record."""

    noun: str
    title: str
    messages: Sequence[Message]


class Reference:
    """The document in one language."""

    def __init__(self, document: Mapping[str, Any], words: Texts) -> None:
        self._document, self._words = document, words
        self._schemas = Schemas(document, words)
        nats = document["channels"][PUBLIC_CHANNEL]
        self._public = frozenset(nats["messages"])

    def channels(self) -> list[Channel]:
        """In the document's order."""
        return [self._channel(name, channel) for name, channel in self._document["channels"].items()]

    def envelope(self) -> Shape:
        """What is the same of every event; the objects in it are described within."""
        schema = {"$ref": f"#/components/schemas/{ENVELOPE}"}
        return Shape(ENVELOPE, self._schemas.said(schema), self._schemas.fields(schema, within=True))

    def groups(self) -> list[Group]:
        """Every message, by the kind of record that it is about; those about none come last."""
        messages = self._document["components"]["messages"]
        nouns = {tag["name"]: tag["description"] for tag in self._document["info"]["tags"]}
        grouped: dict[str, list[Message]] = {noun: [] for noun in (*nouns, "")}
        for name, message in messages.items():
            (noun,) = [tag["name"] for tag in message.get("tags", ())] or [""]
            grouped[noun].append(self._message(name, message))
        titles = {noun: plain(text, self._words.language) for noun, text in nouns.items()}
        titles[""] = self._words.gettext("Sin registro propio")
        return [Group(noun or "other", titles[noun], listed) for noun, listed in grouped.items() if listed]

    def _channel(self, name: str, channel: Mapping[str, Any]) -> Channel:
        operation = next(one for one in self._document["operations"].values() if self._leads_to(one, name))
        servers = [self._schemas.resolve(one)[1] for one in channel.get("servers", ())]
        query = operation.get("bindings", {}).get("http", {}).get("query", {})
        parameters = channel.get("parameters", {})
        return Channel(
            name,
            channel["address"],
            [server["protocol"] for server in servers],
            plain(operation["summary"], self._words.language),
            said(channel["description"], self._words.language),
            [
                *self._schemas.fields(query, within=True),
                *(
                    self._schemas.field(parameter, {"type": "string", **one}, required=True, within=True)
                    for parameter, one in parameters.items()
                ),
            ],
            len(channel["messages"]),
        )

    def _leads_to(self, operation: Mapping[str, Any], channel: str) -> bool:
        return bool(operation["channel"]["$ref"] == f"#/channels/{channel}")

    def _message(self, name: str, message: Mapping[str, Any]) -> Message:
        summary = fold(message["summary"])
        payload = self._schemas.resolve(message["payload"])[1]
        examples = message.get("examples")
        return Message(
            name,
            said(summary, self._words.language) if summary != name else None,
            name in self._public,
            [self._part(path, schema) for path, schema in _special(payload)],
            json.dumps(examples[0]["payload"], ensure_ascii=False, indent=2) if examples else None,
        )

    def _part(self, path: str, schema: Schema) -> Part:
        fields = self._schemas.fields(schema, within=True)
        return Part(path, self._schemas.said(schema), fields)


def _special(payload: Schema) -> Iterator[tuple[str, Schema]]:
    """What the payload of a type adds to the envelope: where it stands, and its schema."""
    if "allOf" not in payload:
        yield "", payload
        return
    data = payload["allOf"][1]["properties"]["data"]["properties"]
    leaf, event = data["leaf"], data.get("event")
    if "properties" in leaf:
        yield "data.leaf.public", leaf["properties"]["public"]
    elif event is None:
        yield "data.leaf", leaf
    if event is not None:
        yield "data.event.data", event["properties"]["data"]
