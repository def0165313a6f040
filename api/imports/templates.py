"""Names of the sheets of the templates."""

from typing import Final

SHEETS: Final = ("Datos", "Data")
"""Where the list stands in a workbook made from one of our templates."""
