"""What people ask about their own data: received, answered and carried out, each within its time.

Ordinary rows, never events: that somebody asked is nobody else's business. What a request leads to is in the log, as
whatever it is (an erasure, a correction, an incident held closed).
"""

from datetime import date
from typing import Any, Final, cast
from uuid import UUID, uuid4

import asyncpg
import msgspec

from registry.application.drafts import (
    RequestAnswerDraft,
    RequestCompletionDraft,
    SubjectDraft,
    SubjectRequestDraft,
)
from registry.application.execution.application import Application
from registry.application.execution.sealing import nfc
from registry.application.execution.unit import Actor, no_such_record
from registry.application.people.access import Access, AccessAnswer
from registry.application.people.erasure import Erasure, Subject
from registry.application.people.objections import Objections
from registry.application.people.request_view import SubjectRequest, shown
from registry.domain.assignment_events import AssignmentRegistered
from registry.domain.codes import (
    CorrectionReason,
    SubjectRequestOutcome,
    SubjectRequestType,
)
from registry.domain.mapper import decode_event
from registry.domain.register import SubjectKind
from registry.domain.working_days import DAYS_TO_ANSWER, DAYS_TO_CARRY_OUT, working_days_after
from registry.errors import IdempotencyKeyReused, InvalidInput, NotAllowed, NotFound, RuleViolated
from registry.log.canonical import encode
from registry.privacy.pseudonyms import Pseudonyms
from registry.privacy.reads import Shown
from registry.privacy.vault import decrypt, encrypt, key_id
from registry.store.requests import Claim, Requests, StoredRequest

NOUN: Final = "subject_request"


class SubjectRequests:
    """The requests of one register. The administrator sees all, an institution those that it received."""

    def __init__(self, app: Application, pool: asyncpg.Pool) -> None:
        self._app = app
        self._requests = Requests(pool)
        self._erasure = Erasure(app, pool)
        self._access = Access(app, pool)
        self._objections = Objections(app, pool)
        self._pseudonyms = Pseudonyms(app.master)

    async def receive(
        self, actor: Actor, draft: SubjectRequestDraft, idempotency_key: str | None, body: bytes
    ) -> tuple[SubjectRequest, bool]:
        """A new request, and whether it was sent before. Raises InvalidInput, IdempotencyKeyReused."""
        if draft.received_on > self._today():
            raise _in_the_future("received_on")
        person = self._person(actor, draft.person)
        whose = _whose(actor)
        if whose is not None and not await self._assigned(person, whose):
            raise InvalidInput(
                "person",
                "Su institución no tiene asignaciones de esta persona. Remita la solicitud a quien opera el registro.",
                "Your institution has no assignments of this person. Pass the request on to the registry's operator.",
            )
        request_id = uuid4()
        claim = None
        if idempotency_key is not None and actor.key is not None:
            digest = self._app.master.mac("subject-request", body)
            claim = Claim(requested_by=actor.key, idempotency_key=idempotency_key, body=digest)
        stored = StoredRequest(
            id=request_id,
            institution=whose,
            type=draft.type,
            person=person,
            received_on=draft.received_on,
            answer_due=working_days_after(draft.received_on, DAYS_TO_ANSWER),
            words=await self._seal(request_id, draft),
        )
        try:
            found = await self._requests.add(stored, claim)
        except IdempotencyKeyReused:
            await self._forget(request_id)
            raise
        if found != request_id:
            await self._forget(request_id)
        return await self.view(actor, found), found != request_id

    async def view(self, actor: Actor, request_id: UUID) -> SubjectRequest:
        """Raises NotFound where there is none, or none that the caller may see."""
        (found,) = await self._show(actor, [await self._find(actor, request_id)])
        return found

    async def page(
        self, actor: Actor, *, person: str | None, overdue: bool, after: UUID | None, limit: int
    ) -> tuple[list[SubjectRequest], UUID | None]:
        """A page of requests, and where the next one starts."""
        stored, following = await self._requests.page(
            _whose(actor),
            person=person,
            overdue_on=self._today() if overdue else None,
            after=after,
            limit=limit,
        )
        return await self._show(actor, stored), following

    async def answer(
        self, actor: Actor, request_id: UUID, draft: RequestAnswerDraft
    ) -> tuple[SubjectRequest, bool]:
        """The person was told. The same answer again changes nothing, another is refused."""
        granted = draft.outcome is SubjectRequestOutcome.GRANTED
        if granted == (draft.reason is not None):
            raise InvalidInput(
                "reason",
                "El motivo acompaña a REFUSED, y solo a REFUSED. Indíquelo al negar, y quítelo al conceder.",
                "A reason goes with REFUSED, and only with REFUSED. Give it when you refuse, leave it out otherwise.",
            )
        stored = await self._find(actor, request_id)
        on = self._day(draft.on, stored.received_on)
        due = working_days_after(on, DAYS_TO_CARRY_OUT) if granted else None
        done = await self._requests.answer(request_id, on, draft.outcome, draft.reason, due)
        now = await self._find(actor, request_id)
        if not done and (now.outcome, now.reason) != (draft.outcome, draft.reason):
            raise RuleViolated(
                "request-answered",
                "La solicitud ya tiene otra respuesta. Si la persona insiste, registre una solicitud nueva.",
                "The request has another answer already. If the person insists, register a new request.",
            )
        return (await self._show(actor, [now]))[0], not done

    async def complete(
        self, actor: Actor, request_id: UUID, draft: RequestCompletionDraft
    ) -> tuple[SubjectRequest, bool]:
        """Carries out what was granted: erases, holds incidents closed, or notes what corrected the record."""
        stored = await self._find(actor, request_id)
        if stored.outcome != SubjectRequestOutcome.GRANTED or stored.answered_on is None:
            raise RuleViolated(
                "request-not-granted",
                "Solo se cumple lo que se concedió. Responda primero la solicitud con outcome GRANTED.",
                "Only what was granted is carried out. Answer the request with outcome GRANTED first.",
            )
        done = False
        if stored.carried_out_on is None:
            on = self._day(draft.on, stored.answered_on)
            positions = await self._carry_out(actor, stored, draft)
            erased = stored.type == SubjectRequestType.ERASURE
            done = await self._requests.carry_out(request_id, on, positions, forget_words=erased)
            if erased:
                await self._forget(request_id)
        return await self.view(actor, request_id), not done

    async def access(self, actor: Actor, request_id: UUID) -> AccessAnswer:
        """What is held about the person, for a granted request for access; an institution gets what it sent itself."""
        stored = await self._find(actor, request_id)
        if stored.type != SubjectRequestType.ACCESS or stored.outcome != SubjectRequestOutcome.GRANTED:
            raise RuleViolated(
                "access-not-granted",
                "Los datos se entregan por una solicitud ACCESS concedida. Respóndala primero con outcome GRANTED.",
                "Data are given for a granted request of type ACCESS. Answer it with outcome GRANTED first.",
            )
        identities = actor.purpose is not None
        held = await self._access.collect(stored.person, _whose(actor), identities=identities)
        private = ("private.person",) if identities else ()
        await self._note(actor, [stored], ("records", "evidence", "reads", *private))
        return held

    async def _carry_out(
        self, actor: Actor, stored: StoredRequest, draft: RequestCompletionDraft
    ) -> list[int]:
        match SubjectRequestType(stored.type):
            case SubjectRequestType.ERASURE:
                return [await self._erase(actor, stored.person)]
            case SubjectRequestType.OBJECTION | SubjectRequestType.FAMILY_OBJECTION:
                return await self._objections.hold(stored.person)
            case SubjectRequestType.RECTIFICATION:
                return await self._corrections(actor, draft.positions)
            case SubjectRequestType.ACCESS:
                return []

    async def _erase(self, actor: Actor, person: str) -> int:
        if "admin" not in actor.scopes:
            raise NotAllowed(
                "El borrado alcanza los registros de todas las instituciones: lo cumple quien opera el registro.",
                "An erasure reaches the records of all institutions: the registry's operator carries it out.",
            )
        try:
            said = await self._erasure.erase(
                Subject(SubjectKind.PERSON, person), CorrectionReason.DATA_SUBJECT_REQUEST
            )
        except NotFound:
            raise RuleViolated(
                "nothing-to-erase",
                "No hay nada privado de esta persona. Compruebe la CURP o el número con que se registró la solicitud.",
                "There is nothing private of this person. Check the CURP or number that the request was registered by.",
            ) from None
        return said.position

    async def _corrections(self, actor: Actor, positions: list[int]) -> list[int]:
        whose = _whose(actor)
        for number, position in enumerate(positions):
            recorded = await self._app.store.at(position)
            by = decode_event(recorded.type, recorded.state).by.institution if recorded else None
            if recorded is None or (whose is not None and by != whose):
                raise InvalidInput(
                    f"positions[{number}]",
                    "Su institución no envió nada en esa posición.",
                    "Your institution sent nothing at that position.",
                )
        if not positions:
            raise InvalidInput(
                "positions",
                "Indique las posiciones de las correcciones que cumplen la solicitud.",
                "Give the positions of the corrections that carry out the request.",
            )
        return sorted(set(positions))

    def _person(self, actor: Actor, draft: SubjectDraft) -> str:
        """The pseudonym of whom the request is about."""
        own = _whose(actor)
        match draft:
            case SubjectDraft(curp=str(curp), internal_id=None, institution=None):
                return self._pseudonyms.person_by_curp(curp)
            case SubjectDraft(curp=None, internal_id=str(number), institution=given):
                institution = given or actor.institution
                if institution is not None and own in (None, institution):
                    return self._pseudonyms.person_by_internal_id(institution, number)
        raise InvalidInput(
            "person",
            "Identifique a la persona con su CURP, o con su número interno y la institución de ese número.",
            "Identify the person by CURP, or by internal number and the institution of that number.",
        )

    async def _assigned(self, person: str, institution: UUID) -> bool:
        events = await self._access.events(person, institution)
        return any(isinstance(one.event, AssignmentRegistered) for one in events)

    async def _find(self, actor: Actor, request_id: UUID) -> StoredRequest:
        stored = await self._requests.find(request_id, _whose(actor))
        if stored is None:
            raise no_such_record()
        return stored

    async def _show(self, actor: Actor, requests: list[StoredRequest]) -> list[SubjectRequest]:
        today = self._today()
        found = [shown(one, today, await self._open(one) if actor.purpose else {}) for one in requests]
        await self._note(actor, requests, ("person", "type", *(["private"] if actor.purpose else [])))
        return found

    async def _note(self, actor: Actor, requests: list[StoredRequest], fields: tuple[str, ...]) -> None:
        noted = [
            Shown(noun=NOUN, record=one.id, owner=one.institution, people=(one.person,), fields=fields)
            for one in requests
        ]
        await self._app.reads.note(actor.institution, actor.key, actor.purpose, noted)

    async def _seal(self, request_id: UUID, draft: SubjectRequestDraft) -> bytes | None:
        given = {"relation": draft.relation, "contact": msgspec.to_builtins(draft.contact)}
        words = {name: value for name, value in given.items() if value is not None}
        if not words:
            return None
        subject = f"request:{request_id}"
        key = (await self._app.vault.keys_for_writing([subject]))[subject]
        return encrypt(key, encode(nfc(words)), subject)

    async def _open(self, stored: StoredRequest) -> dict[str, Any]:
        subject = f"request:{stored.id}"
        keys = await self._app.vault.keys_for_reading([subject])
        if stored.words is None or subject not in keys:
            return {}
        return cast("dict[str, Any]", msgspec.json.decode(decrypt(keys[subject], stored.words, subject)))

    async def _forget(self, request_id: UUID) -> None:
        subject = f"request:{request_id}"
        for key in (await self._app.vault.keys_for_reading([subject])).values():
            await self._app.vault.erase(subject, key_id(key))

    def _day(self, given: date | None, earliest: date) -> date:
        on = given or self._today()
        if on > self._today():
            raise _in_the_future("on")
        if on < earliest:
            raise InvalidInput(
                "on",
                f"La fecha es anterior al paso previo de la solicitud. Indique el {earliest} o un día posterior.",
                f"The date is before the previous step of the request. Give {earliest} or a later day.",
            )
        return on

    def _today(self) -> date:
        return self._app.clock().date()


def _whose(actor: Actor) -> UUID | None:
    """Whose requests the caller may see: None is everybody's, for the administrator only."""
    if "admin" in actor.scopes:
        return None
    if actor.institution is None:
        raise no_such_record()
    return actor.institution


def _in_the_future(field: str) -> InvalidInput:
    return InvalidInput(
        field, "La fecha aún no llega. Indique hoy o antes.", "The date is yet to come. Give today or before."
    )
