"""What became of one attempt to bring a message to an endpoint. Never what it answered, which may quote the message."""

from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from registry.text import Text

GONE: Final = 410
"""The endpoint wants nothing more (Standard Webhooks 1.0.0, "Delivery success and failure")."""


class Failure(StrEnum):
    """Why there was no answer."""

    NOT_RESOLVED = "NOT_RESOLVED"
    ADDRESS_REFUSED = "ADDRESS_REFUSED"
    NOT_ENCRYPTED = "NOT_ENCRYPTED"
    NOT_CONNECTED = "NOT_CONNECTED"
    TIMED_OUT = "TIMED_OUT"
    BROKEN_ANSWER = "BROKEN_ANSWER"


FAILURES: Final[dict[Failure, Text]] = {
    Failure.NOT_RESOLVED: Text(
        "El nombre no tiene dirección. Revise el DNS.", "The name has no address. Check the DNS."
    ),
    Failure.ADDRESS_REFUSED: Text(
        "El nombre lleva a una red privada o reservada, adonde no se entrega. Publique el destino en internet.",
        "The name leads to a private or reserved network, where nothing is delivered. Serve it on the internet.",
    ),
    Failure.NOT_ENCRYPTED: Text(
        "Sin https solo se entrega en las redes que nombra quien opera el registro. Use https.",
        "Without https, only networks that the register's operator names are delivered to. Use https.",
    ),
    Failure.NOT_CONNECTED: Text(
        "No se pudo conectar. Revise que el servidor esté en marcha y que su certificado sea válido.",
        "No connection could be made. Check that the server is running and its certificate is valid.",
    ),
    Failure.TIMED_OUT: Text(
        "No respondió a tiempo. Confirme primero con un 2xx, y procese después.",
        "It did not answer in time. Acknowledge with a 2xx first, and process afterwards.",
    ),
    Failure.BROKEN_ANSWER: Text(
        "La respuesta no es HTTP, o la conexión se cortó. Revise el servidor y lo que está delante de él.",
        "The answer is no HTTP, or the connection broke off. Check the server, and what stands before it.",
    ),
}

NOT_ACCEPTED: Final = Text(
    "Respondió, pero no con un 2xx: no cuenta como recibido. Las redirecciones no se siguen.",
    "It answered, but not with a 2xx: that does not count as received. Redirects are not followed.",
)


def is_accepted(status: int | None) -> bool:
    """Any 2xx."""
    return status is not None and 200 <= status < 300


class Outcome(NamedTuple):
    """A status, or the reason why there is none. ``wished`` is the pause that the endpoint asks for."""

    status: int | None
    failure: Failure | None
    duration: timedelta
    wished: timedelta | None = None

    @property
    def accepted(self) -> bool:
        return is_accepted(self.status)

    @property
    def gone(self) -> bool:
        return self.status == GONE

    @property
    def milliseconds(self) -> int:
        return int(self.duration.total_seconds() * 1000)
