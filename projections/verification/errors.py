"""Why a verification did not succeed, as one tree; the command turns each branch into its exit code.

::

    RegistryError
    ├── VerificationFailed    the evidence contradicts itself, its key or the server's figures   (exit 1)
    ├── CannotStart           what was asked for cannot be checked as asked                      (exit 2)
    └── DataUnavailable       evidence could not be obtained; nothing is proved either way       (exit 3)
        └── Missing           the source answered, and says that it has no such file
"""

from registry.errors import RegistryError


class VerificationFailed(RegistryError):
    """Something is wrong with the evidence itself. The text names what, where, and what it means."""


class CannotStart(RegistryError):
    """An option cannot be used as given; the text says what to give instead."""


class DataUnavailable(RegistryError):
    """Evidence could not be read. Trying again later, or from a mirror, may help."""


class Missing(DataUnavailable):
    """The source was reached and does not have this file."""
