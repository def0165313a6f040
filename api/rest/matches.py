"""``GET /v1/matches``: what a report may be about, proposed for a reviewer to decide; nothing follows by itself.

``GET /v1/triage-queue``: the reports that wait for such a decision, those that have waited longest first.
"""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from api.auth.guard import requires
from api.rest import answers
from api.rest.answers import Candidate, Matches, Queue
from api.rest.documentation import document_read
from api.services import services_of
from projections.models import matching, waiting
from registry.application import reading
from registry.application.execution.unit import Actor, no_such_record
from registry.domain.mapper import decode_event
from registry.domain.report import Report
from registry.matching.facts import facts_of
from registry.matching.score import ALGORITHM
from registry.privacy.reads import Shown

MATCHES: Final = "/v1/matches"
QUEUE: Final = "/v1/triage-queue"
SHOWN: Final = ("match.features", "match.rules", "match.score")
"""What an answer tells of a candidate, as the audit of private reads names it."""


def build_router() -> APIRouter:
    """What reviewers work from."""
    router = APIRouter()

    @router.get(
        MATCHES,
        **document_read("Posibles coincidencias de un reporte · What may match a report", MATCHES, Matches),
    )
    async def matches(
        request: Request,
        report: UUID,
        actor: Annotated[Actor, Depends(requires("GET", MATCHES))],
        limit: Annotated[int, Query(ge=1, le=200)] = 20,
    ) -> Response:
        services = services_of(request)
        stream = await services.application.store.read_stream(report)
        facts = facts_of(decode_event(one.type, one.state) for one in stream)
        if facts is None:
            raise no_such_record()
        found = await matching.matches(services.pool, report, facts, limit=limit)
        asked = Shown(noun=Report.NOUN, record=report, owner=facts.institution, people=(), fields=SHOWN)
        shown = [
            Shown(noun=match.noun, record=match.id, owner=match.institution, people=(), fields=SHOWN)
            for match in found
        ]
        await services.application.reads.note(actor.institution, actor.key, actor.purpose, [asked, *shown])
        return answers.plain(
            Matches(report=str(report), algorithm=ALGORITHM, items=[_candidate(match) for match in found])
        )

    @router.get(QUEUE, **document_read("Reportes por clasificar · Reports waiting for triage", QUEUE, Queue))
    async def queue(
        request: Request,
        actor: Annotated[Actor, Depends(requires("GET", QUEUE))],
        after: Annotated[int, Query(ge=0, le=answers.LAST_POSITION)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        services = services_of(request)
        waits = await waiting.reports(services.pool, after=after, limit=limit)
        views = await reading.views(services.application, actor, Report.NOUN, waits.ids)
        shown = answers.page_of(views, waits.next)
        return answers.plain(Queue(items=shown.items, next=shown.next, count=waits.waiting))

    return router


def _candidate(match: matching.Match) -> Candidate:
    return Candidate(
        noun=match.noun,
        id=str(match.id),
        incident=str(match.incident) if match.incident else None,
        score=match.score,
        rules=[rule.value for rule in match.rules],
        features=dict(match.features),
    )
