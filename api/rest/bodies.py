"""Request bodies: read up to a limit, decoded strictly into drafts, explained without repeating what was sent.

JSON as in RFC 8259 and I-JSON (RFC 7493): UTF-8, no repeated names, no NaN. The decoder's own messages may quote the
input, so every refusal is worded here, from the place in the draft and what would be accepted there.
"""

import json
import re
import types
import unicodedata
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import inspect
from starlette.requests import Request

from api.patterns import PATTERNS
from api.problems import (
    BODY_TOO_LARGE,
    INVALID_INPUT,
    MALFORMED_BODY,
    UNSUPPORTED_MEDIA_TYPE,
    FieldError,
    Problem,
)
from registry.application.drafts import NO_CONTROLS, Draft
from registry.domain.claims import Contradiction
from registry.log import canonical
from registry.text import Text

T = TypeVar("T")

# Enough to mend a body in one go, short enough to read.
MOST_ERRORS: Final = 20

# Escapes of control characters other than tab and line ends: no text of ours has them, and PostgreSQL refuses U+0000.
_CONTROL_ESCAPE: Final = re.compile(
    r"(?<!\\)(?:\\\\)*\\(?:u00(?:0[0-8bcef]|1[0-9a-f]|7f)|[bf])", re.IGNORECASE
)


async def read_body(request: Request, limit: int) -> bytes:
    """The body, at most ``limit`` bytes, read no further than that.

    FastAPI's own ``max_body_size`` answers in plain text even where an exception handler would answer otherwise.

    :raises Problem: 413.
    """
    return b"".join([chunk async for chunk in limited(request, limit)])


async def limited(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body as it comes, read no further than ``limit`` bytes. Raises Problem: 413."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large(limit)
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        yield chunk


def too_large(limit: int) -> Problem:
    """The 413 that says how much is accepted."""
    return Problem(
        BODY_TOO_LARGE,
        Text(
            f"Se aceptan hasta {limit} bytes por petición. Divida el envío en varios más pequeños.",
            f"At most {limit} bytes are accepted per request. Split the submission into smaller ones.",
        ),
    )


def check_media_type(request: Request) -> None:
    """:raises Problem: 415 for a body that is declared as something else than JSON."""
    declared = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if declared != "application/json":
        raise Problem(UNSUPPORTED_MEDIA_TYPE)


def decode(body: bytes, draft: type[T]) -> T:
    """The draft that a JSON body holds. Strings are brought to NFC, as the log's canonical JSON needs them.

    :raises Problem: 400 for what is not JSON; 422 with every field that cannot be accepted.
    """
    value: object = None
    try:
        text = unicodedata.normalize("NFC", body.decode("utf-8"))
        if _CONTROL_ESCAPE.search(text):
            raise Problem(MALFORMED_BODY)
        # msgspec keeps the last of repeated names without a word: two readers would see two different bodies.
        value = json.loads(text, object_pairs_hook=_unrepeated, parse_constant=_refuse_constant)
        if "\\u" in text:
            text = unicodedata.normalize("NFC", json.dumps(value, ensure_ascii=False))
        return msgspec.json.decode(text, type=draft)
    except msgspec.ValidationError:
        raise Problem(INVALID_INPUT, errors=explain(value, draft)) from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise Problem(MALFORMED_BODY) from None


def content_of(draft: Draft) -> bytes:
    """What a source record is compared by: the draft's canonical JSON, so that spelling and order do not matter."""
    return canonical.encode(msgspec.to_builtins(draft))


def explain(value: object, draft: Any) -> list[FieldError]:
    """What is wrong with a decoded JSON value as a ``draft``, place by place."""
    errors = [error for error, _ in zip(_explain(value, draft, ""), range(MOST_ERRORS), strict=False)]
    return errors or [FieldError("", _accepts(draft))]


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object repeats a name")
    return members


def _refuse_constant(_: str) -> None:
    raise ValueError("NaN and the infinities are not JSON")


def _explain(value: object, kind: Any, path: str) -> Iterator[FieldError]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        inner = list(_inside(value, _alternative(value, kind), path))
        if not inner:
            cause = error.__cause__
            inner = [FieldError(path, cause.text if isinstance(cause, Contradiction) else _accepts(kind))]
        yield from inner


def _inside(value: object, kind: Any, path: str) -> Iterator[FieldError]:
    """The errors within an object or a list; none for a value that is wrong as a whole."""
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        if not fields.keys() >= value.keys():
            yield FieldError(path, _only(fields))
        for name, field in fields.items():
            place = f"{path}.{name}" if path else name
            if name in value:
                yield from _explain(value[name], field.type, place)
            elif field.required:
                yield FieldError(place, _required(field.type))
    elif isinstance(value, list) and get_origin(kind) in (list, tuple):
        for index, item in enumerate(value):
            yield from _explain(item, get_args(kind)[0], f"{path}[{index}]")


def _alternative(value: object, kind: Any) -> Any:
    """The member of a union that the shape of the value points at; the type itself when it is no union."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) not in (Union, types.UnionType):
        return kind
    members = [_alternative(value, member) for member in get_args(kind)]
    shaped = [
        member
        for member in members
        if (isinstance(value, dict) and isinstance(member, type) and issubclass(member, msgspec.Struct))
        or (isinstance(value, list) and get_origin(member) in (list, tuple))
    ]
    return shaped[0] if shaped else None


def _only(fields: dict[str, Any]) -> Text:
    names = ", ".join(fields)
    return Text(
        f"Hay un campo que no se conoce aquí. Se aceptan solo: {names}.",
        f"There is a field that is not known here. Only these are accepted: {names}.",
    )


def _required(kind: Any) -> Text:
    expected = _describe(inspect.type_info(kind))
    return Text(f"Falta este campo: {expected.es}.", f"This field is missing: {expected.en}.")


def _accepts(kind: Any) -> Text:
    expected = _describe(inspect.type_info(kind))
    return Text(f"Se acepta: {expected.es}.", f"Accepted: {expected.en}.")


_PLAIN: Final[dict[type[inspect.Type], Text]] = {
    inspect.UUIDType: Text("un UUID", "a UUID"),
    inspect.DateType: Text("una fecha AAAA-MM-DD", "a date YYYY-MM-DD"),
    inspect.DateTimeType: Text("una fecha con hora (RFC 3339)", "a date-time (RFC 3339)"),
    inspect.BoolType: Text("true o false", "true or false"),
    inspect.NoneType: Text("null", "null"),
    inspect.FloatType: Text("un número", "a number"),
    inspect.StructType: Text("un objeto", "an object"),
    inspect.DictType: Text("un objeto", "an object"),
    inspect.ListType: Text("una lista", "a list"),
    inspect.VarTupleType: Text("una lista", "a list"),
}


def _describe(info: inspect.Type) -> Text:
    """What a type accepts, in words."""
    match info:
        case inspect.Metadata():
            return _describe(info.type)
        case inspect.UnionType():
            members = [_describe(member) for member in info.types]
            return Text(" o ".join(text.es for text in members), " or ".join(text.en for text in members))
        case inspect.EnumType():
            codes = ", ".join(str(member.value) for member in info.cls)
            return Text(f"uno de {codes}", f"one of {codes}")
        case inspect.StrType():
            return _describe_text(info)
        case inspect.IntType():
            return Text(
                f"un entero{_bounds(info, 'desde', 'hasta')}", f"an integer{_bounds(info, 'from', 'up to')}"
            )
        case _:
            return _PLAIN.get(type(info), Text("otro tipo de valor", "another kind of value"))


def _describe_text(info: inspect.StrType) -> Text:
    es, en = "un texto", "a string"
    if info.max_length is not None:
        least, most = info.min_length or 0, info.max_length
        es, en = f"{es} de {least} a {most} caracteres", f"{en} of {least} to {most} characters"
    if info.pattern == NO_CONTROLS:
        es, en = f"{es} sin caracteres de control", f"{en} without control characters"
    elif info.pattern is not None:
        return PATTERNS[info.pattern]
    return Text(es, en)


def _bounds(info: inspect.IntType, lower: str, upper: str) -> str:
    least = "" if info.ge is None else f" {lower} {info.ge}"
    most = "" if info.le is None else f" {upper} {info.le}"
    return least + most
