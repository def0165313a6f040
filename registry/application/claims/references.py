"""Records that a draft names: by our id, or by the sender's own."""

from typing import TypeVar
from uuid import UUID

from registry.application.drafts import Reference
from registry.application.execution.unit import Unit
from registry.domain.event import Aggregate
from registry.errors import InvalidInput

R = TypeVar("R", bound=Aggregate)


async def find(unit: Unit, record_type: type[R], reference: Reference, field: str) -> R:
    """The record. Raises InvalidInput, naming the field, if there is none or more than one."""
    if isinstance(reference, UUID):
        record = await unit.find(record_type, reference)
        if record is None:
            raise InvalidInput(
                field,
                "No existe ese registro. Compruebe el identificador.",
                "There is no such record. Check the id.",
            )
        return record
    own = unit.named(reference.source_record_id)
    if isinstance(own, record_type) and reference.institution in (None, unit.actor.institution):
        return own
    found = [
        record
        for institution, stream_id in await unit.store.source_records_named(reference.source_record_id)
        if reference.institution in (None, institution)
        and (unit.actor.sees_all or institution == unit.actor.institution)
        and (record := await unit.find(record_type, stream_id)) is not None
    ]
    if len(found) > 1:
        raise InvalidInput(
            field,
            "Varias instituciones usan ese source_record_id. Indique además institution.",
            "Several institutions use that source_record_id. Name the institution, too.",
        )
    if not found:
        raise InvalidInput(
            field,
            "No hay tal registro con ese source_record_id entre los que su clave puede ver. Envíelo primero, o use "
            "su identificador.",
            "There is no such record under that source_record_id among those that your key may see. Send it first, "
            "or use its id.",
        )
    return found[0]
