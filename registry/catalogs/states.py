"""The 32 states of Mexico: INEGI's codes and names, and the letters that begin a CLUES of each.

Names are those in use ("Michoacán"), not the full official ones ("Michoacán de Ocampo"). The order is INEGI's, so
that a state's number is its place in the list. Letters: the official establishment catalogue (CLUES).
"""

from typing import Final, NamedTuple


class State(NamedTuple):
    """``code`` is INEGI's, two digits; ``clues`` the two letters that the establishments of the state begin with."""

    code: str
    name: str
    clues: str


STATES: Final = (
    State("01", "Aguascalientes", "AS"),
    State("02", "Baja California", "BC"),
    State("03", "Baja California Sur", "BS"),
    State("04", "Campeche", "CC"),
    State("05", "Coahuila", "CL"),
    State("06", "Colima", "CM"),
    State("07", "Chiapas", "CS"),
    State("08", "Chihuahua", "CH"),
    State("09", "Ciudad de México", "DF"),
    State("10", "Durango", "DG"),
    State("11", "Guanajuato", "GT"),
    State("12", "Guerrero", "GR"),
    State("13", "Hidalgo", "HG"),
    State("14", "Jalisco", "JC"),
    State("15", "México", "MC"),
    State("16", "Michoacán", "MN"),
    State("17", "Morelos", "MS"),
    State("18", "Nayarit", "NT"),
    State("19", "Nuevo León", "NL"),
    State("20", "Oaxaca", "OC"),
    State("21", "Puebla", "PL"),
    State("22", "Querétaro", "QT"),
    State("23", "Quintana Roo", "QR"),
    State("24", "San Luis Potosí", "SP"),
    State("25", "Sinaloa", "SL"),
    State("26", "Sonora", "SR"),
    State("27", "Tabasco", "TC"),
    State("28", "Tamaulipas", "TS"),
    State("29", "Tlaxcala", "TL"),
    State("30", "Veracruz", "VZ"),
    State("31", "Yucatán", "YN"),
    State("32", "Zacatecas", "ZS"),
)

BY_CODE: Final = {state.code: state for state in STATES}
BY_CLUES: Final = {state.clues: state for state in STATES}
