"""The 32 states by whatever name people give them: in use, official, abbreviated. Pure."""

from typing import Final

from registry.catalogs.spelling import folded, written_out
from registry.catalogs.states import STATES, State

_OTHER_NAMES: Final = {
    "01": ("ags",),
    "02": ("bc", "b c", "baja california norte"),
    "03": ("bcs", "b c s", "baja california s"),
    "04": ("camp", "cam"),
    "05": ("coahuila de zaragoza", "coah"),
    "06": ("col",),
    "07": ("chis",),
    "08": ("chih",),
    "09": ("cdmx", "df", "d f", "distrito federal", "mexico df", "mexico d f", "cd de mexico", "cd mexico"),
    "10": ("dgo",),
    "11": ("gto",),
    "12": ("gro",),
    "13": ("hgo",),
    "14": ("jal",),
    "15": ("estado de mexico", "edo de mexico", "edo mexico", "edo de mex", "edo mex", "edomex", "mex"),
    "16": ("michoacan de ocampo", "mich"),
    "17": ("mor",),
    "18": ("nay",),
    "19": ("nl", "n l"),
    "20": ("oax",),
    "21": ("pue",),
    "22": ("queretaro de arteaga", "qro", "que"),
    "23": ("qroo", "q roo", "q r", "quintana r"),
    "24": ("slp", "s l p", "san luis"),
    "25": ("sin",),
    "26": ("son",),
    "27": ("tab",),
    "28": ("tamps", "tam"),
    "29": ("tlax",),
    "30": ("veracruz de ignacio de la llave", "veracruz llave", "ver"),
    "31": ("yuc",),
    "32": ("zac",),
}
"""Folded. "méxico" alone is the state, as in INEGI's list: whoever means the city or the country says so."""


def _names() -> dict[str, State]:
    names: dict[str, State] = {}
    for state in STATES:
        for name in (state.name, state.code, *_OTHER_NAMES[state.code]):
            names[folded(name)] = names[written_out(name)] = state
    return names


_BY_NAME: Final = _names()


def find_state(name: str) -> State | None:
    """The state of this name, whatever its case, accents and abbreviations; None where it is none's."""
    return _BY_NAME.get(folded(name)) or _BY_NAME.get(written_out(name).removeprefix("estado de "))
