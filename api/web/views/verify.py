"""Verify this number: what is to be checked, the command that checks it, and the certificate to keep."""

from api.web.figures import figure
from api.web.static import static_address
from api.web.visit import Visit
from registry.log.canonical import JSON, encode


async def verify(visit: Visit) -> str:
    """Of the figure that the address asks for, as a whole."""
    answer = await visit.count(visit.asked)
    return visit.render(
        "verify.html",
        figure=figure(visit, answer),
        question=question(visit),
        script=static_address("verify.js"),
        vkeys=visit.site.vkeys(),
    )


async def certificate(visit: Visit) -> str:
    """The signed note (docs/counting.md)."""
    return (await visit.count(visit.asked)).certificate()


def question(visit: Visit) -> str:
    """As GraphQL takes it, for the script."""
    asked = visit.asked.canonical()
    given: dict[str, JSON] = {
        "unit": asked["unit"],
        "groupBy": asked["group_by"],
        "filter": asked["filter"],
        "asOf": visit.size,
    }
    return encode(given).decode()
