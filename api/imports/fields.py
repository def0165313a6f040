"""A field of a list: its heading, what to write there, and what else people call it."""

from typing import Final, NamedTuple

from registry.text import Text


class Field(NamedTuple):
    """``path`` in the record, its heading, what to write there, and other headings that people give it, folded.

    ``day``: a civil date. ``required``: a row without it is refused.
    """

    path: str
    heading: Text
    note: Text
    synonyms: tuple[str, ...] = ()
    day: bool = False
    required: bool = False


OWN_ID: Final = Field(
    "source_record_id",
    Text("Folio", "Record id"),
    Text(
        "Su propio número de registro, distinto en cada fila: con él, enviar dos veces no duplica nada.",
        "Your own record number, another in each row: by it, sending twice doubles nothing.",
    ),
    ("id", "no", "num", "numero", "clave", "registro", "folio interno", "attack id", "case id", "record"),
    required=True,
)
