"""What can be wrong with a catalogue's file as a whole. Nothing of it is taken then.

::

    RegistryError
    └── CatalogRefused       the file cannot be taken
        └── LayoutRefused    the description of its columns cannot be understood (names line and key)
"""

from registry.errors import RegistryError


class CatalogRefused(RegistryError):
    """Nothing of the file was taken; the text says what to set right."""


class LayoutRefused(CatalogRefused):
    """``key`` is the path of the key in the profile (``columns.clues``), ``line`` where it stands (None: nowhere)."""

    def __init__(self, key: str, line: int | None, es: str, en: str) -> None:
        self.key = key
        self.line = line
        at_es, at_en = (f"línea {line}, ", f"line {line}, ") if line else ("", "")
        super().__init__(f"Perfil, {at_es}clave «{key}»: {es}", f"Profile, {at_en}key “{key}”: {en}")
