"""Patterns of text, in words and with an example: nobody should have to read a regular expression."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from api.streams.filters import SUBJECT
from api.streams.models import DIGEST
from registry.application.drafts import NO_CONTROLS, CluesCode, MunicipalityCode, Quarter, StateCode
from registry.application.drafts.assignments import FieldName
from registry.application.drafts.common import Curp, Pseudonym
from registry.application.drafts.evidence import MediaType
from registry.application.people.erasure import PSEUDONYM
from registry.domain.service import Promotion
from registry.text import Text


def _of(annotated: Any) -> str:
    """The pattern of a type of text."""
    (pattern,) = (one.pattern for one in get_args(annotated)[1:])
    return str(pattern)


_PSEUDONYM_TEXT: Final = Text(
    "el seudónimo de una persona, tal como lo muestra un registro: 32 dígitos hexadecimales en minúsculas",
    "a person's pseudonym as a record shows it: 32 lower-case hexadecimal digits",
)

PATTERNS: Final[Mapping[str, Text]] = {
    NO_CONTROLS: Text(
        "un texto de una línea, sin caracteres de control", "one line of text, without control characters"
    ),
    _of(StateCode): Text(
        "la clave INEGI de un estado, dos dígitos de 01 a 32, como «07»",
        "INEGI's code of a state, two digits from 01 to 32, such as “07”",
    ),
    _of(MunicipalityCode): Text(
        "la clave INEGI de un municipio, cinco dígitos (dos del estado y tres del municipio), como «07059»",
        "INEGI's code of a municipality, five digits (two of the state and three of the municipality), such as “07059”",
    ),
    _of(CluesCode): Text(
        "una CLUES, cinco letras mayúsculas y seis dígitos, como «MNSSA000012»",
        "a CLUES, five capital letters and six digits, such as “MNSSA000012”",
    ),
    _of(Curp): Text(
        "una CURP, 18 letras mayúsculas y dígitos, como «XEXX010101HNEXXXA4»",
        "a CURP, 18 capital letters and digits, such as “XEXX010101HNEXXXA4”",
    ),
    SUBJECT: Text(
        "un registro: su clase y su identificador, como «incident/5b0c9d7e-2f4a-4b61-9c38-7a1e0d2f6b4c»",
        "a record: its kind and its id, such as “incident/5b0c9d7e-2f4a-4b61-9c38-7a1e0d2f6b4c”",
    ),
    DIGEST: Text(
        "un resumen SHA-256: 64 dígitos hexadecimales en minúsculas",
        "a SHA-256 digest: 64 lower-case hexadecimal digits",
    ),
    _of(Promotion): Text(
        "una promoción, el año y 1 o 2, como «2026-1»", "a promotion, the year and 1 or 2, such as “2026-1”"
    ),
    _of(Quarter): Text(
        "un trimestre, el año y de Q1 a Q4, como «2026-Q1»",
        "a quarter, the year and Q1 to Q4, such as “2026-Q1”",
    ),
    _of(FieldName): Text(
        "el nombre de un campo, en minúsculas, como «planned_end»",
        "the name of a field, in lower case, such as “planned_end”",
    ),
    _of(MediaType): Text(
        "un tipo de medio (RFC 6838), en minúsculas y sin parámetros, como «image/jpeg»",
        "a media type (RFC 6838), in lower case and without parameters, such as “image/jpeg”",
    ),
    _of(Pseudonym): _PSEUDONYM_TEXT,
    f"^{PSEUDONYM}$": _PSEUDONYM_TEXT,
}
"""What each pattern of a draft or a parameter accepts."""
