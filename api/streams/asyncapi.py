"""The AsyncAPI 3.0 document: every event with its schema, and the channels that carry it. Made from the models.

The events' own structs give the schema of ``data.event.data``, those of ``leaves.py`` that of ``data.leaf.public``;
the envelope is one for all. docs/asyncapi.json holds the same text, so that a change of it is seen.
"""

from functools import cache
from importlib.metadata import version
from typing import Any, Final

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from api.auth.guard import SECURITY_SCHEME
from api.delivery.webhooks.sending import TEST_TYPE
from api.schemas import components
from api.streams.envelope import BATCH_MEDIA_TYPE, MEDIA_TYPE, TYPES
from api.streams.examples import examples
from api.streams.feed import DEFAULT_LIMIT, MAX_WAIT_SECONDS
from api.streams.filters import ABOUT
from api.streams.leaves import OPEN_LEAVES
from api.streams.models import EntryLeaf, StreamEvent
from registry.domain.event import ENVELOPE
from registry.domain.mapper import AGGREGATES, EVENTS
from registry.log.leaf import ENTRY
from registry.store.subscription import PAGE_EVENTS

PATH: Final = "/asyncapi.json"

_SCHEMA: Final = "#/components/schemas/{name}"

_INFO: Final = (
    "Todo lo que ocurre en el registro, en el orden de la bitácora y una vez: páginas, SSE, webhooks y NATS con el "
    "mismo sobre CloudEvents 1.0. Sin clave, lo publicado; con una, además, lo propio. · Everything that happens in "
    "the register, in the order of the log and once: pages, SSE, webhooks and NATS in the same CloudEvents 1.0 "
    "envelope. What is published without a key; with one, what is one's own as well. See docs/streams.md."
)


def document() -> dict[str, Any]:
    """The document, the same at every call."""
    shown = examples()
    return {
        "asyncapi": "3.0.0",
        "id": "urn:constancia:streams",
        "info": {
            "title": "Constancia: eventos · events",
            "version": version("constancia"),
            "description": _INFO,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "contact": {
                "name": "Quien opera el registro · Whoever operates the register",
                "url": "https://localhost",
            },
            "tags": [{"name": noun, "description": _NOUNS[noun]} for noun in sorted(_NOUNS)],
        },
        "defaultContentType": MEDIA_TYPE,
        "servers": _servers(),
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "messages": {
                **{name: _message(name, shown.get(name)) for name in sorted(TYPES)},
                TEST_TYPE: _test_message(),
            },
            "schemas": _schemas(),
            "securitySchemes": {
                SECURITY_SCHEME: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "cst_<env>_<secret><checksum>, con · with events:read",
                }
            },
        },
    }


@cache
def serialise() -> bytes:
    """The text that is served and kept in docs/asyncapi.json."""
    return msgspec.json.format(msgspec.json.encode(document(), order="sorted"), indent=2) + b"\n"


def build_router() -> APIRouter:
    """The document, where tools look for it."""
    router = APIRouter()

    @router.get(PATH, include_in_schema=False)
    async def asyncapi() -> Response:
        return Response(serialise(), 200, {"Access-Control-Allow-Origin": "*"}, "application/json")

    return router


_NOUNS: Final = {
    "assignment": "El año de servicio de un pasante · A student's year of service",
    "incident": "Lo adjudicado · What was adjudicated",
    "institution": "Quien informa y quien verifica · Who submits and who verifies",
    "register": "El propio registro: definiciones, publicaciones, borrados · The register itself: definitions, "
    "releases, erasures",
    "report": "Lo que dijo una fuente · What one source said",
    "site": "Las clínicas · The clinics",
}

_PUBLIC: Final = frozenset(OPEN_LEAVES) | {ENTRY}


def _servers() -> dict[str, Any]:
    def server(protocol: str, host: str, text: str) -> dict[str, Any]:
        variable = {"default": host, "description": text}
        return {"host": "{host}", "protocol": protocol, "description": text, "variables": {"host": variable}}

    return {
        "register": server("https", "localhost:8000", "El registro · The register"),
        "nats": server(
            "nats",
            "localhost:4222",
            "Un NATS al que alguien retransmite lo publicado · A NATS to which somebody relays what is published",
        ),
    }


def _channels() -> dict[str, Any]:
    def channel(
        address: str | None, servers: tuple[str, ...], text: str, types: frozenset[str]
    ) -> dict[str, Any]:
        return {
            "address": address,
            "description": text,
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in sorted(types)},
            **({"servers": [{"$ref": f"#/servers/{name}"} for name in servers]} if servers else {}),
        }

    nats = channel(
        "constancia.{type}",
        ("nats",),
        "JetStream: un asunto por tipo; la secuencia es la posición más 1. Solo lo publicado. · JetStream: a subject "
        "per type; the sequence is the position plus 1. Only what is published.",
        _PUBLIC,
    )
    nats["parameters"] = {"type": {"description": "El tipo del evento · The type of the event"}}
    return {
        "feed": channel(
            "/v1/events",
            ("register",),
            "Páginas: {“items”: […], “next”: n}, o el formato por lotes de CloudEvents "
            f"({BATCH_MEDIA_TYPE}). · Pages: {{“items”: […], “next”: n}}, or the batch format of CloudEvents "
            f"({BATCH_MEDIA_TYPE}).",
            TYPES,
        ),
        "stream": channel(
            "/v1/events/stream",
            ("register",),
            "SSE: «data» es el evento, «id» la posición más 1, que vuelve en Last-Event-ID. · SSE: “data” is the "
            "event, “id” the position plus 1, which comes back as Last-Event-ID.",
            TYPES,
        ),
        "webhooks": channel(
            None,
            (),
            "Standard Webhooks 1.0: POST a la dirección que se registró, un evento por entrega, firmada en los "
            "encabezados webhook-id, webhook-timestamp y webhook-signature. · Standard Webhooks 1.0: a POST to the "
            "address that was registered, one event per delivery, signed in the headers webhook-id, webhook-timestamp "
            "and webhook-signature.",
            TYPES | {TEST_TYPE},
        ),
        "nats": nats,
    }


def _operations() -> dict[str, Any]:
    optional_key = [{"$ref": f"#/components/securitySchemes/{SECURITY_SCHEME}"}]

    def send(channel: str, summary: str, **more: Any) -> dict[str, Any]:
        return {
            "action": "send",
            "channel": {"$ref": f"#/channels/{channel}"},
            "summary": summary,
            "description": summary,
            **more,
        }

    def query(**properties: dict[str, Any]) -> dict[str, Any]:
        filters: dict[str, dict[str, Any]] = {
            "after": {"type": "integer", "minimum": 0, "default": 0},
            "types": {"type": "array", "items": {"type": "string", "enum": sorted(TYPES)}},
            "subject": {"type": "array", "items": {"type": "string"}},
        }
        told = {name: {**one, "description": ABOUT[name]} for name, one in {**filters, **properties}.items()}
        schema = {"type": "object", "properties": told}
        return {"http": {"method": "GET", "query": schema, "bindingVersion": "0.3.0"}}

    limit = {"type": "integer", "minimum": 1, "maximum": PAGE_EVENTS, "default": DEFAULT_LIMIT}
    wait = {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_SECONDS, "default": 0}
    return {
        "readPages": send(
            "feed",
            "Leer eventos por páginas · Read events in pages",
            security=optional_key,
            bindings=query(limit=limit, wait=wait),
        ),
        "followStream": send(
            "stream",
            "Seguir los eventos por SSE · Follow events by SSE",
            security=optional_key,
            bindings=query(),
        ),
        "deliverWebhook": send(
            "webhooks",
            "Entregar un evento a una dirección · Deliver an event to an address",
            bindings={"http": {"method": "POST", "bindingVersion": "0.3.0"}},
        ),
        "relayToNats": send("nats", "Retransmitir lo publicado a NATS · Relay what is published to NATS"),
    }


def _message(name: str, example: dict[str, Any] | None) -> dict[str, Any]:
    noun = None if name == ENTRY else AGGREGATES[name].NOUN
    text = (EntryLeaf.__doc__ if name == ENTRY else EVENTS[name].__doc__) or name
    return {
        "name": name,
        "title": name,
        "summary": " ".join(text.split()),
        "contentType": MEDIA_TYPE,
        "payload": {"$ref": _SCHEMA.format(name=name)},
        **({"tags": [{"name": noun}]} if noun else {}),
        **({"examples": [{"name": name, "payload": example}]} if example else {}),
    }


def _test_message() -> dict[str, Any]:
    """What a webhook is tested with: no event of the log, so it has no position and no leaf."""
    properties = {
        **{name: {"type": "string"} for name in ("id", "source", "subject", "time")},
        "specversion": {"const": "1.0"},
        "type": {"const": TEST_TYPE},
        "datacontenttype": {"const": "application/json"},
        "data": {"type": "object", "maxProperties": 0},
    }
    return {
        "name": TEST_TYPE,
        "title": TEST_TYPE,
        "summary": "Una prueba de la dirección, que no dice nada. · A test of the address, which says nothing.",
        "contentType": MEDIA_TYPE,
        "payload": {"type": "object", "properties": properties, "required": sorted(properties)},
    }


def _schemas() -> dict[str, Any]:
    closed = [event for event in EVENTS.values() if not event.OPEN]
    shapes = [StreamEvent, EntryLeaf, *OPEN_LEAVES.values(), *closed]
    schemas = components(shapes, _SCHEMA)
    for event in closed:
        schemas[event.__name__] = _data(schemas[event.__name__])
    return {**_without_discriminators(schemas), **{name: _payload(name) for name in TYPES}}


def _without_discriminators(schema: Any) -> Any:
    """They are OpenAPI's objects; AsyncAPI has others. The tags that they point to are constants anyway."""
    if isinstance(schema, dict):
        return {
            name: _without_discriminators(one)
            for name, one in schema.items()
            if not (name == "discriminator" and isinstance(one, dict) and "propertyName" in one)
        }
    if isinstance(schema, list):
        return [_without_discriminators(one) for one in schema]
    return schema


def _data(schema: dict[str, Any]) -> dict[str, Any]:
    """Of a stored event, what it says beside what every event says."""
    return {
        **schema,
        "properties": {name: one for name, one in schema["properties"].items() if name not in ENVELOPE},
        "required": [name for name in schema.get("required", []) if name not in ENVELOPE],
    }


def _payload(name: str) -> dict[str, Any]:
    """The envelope, with what is special about events of this name."""
    if name in OPEN_LEAVES:
        leaf = _open_leaf(name, OPEN_LEAVES[name])
        data: dict[str, Any] = {"properties": {"leaf": leaf}, "maxProperties": 1}
    else:
        data = {"properties": {"leaf": {"$ref": _SCHEMA.format(name="EntryLeaf")}}}
    if name in EVENTS and name not in OPEN_LEAVES:
        said = {"type": {"const": name}, "data": {"$ref": _SCHEMA.format(name=EVENTS[name].__name__)}}
        data["properties"]["event"] = {"properties": said}
    return {
        "allOf": [
            {"$ref": _SCHEMA.format(name="StreamEvent")},
            {"type": "object", "properties": {"type": {"const": name}, "data": data}},
        ]
    }


def _open_leaf(name: str, public: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "public": {"$ref": _SCHEMA.format(name=public.__name__)},
            "recorded": {"type": "string", "format": "date"},
            "type": {"const": name},
            "v": {"const": 1},
        },
        "required": ["id", "public", "recorded", "type", "v"],
        "additionalProperties": False,
    }
