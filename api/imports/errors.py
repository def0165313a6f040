"""What can be wrong with a file that somebody wants to import, from the whole down to one cell.

::

    RegistryError
    └── ImportRefused            nothing of the file was taken
        ├── ProfileRefused       the profile cannot be understood (names the key)
        ├── FileRefused          the file cannot be read as a table (names row and column where there is one)
        └── FileTooLarge         more rows or bytes than one import takes

    RowProblem                   one row cannot be taken; the others can
"""

from typing import Final, NamedTuple

from registry.errors import RegistryError
from registry.text import Text


class ImportRefused(RegistryError):
    """Nothing of the file was taken."""


class ProfileRefused(ImportRefused):
    """``key`` is the path of the profile's key that cannot be understood, such as ``record[0].fields``.

    ``line`` is where it stands in the text, from 1; None for what is missing altogether.
    """

    def __init__(self, key: str, es: str, en: str, *, line: int | None = None) -> None:
        self.key, self.line = key, line
        self._said = Text(es, en)
        place_es, place_en = (f"línea {line}, ", f"line {line}, ") if line is not None else ("", "")
        super().__init__(f"Perfil, {place_es}clave «{key}»: {es}", f"Profile, {place_en}key “{key}”: {en}")

    def placed(self, line: int | None) -> "ProfileRefused":
        """The same, with its place."""
        return ProfileRefused(self.key, self._said.es, self._said.en, line=line)


class FileRefused(ImportRefused):
    """The bytes cannot be read as a table.

    The text gives places by number only. ``column`` (its heading) and ``value`` are the sender's own words: shown
    where the file lies, never sent back by the server.
    """

    def __init__(
        self, es: str, en: str, *, place: str = "", column: str | None = None, value: str | None = None
    ) -> None:
        self.place = place
        self.column = column
        self.value = value
        super().__init__(es, en)


class FileTooLarge(ImportRefused):
    """Split the file and send it in parts: what was sent before stays recorded once."""


DOUBTFUL: Final = "doubtful"
"""Code of what is only doubtful: the row is taken all the same."""


class RowProblem(NamedTuple):
    """Why one row cannot be taken, and what would be; or (``DOUBTFUL``) what somebody should look at.

    ``field`` is the path in the record (``victims[0].role``), ``columns`` those of the file that it came from.
    ``value`` is what the cell says: shown where the file lies, never sent back by the server.
    """

    field: str | None
    code: str
    detail: Text
    columns: tuple[str, ...] = ()
    value: str | None = None


class RowRefused(Exception):
    """One value of a row cannot be taken."""

    def __init__(self, problem: RowProblem) -> None:
        self.problem = problem
        super().__init__(problem.code)
