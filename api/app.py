"""The HTTP face of the register: every router, in one app."""

import re
from functools import partial
from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api import handlers, health, log_routes, metrics
from api.auth.guard import authenticate
from api.boundary import Boundary
from api.counts.answer import Backing
from api.delivery.webhooks import router as webhooks
from api.delivery.webhooks.registrations import states
from api.graphql import http as graphql
from api.graphql.readers import NEEDED, Access
from api.imports import router as imports
from api.rest import (
    documentation,
    evidence,
    histories,
    keys,
    matches,
    places,
    private_reads,
    problem_pages,
    reading,
    subject_requests,
    writing,
)
from api.rest.operations import WRITES
from api.services import Services
from api.streams import asyncapi, event_stream, feed
from api.streams.following import Following
from api.streams.streams import Streams
from api.web import router as web
from api.web.developers import router as developers
from api.web.developers.writing import Desk
from api.web.downloads import router as downloads
from api.web.visit import Site
from projections.runner import statuses
from registry.log.keys import Purpose
from registry.log.storage import latest_checkpoint

DESCRIPTION: Final = """Registro público y verificable de agresiones contra pasantes del servicio social de medicina.
Los textos siguen a Accept-Language (es, en). · A public, verifiable register of attacks against medical students in
social service. Texts follow Accept-Language (es, en)."""


class App(FastAPI):
    """Documents itself with the drafts' own schemas. No page of it loads anything from elsewhere."""

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            self.openapi_schema = documentation.describe(self)
        return self.openapi_schema


def create_app(services: Services) -> FastAPI:
    """The app over one running register. It owns none of the services, so it has nothing to start or stop."""
    app = App(
        title="Constancia",
        version=version("constancia"),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    app.state.services = services
    figures = metrics.Metrics(
        services.health, partial(statuses, services.pool), partial(latest_checkpoint, services.pool)
    )
    figures.ask("webhooks", "Endpoints of webhooks.", "state", partial(states, services.pool))
    app.add_middleware(Boundary, metrics=figures)
    handlers.install(app)
    app.state.streams = Streams(services.counting, services.pool)
    app.state.following = Following(app.state.streams, services.log_keys.origin, services.application)
    keys_of_counts = services.log_keys.signers(Purpose.COUNT)
    backing = Backing.of(services.counting, keys_of_counts, services.log_keys.origin, app.state.streams)
    access = Access(partial(authenticate, accepted=NEEDED), services.application.reads)
    site = Site(backing, services.log_keys.vkeys, services.invented, services.outlines)
    for router in (
        graphql.build_router(lambda _: backing, access),
        writing.build_router(WRITES),
        keys.build_router(),
        reading.build_router(),
        histories.build_router(),
        matches.build_router(),
        places.build_router(),
        private_reads.build_router(),
        evidence.build_router(services),
        subject_requests.build_router(services),
        imports.build_router(services),
        webhooks.build_router(services, app.state.following),
        feed.build_router(),
        asyncapi.build_router(),
        event_stream.build_router(),
        log_routes.build_router(),
        problem_pages.build_router(),
        health.build_router(services.health),
        metrics.build_router(figures),
        web.build_router(site),
        downloads.build_router(site),
        developers.build_router(Desk(backing.base_url, services.invented, app.openapi)),
    ):
        app.include_router(router)
    return app


def _operation_id(route: APIRoute) -> str:
    """What generators of clients name their functions after: ``post_v1_incidents_id_certainty``."""
    return "_".join([min(route.methods or ()).lower(), *re.findall(r"\w+", route.path_format)])
