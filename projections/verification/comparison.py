"""What the server says, number by number, against what its leaves give.

The figures asked for are the headlines: every unit and nexus, and incidents by class, year and state. The answers
are read as hostile input: only numbers and codes of a known shape are taken from them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec

from projections.counting.count import Count
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.counting.disclosure import NexusScope
from projections.counting.fold import Fold
from projections.counting.query import CountQuery, Dimension, Unit, ask
from projections.verification.certificates import differences, open_certificate
from projections.verification.errors import DataUnavailable, VerificationFailed
from projections.verification.trust import Keyring
from registry.log.checkpoint import Checkpoint
from registry.log.lines import write_base64
from registry.text import Text

Ask = Callable[[bytes], bytes]
"""Sends one GraphQL request (its JSON bytes) and returns the answer's bytes. Raises DataUnavailable."""

FIGURES: Final[tuple[CountQuery, ...]] = (
    *(ask(unit, nexus=nexus) for unit in Unit for nexus in NexusScope),
    *(
        ask(Unit.INCIDENTS, nexus=nexus, group_by=[dimension])
        for dimension in (Dimension.CLASS, Dimension.YEAR, Dimension.STATE)
        for nexus in NexusScope
    ),
)
SHOWN: Final = 20
"""Differences told one by one; beyond these the message says how many more there are."""
PATIENCE: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts while the server says that its figures are still being computed."""

T = TypeVar("T")

_COUNT = "low best high excluded { reason incidents } definition { id sha256 } asOf { size root }"
_ARGUMENTS = "unit: $unit, filter: { nexus: $nexus }, asOf: $asOf"
_WHOLE = f"query ($unit: Unit!, $nexus: Nexus!, $asOf: LogSize!) {{ count({_ARGUMENTS}) {{ {_COUNT} certificate }} }}"
_TABLE = (
    "query ($unit: Unit!, $nexus: Nexus!, $asOf: LogSize!, $groupBy: [Dimension!]!) { "
    f"counts(groupBy: $groupBy, {_ARGUMENTS}) {{ "
    "rows { key { dimension state value } low best high } "
    f"total {{ {_COUNT} }} certificate }} }}"
)


class _Exclusion(msgspec.Struct, frozen=True):
    reason: str
    incidents: int


class _Definition(msgspec.Struct, frozen=True):
    id: str
    sha256: str


class _AsOf(msgspec.Struct, frozen=True):
    size: int
    root: str


class _Count(msgspec.Struct, frozen=True, rename="camel"):
    low: int
    best: int
    high: int
    excluded: tuple[_Exclusion, ...]
    definition: _Definition
    as_of: _AsOf
    certificate: str = ""


class _Cell(msgspec.Struct, frozen=True):
    dimension: str
    state: str
    value: str | None


class _Row(msgspec.Struct, frozen=True):
    key: tuple[_Cell, ...]
    low: int
    best: int
    high: int


class _Table(msgspec.Struct, frozen=True):
    rows: tuple[_Row, ...]
    total: _Count
    certificate: str


def compare(
    send: Ask,
    fold: Fold,
    checkpoint: Checkpoint,
    keyring: Keyring,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Compares every figure; how many numbers agreed. Raises VerificationFailed listing all that do not."""
    found: list[Text] = []
    agreed = 0
    for query in FIGURES:
        counted = fold.count(query)
        name = _name(query)
        told = [
            Text(f"{name}: {text.es}", f"{name}: {text.en}")
            for text in _check(send, query, counted, checkpoint, keyring, pause)
        ]
        found += told
        agreed += 0 if told else 3 * (1 + len(counted.rows))
    if found:
        raise _disagreement(found)
    return agreed


def _check(
    send: Ask,
    query: CountQuery,
    counted: Count,
    checkpoint: Checkpoint,
    keyring: Keyring,
    pause: Callable[[float], None],
) -> Iterator[Text]:
    variables: dict[str, object] = {"unit": query.unit, "nexus": query.nexus, "asOf": checkpoint.size}
    if query.group_by:
        variables["groupBy"] = query.group_by
        table = _request(send, _TABLE, variables, "counts", _Table, pause)
        yield from _check_rows(table.rows, counted)
        whole, certificate = table.total, table.certificate
    else:
        whole = _request(send, _WHOLE, variables, "count", _Count, pause)
        certificate = whole.certificate
    yield from _check_whole(whole, counted, checkpoint)
    if keyring.count:
        yield from _check_certificate(certificate, query, counted, checkpoint, keyring)


def _check_whole(said: _Count, counted: Count, checkpoint: Checkpoint) -> Iterator[Text]:
    if (said.low, said.best, said.high) != counted.bounds:
        yield _numbers((said.low, said.best, said.high), counted.bounds)
    excluded = {item.reason: item.incidents for item in said.excluded}
    actual = {item.reason.value: item.incidents for item in counted.excluded}
    for reason in sorted({*excluded, *actual}):
        if excluded.get(reason, 0) != actual.get(reason, 0):
            yield Text(
                f"excluidos por {reason}: el servidor dice {excluded.get(reason, 0)}; las hojas dan "
                f"{actual.get(reason, 0)}",
                f"excluded as {reason}: the server says {excluded.get(reason, 0)}; the leaves give "
                f"{actual.get(reason, 0)}",
            )
    if (said.definition.id, said.definition.sha256) != (DEFINITION_ID, definition_sha256()):
        yield Text(
            f"el servidor dice contar según {said.definition.id} {said.definition.sha256}",
            f"the server says that it counts by {said.definition.id} {said.definition.sha256}",
        )
    if (said.as_of.size, said.as_of.root) != (checkpoint.size, write_base64(checkpoint.root)):
        yield Text(
            f"el servidor cita el tamaño {said.as_of.size} con raíz {said.as_of.root}, que no es el checkpoint firmado",
            f"the server cites size {said.as_of.size} with root {said.as_of.root}, which is not the signed checkpoint",
        )


def _check_rows(said: Sequence[_Row], counted: Count) -> Iterator[Text]:
    told = {
        tuple((c.dimension, c.state, c.value) for c in row.key): (row.low, row.best, row.high) for row in said
    }
    actual = {
        tuple((c.dimension.value, c.state.value, c.value) for c in row.key): tuple(row.bounds)
        for row in counted.rows
    }
    if len(told) != len(said):
        yield Text("el servidor repite una fila", "the server repeats a row")
    for key in sorted({*told, *actual}, key=str):
        numbers, expected = told.get(key, (0, 0, 0)), actual.get(key, (0, 0, 0))
        if numbers != expected:
            label = ", ".join(f"{dimension} {value or state}" for dimension, state, value in key)
            text = _numbers(numbers, expected)
            yield Text(f"{label}: {text.es}", f"{label}: {text.en}")


def _check_certificate(
    note: str, query: CountQuery, counted: Count, checkpoint: Checkpoint, keyring: Keyring
) -> Iterator[Text]:
    try:
        certificate = open_certificate(note, keyring.count)
    except VerificationFailed as error:
        yield error.text
        return
    yield from differences(certificate, keyring.origin, checkpoint.root, checkpoint.size, query, counted)


def _request(
    send: Ask,
    document: str,
    variables: dict[str, object],
    name: str,
    shape: type[T],
    pause: Callable[[float], None],
) -> T:
    body = msgspec.json.encode({"query": document, "variables": variables})
    answer = _answer(send, body, name)
    for seconds in PATIENCE:
        if _code(answer) != "CATCHING_UP":
            break
        pause(seconds)
        answer = _answer(send, body, name)
    if answer.get("errors"):
        raise DataUnavailable(
            f"GraphQL no dio la cifra ({name}): {_message(answer)}. La bitácora se verificó; las cifras del "
            "servidor no se pudieron comparar.",
            f"GraphQL did not give the figure ({name}): {_message(answer)}. The log was verified; the server's "
            "figures could not be compared.",
        )
    try:
        return msgspec.convert(answer["data"][name], shape)
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise _unreadable(name) from error


def _answer(send: Ask, body: bytes, name: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(send(body), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise _unreadable(name) from error


def _code(answer: dict[str, Any]) -> str:
    try:
        return str(answer["errors"][0]["extensions"]["code"])
    except (KeyError, IndexError, TypeError):
        return ""


def _message(answer: dict[str, Any]) -> str:
    """The server's own words, cut short."""
    try:
        message = str(answer["errors"][0]["message"])
    except (KeyError, IndexError, TypeError):
        message = "?"
    return message[:300]


def _unreadable(name: str) -> DataUnavailable:
    return DataUnavailable(
        f"La respuesta de /graphql a «{name}» no tiene la forma del esquema publicado. Revise la dirección.",
        f"The answer of /graphql to “{name}” does not have the form of the published schema. Check the address.",
    )


def _numbers(said: Sequence[int], actual: Sequence[int]) -> Text:
    told, given = "/".join(map(str, said)), "/".join(map(str, actual))
    return Text(
        f"el servidor dice {told}; las hojas dan {given}", f"the server says {told}; the leaves give {given}"
    )


def _name(query: CountQuery) -> str:
    parts = (query.unit.value, query.nexus.value, *(dimension.value for dimension in query.group_by))
    return " ".join(parts)


def _disagreement(found: Sequence[Text]) -> VerificationFailed:
    rest = len(found) - SHOWN
    spanish = [text.es for text in found[:SHOWN]] + ([f"y {rest} diferencias más"] if rest > 0 else [])
    english = [text.en for text in found[:SHOWN]] + ([f"and {rest} more differences"] if rest > 0 else [])
    return VerificationFailed(
        "El servidor no dice lo que dan sus propias hojas (mínimo/mejor/máximo):\n  " + "\n  ".join(spanish),
        "The server does not say what its own leaves give (low/best/high):\n  " + "\n  ".join(english),
    )
