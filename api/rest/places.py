"""``GET /v1/places``: a place by its name, as people write it: one municipality, or the choices that somebody has."""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from api.auth.guard import requires
from api.rest import answers
from api.rest.answers import Place, PlaceChoice, Places
from api.rest.documentation import document_read
from api.services import services_of
from registry.application.drafts import NO_CONTROLS
from registry.application.places import catalog_loading
from registry.catalogs.places import Resolved
from registry.catalogs.state_names import find_state
from registry.errors import InvalidInput

PLACES: Final = "/v1/places"


def build_router() -> APIRouter:
    """Anybody with a key may ask: what is searched is public."""
    router = APIRouter()

    @router.get(
        PLACES,
        dependencies=[Depends(requires("GET", PLACES))],
        **document_read("Buscar un lugar por su nombre · Look up a place by its name", PLACES, Places),
    )
    async def places(
        request: Request,
        name: Annotated[str, Query(min_length=1, max_length=300, pattern=NO_CONTROLS)],
        state: Annotated[str | None, Query(min_length=1, max_length=100, pattern=NO_CONTROLS)] = None,
        on: date | None = None,
    ) -> Response:
        if state is not None and find_state(state) is None:
            raise InvalidInput(
                "query.state",
                "No es el nombre ni el código de un estado. Se acepta: «Durango», «Dgo.» o «10».",
                "Neither the name nor the code of a state. Accepted: “Durango”, “Dgo.” or “10”.",
            )
        application = services_of(request).application
        adopted = await catalog_loading.adopted(application)
        found = (await application.catalogs.places(adopted)).resolve(name, state, on)
        known = await application.catalogs.municipalities(adopted)
        resolved = Place(**found._asdict()) if isinstance(found, Resolved) else None
        choices = () if isinstance(found, Resolved) else found.items
        return answers.plain(
            Places(
                resolved=resolved,
                choices=[PlaceChoice(**choice._asdict()) for choice in choices],
                vintages=[vintage.label for vintage in known.vintages],
            )
        )

    return router
