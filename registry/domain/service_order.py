"""In what order the facts of a year of service can be: each rule once, for new facts and for corrections alike. Pure.

Only COMPLETED must come after everything else: who dies, resigns or is transferred may do so before a move or a
suspension that was decided for later, and that then never takes place.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import NoReturn

from registry.domain.codes import AssignmentEnd, RelocationDecision
from registry.domain.service import DATED_BY, Decided, Ended, Requested, Resumed, Service, Started, Suspended
from registry.errors import InvalidInput, RuleViolated

LONGEST_SERVICE = timedelta(days=3 * 366)
"""Service takes a year; three leave room for suspensions, and none for a mistyped century."""

LONGEST_NOTICE = timedelta(days=366)
"""No service is called off, and no change of site asked for, longer than that before it starts."""


def check(service: Service) -> None:
    """Raises InvalidInput for what was registered, RuleViolated for the facts since, unless all of it can be true."""
    _check_plan(service)
    _check_start(service)
    _check_moves(service)
    _check_suspensions(service)
    _check_requests(service)
    if service.ended is not None:
        _check_end(service, service.ended)


def _check_plan(service: Service) -> None:
    if not service.starts < service.planned_end <= service.starts + LONGEST_SERVICE:
        raise InvalidInput(
            "planned_end",
            f"El fin previsto debe ser posterior al inicio, en {LONGEST_SERVICE.days} días a lo más.",
            f"The planned end must be after the start, by {LONGEST_SERVICE.days} days at the most.",
        )
    if abs(service.starts.year - int(service.promotion[:4])) > 1:
        raise InvalidInput(
            "promotion",
            "La promoción no corresponde al inicio. Compruebe el año de ambos.",
            "The promotion does not fit the start. Check the year of both.",
        )


def _check_start(service: Service) -> None:
    started = service.started
    if started is None:
        return
    if not service.starts - LONGEST_NOTICE <= started.on <= service.planned_end:
        raise RuleViolated(
            "start-outside-the-plan",
            f"El servicio está previsto del {service.starts} al {service.planned_end}, y el inicio no cae ahí. "
            "Compruebe la fecha, o corrija antes las previstas.",
            f"The service is planned from {service.starts} to {service.planned_end}, and the start is not within. "
            "Check the date, or correct the planned ones first.",
        )


def _check_moves(service: Service) -> None:
    sites = [service.site, *(move.to for move in service.relocations)]
    if any(one == next_ for one, next_ in pairwise(sites)):
        raise RuleViolated(
            "relocation-needs-another-site",
            "La asignación ya está en esa sede. Indique otra sede de destino.",
            "The assignment is at that site already. Name another site as the destination.",
        )
    days = [min(service.starts, service.begin), *(move.effective for move in service.relocations)]
    _ascending(days, "relocation-in-order", "las reubicaciones", "relocations")
    _within_plan(service, days[1:])


def _check_suspensions(service: Service) -> None:
    days = []
    running = False
    for fact in service.facts:
        match fact:
            case Started():
                running = True
            case Suspended() if not running:
                _not_running(service)
            case Suspended():
                running = False
                days.append(fact.on)
            case Resumed():
                if running or not days:
                    raise RuleViolated(
                        "resumption-needs-suspension",
                        "El servicio no está suspendido. Registre antes la suspensión de la que se reanuda.",
                        "The service is not suspended. Record the suspension that it resumes from first.",
                    )
                if fact.on <= days[-1]:
                    raise RuleViolated(
                        "resumption-after-suspension",
                        f"Se reanuda después del {days[-1]}, el primer día de la suspensión. Indique el primer día de "
                        "vuelta al servicio.",
                        f"Service resumes after {days[-1]}, the first day of the suspension. Give the first day back "
                        "in service.",
                    )
                running = True
                days.append(fact.on)
    if days:
        _ascending([service.begin, *days], "suspension-in-order", "las suspensiones", "suspensions")
        _within_plan(service, days)


def _check_requests(service: Service) -> None:
    asked = {fact.version: fact for fact in service.facts if isinstance(fact, Requested)}
    if min((fact.on for fact in asked.values()), default=service.starts) < service.starts - LONGEST_NOTICE:
        raise RuleViolated(
            "request-long-before-the-start",
            f"La solicitud es de más de {LONGEST_NOTICE.days} días antes del inicio previsto. Compruebe el año.",
            f"The request is more than {LONGEST_NOTICE.days} days before the planned start. Check the year.",
        )
    decided: dict[int, Decided] = {}
    for fact in service.facts:
        if isinstance(fact, Decided):
            _check_decision(fact, asked.get(fact.request), decided)
            decided[fact.request] = fact
    carried_out = [move.request for move in service.relocations if move.request is not None]
    for request in carried_out:
        if request not in decided or decided[request].decision is RelocationDecision.DENIED:
            raise RuleViolated(
                "relocation-needs-granted-request",
                "La solicitud que la reubicación indica no consta como concedida. Registre antes su respuesta (GRANTED "
                "o PARTIAL), o reubique sin indicar solicitud.",
                "The request that the relocation names is not on record as granted. Record its decision first (GRANTED "
                "or PARTIAL), or relocate without naming a request.",
            )
    if len(set(carried_out)) < len(carried_out):
        raise RuleViolated(
            "request-carried-out-once",
            "Esa solicitud ya llevó a una reubicación. Reubique sin indicar solicitud, o indique otra.",
            "That request led to a relocation already. Relocate without naming a request, or name another.",
        )


def _check_decision(decision: Decided, asked: Requested | None, decided: Mapping[int, Decided]) -> None:
    if asked is None:
        raise RuleViolated(
            "no-such-request",
            "Esta asignación no tiene esa solicitud. Indique la versión (version) de una que no tenga respuesta, como "
            "se lee en relocation_requests.",
            "This assignment has no such request. Name the version of one that has no answer, as it is read in "
            "relocation_requests.",
        )
    if decision.request in decided:
        raise RuleViolated(
            "request-answered-once",
            "Esa solicitud ya tiene respuesta. Si cambió, registre otra solicitud; si se capturó mal, corrija la "
            "respuesta.",
            "That request has its answer. If it changed, record another request; if it was mistyped, correct the "
            "decision.",
        )
    if decision.on < asked.on:
        raise RuleViolated(
            "decision-after-request",
            f"La respuesta no puede ser anterior a la solicitud, del {asked.on}. Compruebe las fechas.",
            f"The decision cannot be before the request of {asked.on}. Check the dates.",
        )


def _check_end(service: Service, ended: Ended) -> None:
    if not service.starts - LONGEST_NOTICE <= ended.on <= service.starts + LONGEST_SERVICE:
        raise RuleViolated(
            "end-out-of-range",
            f"El servicio estaba previsto desde el {service.starts}, y ese fin queda fuera de lo posible. Compruebe el "
            "año.",
            f"The service was planned from {service.starts}, and that end is beyond what can be. Check the year.",
        )
    if ended.reason is not AssignmentEnd.COMPLETED:
        return
    days = [
        service.begin,
        *(_day(fact) for fact in service.facts if not isinstance(fact, Requested | Decided)),
    ]
    if ended.on < max(days):
        raise RuleViolated(
            "completed-after-everything",
            f"Un servicio concluye (COMPLETED) el día de su último cambio o después: {max(days)}. Corrija la fecha o "
            "el motivo.",
            f"A service is COMPLETED on the day of its last change or later: {max(days)}. Correct the date or the "
            "reason.",
        )


def _day(fact: Started | Suspended | Resumed | Ended | object) -> date:
    day: date = getattr(fact, DATED_BY[type(fact)])  # type: ignore[index]
    return day


def _ascending(days: list[date], rule: str, es: str, en: str) -> None:
    for before, after in pairwise(days):
        if after < before:
            raise RuleViolated(
                rule,
                f"Las fechas de {es} van en orden, desde el inicio del servicio: {after} es anterior a {before}. "
                "Indique una fecha igual o posterior, o corrija antes la otra.",
                f"The dates of {en} go in order, from the start of service on: {after} is before {before}. Give the "
                "same date or a later one, or correct the other first.",
            )


def _within_plan(service: Service, days: list[date]) -> None:
    if days and max(days) > service.planned_end:
        raise RuleViolated(
            "after-the-planned-end",
            f"El servicio termina según lo previsto el {service.planned_end}. Si continúa, corrija antes planned_end.",
            f"The service is planned to end on {service.planned_end}. If it goes on, correct planned_end first.",
        )


def _not_running(service: Service) -> NoReturn:
    if service.started is None:
        raise RuleViolated(
            "suspension-needs-start",
            "Solo se suspende un servicio en curso, y este no consta como iniciado. Registre antes su inicio.",
            "Only a service under way is suspended, and no start of this one is recorded. Record its start first.",
        )
    raise RuleViolated(
        "suspended-already",
        "El servicio ya está suspendido. Registre antes la reanudación.",
        "The service is suspended already. Record that it resumed first.",
    )
