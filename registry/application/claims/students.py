"""Students: from what an institution sends to a pseudonym, with the identity kept for the vault."""

from uuid import UUID

from registry.application.drafts import Student
from registry.application.execution.unit import Unit
from registry.domain.event import Private
from registry.errors import InvalidInput


def identify(unit: Unit, student: Student, field: str) -> tuple[str, Private]:
    """(pseudonym, identity as private values). Raises InvalidInput unless exactly one of the two ids is given."""
    institution: UUID = unit.institution
    match student:
        case Student(curp=str(curp), internal_id=None):
            person = unit.pseudonyms.person_by_curp(curp)
            return person, {f"person:{person}": {"curp": curp}}
        case Student(curp=None, internal_id=str(number)):
            person = unit.pseudonyms.person_by_internal_id(institution, number)
            return person, {f"person:{person}": {"internal_id": number, "institution": str(institution)}}
    raise InvalidInput(
        field,
        "Identifique al estudiante con su CURP o con su número interno: exactamente uno de los dos.",
        "Identify the student by CURP or by internal number: exactly one of the two.",
    )
