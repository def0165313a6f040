"""Why a figure cannot be given, or a read model cannot be kept up, as one tree.

::

    RegistryError
    └── ProjectionError             a text in both languages that says what to do
        ├── InvalidQuery            the question is not one that the definition answers (names the field)
        ├── NotPublishedYet         the log has no published checkpoint, so there is nothing to cite
        ├── NotACheckpoint          no checkpoint was published at that size (names the nearest lower one)
        ├── DefinitionNotAdopted    the log, at that size, has not adopted the definition that this program counts by
        ├── CatchingUp              the read model has not reached that size yet: ask again in a moment
        ├── TookTooLong             the question was given up after some seconds: ask for less at once
        ├── ProjectionStopped       a read model stopped at an event that it could not read; an operator must act
        ├── OtherVersion            a read model was built by a newer program than this one; an operator must act
        ├── RebuildRefused          a read model cannot be replaced by a rebuilt one; an operator must act
        └── ExportRefused           nothing was exported: another log's directory, or leaves that were not signed
"""

from datetime import datetime

from registry.errors import RegistryError


class ProjectionError(RegistryError):
    """The root. ``code`` is the stable name that programs may rely on."""

    code = "PROJECTION_ERROR"


class InvalidQuery(ProjectionError):
    """A question that cannot be answered as asked. ``field`` names what to change."""

    code = "INVALID_QUERY"

    def __init__(self, field: str, es: str, en: str) -> None:
        self.field = field
        super().__init__(es, en)


class NotPublishedYet(ProjectionError):
    """Figures rest on a published checkpoint, and there is none yet, or there was none at the time asked for."""

    code = "NOT_PUBLISHED_YET"

    def __init__(self, at: datetime | None = None) -> None:
        if at is None:
            super().__init__(
                "La bitácora todavía no tiene un punto de control publicado. Vuelva a preguntar después de la próxima "
                "publicación.",
                "The log has no published checkpoint yet. Ask again after the next publication.",
            )
        else:
            super().__init__(
                f"En {at.isoformat()} aún no se había publicado ningún punto de control. Pregunte por una fecha "
                "posterior.",
                f"At {at.isoformat()} no checkpoint had been published yet. Ask for a later time.",
            )


class NotACheckpoint(ProjectionError):
    """Only published sizes can be cited. ``nearest`` is the nearest lower published size, if there is one."""

    code = "NOT_A_CHECKPOINT"

    def __init__(self, size: int, nearest: int | None) -> None:
        self.size, self.nearest = size, nearest
        if nearest is None:
            es, en = "No hay ninguno menor.", "There is no lower one."
        else:
            es, en = f"El menor más cercano es {nearest}.", f"The nearest lower one is {nearest}."
        super().__init__(
            f"No se publicó ningún punto de control de tamaño {size}. {es}",
            f"No checkpoint of size {size} was published. {en}",
        )


class DefinitionNotAdopted(ProjectionError):
    """The log must say by which definition it is counted before it is counted."""

    code = "DEFINITION_NOT_ADOPTED"

    def __init__(self, size: int, adopted: str | None, ours: str) -> None:
        self.size = size
        super().__init__(
            f"En el tamaño {size} la bitácora había adoptado «{adopted or 'ninguna definición'}» y este programa "
            f"cuenta con «{ours}». Pregunte por un punto de control posterior a su adopción.",
            f"At size {size} the log had adopted “{adopted or 'no definition'}” and this program counts by "
            f"“{ours}”. Ask for a checkpoint after its adoption.",
        )


class TookTooLong(ProjectionError):
    """A question that would have held up the others."""

    code = "TOOK_TOO_LONG"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"La pregunta se abandonó tras {seconds} segundos. Pida menos dimensiones, o fíltrela por YEAR o por STATE "
            "y pregunte por partes.",
            f"The question was given up after {seconds} seconds. Ask for fewer dimensions, or filter it by YEAR or "
            "STATE and ask for one part after the other.",
        )


class CatchingUp(ProjectionError):
    """``reached`` is the size that the read models cover now."""

    code = "CATCHING_UP"

    def __init__(self, size: int, reached: int) -> None:
        self.size, self.reached = size, reached
        super().__init__(
            f"Las cifras se están calculando: van en {reached} de {size}. Repita la pregunta en unos segundos.",
            f"The figures are being computed: {reached} of {size} so far. Ask again in a few seconds.",
        )


class ProjectionStopped(ProjectionError):
    """A read model stopped visibly. ``position`` is the event that it could not read, ``reason`` why, if known."""

    code = "PROJECTION_STOPPED"

    def __init__(self, name: str, position: int, reason: str | None = None) -> None:
        self.name, self.position, self.reason = name, position, reason
        super().__init__(
            f"La proyección «{name}» se detuvo en la posición {position}. Quien opera el registro debe corregir la "
            "causa y reiniciarla; nada se omite.",
            f"Projection “{name}” stopped at position {position}. The operator must correct the cause and restart "
            "it; nothing is skipped.",
        )


class OtherVersion(ProjectionError):
    """A read model's tables are of another version than this program's, and not this program's to replace."""

    code = "OTHER_VERSION"

    def __init__(self, name: str, stored: int, ours: int) -> None:
        self.name = name
        super().__init__(
            f"La proyección «{name}» es de la versión {stored} y este programa trae la {ours}. Actualice este "
            f"programa o, para volver a propósito a la {ours}, ejecute «constancia rebuild {name}».",
            f"Projection “{name}” is of version {stored} and this program has {ours}. Upgrade this program or, to "
            f"go back to {ours} on purpose, run “constancia rebuild {name}”.",
        )


class RebuildRefused(ProjectionError):
    """The tables in use were left as they are; the text says what stands in the way."""

    code = "REBUILD_REFUSED"


class ExportRefused(ProjectionError):
    """The mirror was left as it is; the text says what stands in the way."""

    code = "EXPORT_REFUSED"
