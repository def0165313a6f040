"""Why a verification did not succeed, as one tree; the command turns each branch into its exit code.

::

    RegistryError
    ├── VerificationFailed    the evidence contradicts itself, its key or the server's figures   (exit 1)
    ├── CannotStart           what was asked for cannot be checked as asked                      (exit 2)
    └── DataUnavailable       evidence could not be obtained; nothing is proved either way       (exit 3)
        └── Missing           the source answered, and says that it has no such file
"""

from registry.errors import RegistryError
from registry.text import Text


class VerificationFailed(RegistryError):
    """Something is wrong with the evidence itself. The text names what, where, and what it means."""


class CannotStart(RegistryError):
    """An option cannot be used as given; the text says what to give instead."""


class DataUnavailable(RegistryError):
    """Evidence could not be read. Trying again later, or from a mirror, may help."""


class Missing(DataUnavailable):
    """The source was reached and does not have this file."""


def reason(error: OSError | UnicodeDecodeError) -> Text:
    """Why a file cannot be read or written, in a word; the system's own words, in its language, where it is rare."""
    match error:
        case FileNotFoundError():
            return Text("no existe", "it does not exist")
        case IsADirectoryError():
            return Text("es una carpeta", "it is a directory")
        case NotADirectoryError():
            return Text("una parte de su ruta no es una carpeta", "a part of its path is no directory")
        case PermissionError():
            return Text("falta el permiso", "permission is missing")
        case UnicodeDecodeError():
            return Text("no es texto", "it is no text")
        case _:
            return Text(str(error.strerror), str(error.strerror))
