"""What an incident's stream refuses: each rule's code, and in both languages what it says and what would be needed."""

from collections.abc import Iterable
from uuid import UUID

from registry.domain.codes import KINDS, Certainty, IncidentClass, Manner, Outcome
from registry.domain.event import Act
from registry.errors import InvalidInput, RuleViolated


def must_review_for_others(act: Act, reporting: Iterable[UUID]) -> None:
    """Submitter ≠ verifier: whoever adjudicates belongs to another institution than every reporting one."""
    if act.by.institution is None:
        raise RuleViolated(
            "verifier-needs-institution",
            "Dictaminar corresponde a la clave de una institución verificadora, no a la del operador.",
            "Adjudicating takes the key of a verifying institution, not the operator's.",
        )
    if act.by.institution in set(reporting):
        raise RuleViolated(
            "submitter-is-not-verifier",
            "Su institución presentó uno de los reportes de este incidente; debe dictaminar otra institución.",
            "Your institution submitted one of this incident's reports; another institution must adjudicate.",
        )


def must_fit(kind: str | None, incident_class: IncidentClass) -> None:
    """A kind belongs to its class."""
    if kind is not None and kind not in KINDS[incident_class]:
        accepted = ", ".join(sorted(KINDS[incident_class]))
        raise InvalidInput(
            "kind",
            f"No es un tipo de la clase {incident_class}. Se acepta: {accepted}.",
            f"Not a kind of class {incident_class}. Accepted: {accepted}.",
        )


def must_be_of_the_dead(outcome: Outcome, manner: Manner | None) -> None:
    """Only the dead have a manner of death."""
    if manner is not None and outcome is not Outcome.KILLED:
        raise InvalidInput(
            "manner",
            "La forma de muerte solo acompaña al desenlace KILLED.",
            "The manner of death only goes with outcome KILLED.",
        )


def retracted() -> RuleViolated:
    """A tombstone changes no more."""
    return RuleViolated(
        "incident-retracted",
        "El incidente fue retirado y ya no cambia. Para seguir, otra institución verificadora debe restituirlo antes.",
        "The incident was retracted and changes no more. To go on, another verifying institution must reinstate it "
        "first.",
    )


def merged(into: UUID) -> RuleViolated:
    """A redirect changes no more."""
    return RuleViolated(
        "incident-merged",
        f"El incidente se fusionó con {into} y ya no cambia. Actúe sobre aquel; si eran dos hechos, divídalo.",
        f"The incident was merged into {into} and changes no more. Act on that one; if they were two occurrences, "
        "split it.",
    )


def refuted() -> RuleViolated:
    """REFUTED is terminal."""
    return RuleViolated(
        "refuted-is-final",
        "El incidente fue refutado y ese dictamen es definitivo. Si hay fuentes nuevas, abra otro incidente.",
        "The incident was refuted, and that is final. Open a new incident if there are new sources.",
    )


def criteria_missing(level: Certainty, lacking: Iterable[str]) -> RuleViolated:
    """Raising needs the level's criteria."""
    names = ", ".join(lacking)
    return RuleViolated(
        "certainty-criteria-missing",
        f"{level} requiere además: {names}. Vincule las fuentes que falten o fije un nivel menor.",
        f"{level} also needs: {names}. Link the missing sources or set a lower level.",
    )


def linked_already() -> RuleViolated:
    """The same link twice."""
    return RuleViolated(
        "report-already-linked",
        "El reporte ya está vinculado a este incidente. No hace falta nada más.",
        "The report is linked to this incident already. Nothing more is needed.",
    )


def not_linked() -> RuleViolated:
    """There is no such link to take back, or to rest on."""
    return RuleViolated(
        "report-not-linked",
        "El reporte no está vinculado a este incidente. Lea el incidente para ver los que lo están.",
        "The report is not linked to this incident. Read the incident to see those that are.",
    )


def victim_known() -> RuleViolated:
    """A person is a victim of an incident once."""
    return RuleViolated(
        "victim-recorded-once",
        "Esa persona ya es víctima de este incidente. Corrija su registro en vez de repetirla.",
        "That person is a victim of this incident already. Correct the record instead of repeating it.",
    )


def double_death(incident: UUID) -> RuleViolated:
    """Nobody is killed in two incidents."""
    return RuleViolated(
        "double-death",
        f"Esa persona ya consta como muerta en el incidente {incident}, que sigue en pie. Si es el mismo hecho, "
        "vincule allí los reportes o fusione los incidentes; si no, corrija o retire antes el registro equivocado.",
        f"That person is recorded as killed in incident {incident}, which stands. If it is the same occurrence, link "
        "the reports there or merge the incidents; if not, first correct or retract the record that is wrong.",
    )


def nobody_left() -> RuleViolated:
    """A number that turned out to be no victim, or an outcome of nobody."""
    return RuleViolated(
        "victim-taken-out",
        "Ese número de víctima quedó en cero, o se indica el desenlace de nadie. Corrija antes su conteo "
        "(corrections).",
        "That victim number stands at zero, or this is the outcome of nobody. Correct its count first (corrections).",
    )


def killed_already() -> RuleViolated:
    """Death is no outcome that develops further."""
    return RuleViolated(
        "killed-is-corrected",
        "La víctima consta como muerta. Si fue un error, corríjalo (corrections) con su motivo; aquí solo puede "
        "cambiar la forma de muerte.",
        "The victim is recorded as killed. If that was wrong, correct it (corrections) and give the reason; here only "
        "the manner of death can change.",
    )


def nothing_changes() -> RuleViolated:
    """What is recorded already is no change."""
    return RuleViolated(
        "nothing-changes",
        "Eso es lo que ya consta. Envíe un valor distinto.",
        "That is what is recorded already. Send a different value.",
    )


def disputed_already() -> RuleViolated:
    """One open objection of an institution on one ground."""
    return RuleViolated(
        "disputed-already",
        "Su institución ya disputa este incidente por ese motivo, y está por resolverse. Espere la resolución o "
        "dispute por otro motivo.",
        "Your institution disputes this incident on that ground already, and it is not resolved yet. Wait for the "
        "resolution or dispute on another ground.",
    )


def dispute_closed() -> RuleViolated:
    """A dispute is resolved once."""
    return RuleViolated(
        "dispute-resolved-already",
        "Esa disputa ya se resolvió. Lea el incidente para ver las que siguen abiertas.",
        "That dispute has been resolved. Read the incident to see those that are still open.",
    )


def own_dispute() -> RuleViolated:
    """Nobody resolves their own dispute."""
    return RuleViolated(
        "disputant-does-not-resolve",
        "Su institución planteó esa disputa; debe resolverla otra institución verificadora que tampoco haya reportado.",
        "Your institution raised that dispute; another verifying institution, which has not reported either, must "
        "resolve it.",
    )


def dispute_open() -> RuleViolated:
    """A merge would bury an objection."""
    return RuleViolated(
        "dispute-open",
        "El incidente tiene disputas sin resolver. Resuélvalas (dispute-resolution) antes de fusionarlo.",
        "The incident has disputes that are not resolved. Resolve them (dispute-resolution) before you merge it.",
    )


def not_retracted() -> RuleViolated:
    """Only what was retracted is reinstated."""
    return RuleViolated(
        "incident-not-retracted",
        "El incidente no está retirado; no hay qué restituir. Lea su estado actual.",
        "The incident is not retracted; there is nothing to reinstate. Read its current state.",
    )


def own_retraction() -> RuleViolated:
    """Nobody takes back alone what they retracted."""
    return RuleViolated(
        "reinstated-by-another",
        "Su institución retiró este incidente; debe restituirlo otra institución verificadora.",
        "Your institution retracted this incident; another verifying institution must reinstate it.",
    )


def merge_with_itself() -> RuleViolated:
    """An incident is not merged into itself."""
    return RuleViolated(
        "merge-into-another",
        "Un incidente no se fusiona consigo mismo. Indique en «into» el incidente que queda.",
        "An incident is not merged into itself. Name in “into” the incident that remains.",
    )


def merge_target_gone(into: UUID) -> RuleViolated:
    """What remains after a merge stands."""
    return RuleViolated(
        "merge-target-stands",
        f"El incidente {into} no está en pie: fue retirado, fusionado o refutado. Fusione con uno que lo esté.",
        f"Incident {into} does not stand: it was retracted, merged or refuted. Merge into one that does.",
    )


def merge_target_undisclosed(into: UUID) -> RuleViolated:
    """What the public knows does not turn into something that it does not know."""
    return RuleViolated(
        "merge-target-undisclosed",
        f"El incidente es público y {into} no: nunca fue POSSIBLE. Fusione {into} con este, o fije antes su certeza.",
        f"The incident is public, and {into} is not: it never was POSSIBLE. Merge {into} into this one, or first set "
        "its certainty.",
    )


def merge_class_differs() -> RuleViolated:
    """A threat and an attack are two occurrences."""
    return RuleViolated(
        "merge-class-differs",
        "Una amenaza y un ataque no son el mismo hecho. Si una de las clases está equivocada, corríjala antes.",
        "A threat and an attack are not the same occurrence. If one of the classes is wrong, correct it first.",
    )


def merge_without_reports() -> RuleViolated:
    """What has no reports has nothing to bring."""
    return RuleViolated(
        "merge-without-reports",
        "El incidente ya no tiene reportes vinculados, así que no hay qué fusionar. Retírelo, con su motivo.",
        "The incident has no linked reports left, so there is nothing to merge. Retract it, and give the reason.",
    )


def split_takes_all() -> RuleViolated:
    """Both parts rest on something."""
    return RuleViolated(
        "split-leaves-a-report",
        "Tras dividir, cada parte conserva al menos un reporte. Deje alguno; si todo el incidente es otro, corríjalo.",
        "After a split each part keeps at least one report. Leave one; if the whole incident is another, correct it.",
    )


def family_objects() -> RuleViolated:
    """Nobody may agree in their place."""
    return RuleViolated(
        "family-objects",
        "La persona o su familia se opuso a que se publique lo que puede quedar cerrado. Solo ellas pueden retirarlo: "
        "deben pedirlo a quien opera el registro.",
        "The person or the family objected to publishing what may stay closed. Only they can take that back: they "
        "must ask the registry's operator.",
    )
