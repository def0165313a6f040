"""The code lists of the register: what may be said, in UPPER_SNAKE, the same from database to GraphQL.

UNKNOWN (asked, nobody knows), NOT_REPORTED (the source is silent) and NOT_APPLICABLE (the question does not
arise) are three different answers and never stand for one another.
"""

from enum import StrEnum
from functools import cached_property


class Ordered(StrEnum):
    """Codes whose order of definition is their order of weight."""

    @cached_property
    def rank(self) -> int:
        """0 for the lightest."""
        return list(type(self)).index(self)


class IncidentClass(StrEnum):
    THREAT = "THREAT"
    ATTACK = "ATTACK"


class ReportClass(StrEnum):
    """A report may also be about relocations of many, which is never counted as an incident."""

    THREAT = "THREAT"
    ATTACK = "ATTACK"
    RELOCATION = "RELOCATION"


class ThreatKind(StrEnum):
    VERBAL = "VERBAL"
    MESSAGE = "MESSAGE"
    WRITTEN = "WRITTEN"
    SURVEILLANCE = "SURVEILLANCE"
    ARMED_INTIMIDATION = "ARMED_INTIMIDATION"
    ORDER_TO_LEAVE = "ORDER_TO_LEAVE"
    AGAINST_FAMILY = "AGAINST_FAMILY"
    LYNCHING_THREAT = "LYNCHING_THREAT"


class AttackKind(StrEnum):
    PHYSICAL_ASSAULT = "PHYSICAL_ASSAULT"
    ARMED_ATTACK = "ARMED_ATTACK"
    ABDUCTION = "ABDUCTION"
    COERCED_CARE = "COERCED_CARE"
    SEXUAL_VIOLENCE = "SEXUAL_VIOLENCE"
    HARASSMENT = "HARASSMENT"
    EXTORTION = "EXTORTION"
    ROBBERY = "ROBBERY"
    SITE_ATTACK = "SITE_ATTACK"
    OBSTRUCTION = "OBSTRUCTION"
    DISAPPEARANCE = "DISAPPEARANCE"
    DEATH_UNDETERMINED = "DEATH_UNDETERMINED"


UNKNOWN = "UNKNOWN"
NOT_REPORTED = "NOT_REPORTED"
NOT_APPLICABLE = "NOT_APPLICABLE"

KINDS: dict[IncidentClass, frozenset[str]] = {
    IncidentClass.THREAT: frozenset({*ThreatKind, UNKNOWN, NOT_REPORTED}),
    IncidentClass.ATTACK: frozenset({*AttackKind, UNKNOWN, NOT_REPORTED}),
}
"""Which kinds belong to which class."""


class Means(StrEnum):
    FIREARM = "FIREARM"
    BLADE = "BLADE"
    BLUNT = "BLUNT"
    BODILY = "BODILY"
    VEHICLE = "VEHICLE"
    EXPLOSIVE = "EXPLOSIVE"
    FIRE = "FIRE"
    STRANGULATION = "STRANGULATION"
    NONE = "NONE"
    UNKNOWN = "UNKNOWN"
    NOT_REPORTED = "NOT_REPORTED"


class Outcome(Ordered):
    """What happened to a person, mildest first, behind the two answers that say nothing.

    Who died later of it counts as KILLED at the date of the attack.
    """

    UNKNOWN = "UNKNOWN"
    NOT_REPORTED = "NOT_REPORTED"
    NONE = "NONE"
    PSYCHOLOGICAL = "PSYCHOLOGICAL"
    MINOR = "MINOR"
    MODERATE = "MODERATE"
    SEVERE = "SEVERE"
    MISSING = "MISSING"
    KILLED = "KILLED"


class Manner(StrEnum):
    """Manner of death, kept apart from the outcome because it is so often disputed."""

    HOMICIDE = "HOMICIDE"
    FEMINICIDE = "FEMINICIDE"
    SUICIDE_REPORTED = "SUICIDE_REPORTED"
    ACCIDENT = "ACCIDENT"
    UNDETERMINED = "UNDETERMINED"
    DISPUTED = "DISPUTED"


class PerpetratorGroup(StrEnum):
    """Groups only: the register never names an individual."""

    ORGANISED_CRIME = "ORGANISED_CRIME"
    COMMON_CRIME = "COMMON_CRIME"
    COMMUNITY_MEMBER = "COMMUNITY_MEMBER"
    PATIENT_OR_RELATIVE = "PATIENT_OR_RELATIVE"
    COWORKER_OR_SUPERVISOR = "COWORKER_OR_SUPERVISOR"
    SECURITY_FORCE = "SECURITY_FORCE"
    OTHER_AUTHORITY = "OTHER_AUTHORITY"
    ACQUAINTANCE = "ACQUAINTANCE"
    UNKNOWN = "UNKNOWN"
    NOT_REPORTED = "NOT_REPORTED"


class AttributionBasis(StrEnum):
    ALLEGED = "ALLEGED"
    CLAIMED = "CLAIMED"
    CHARGED = "CHARGED"
    CONVICTED = "CONVICTED"


class Nexus(StrEnum):
    """The link to the service, the field that official figures leave out."""

    ON_DUTY_AT_SITE = "ON_DUTY_AT_SITE"
    ON_DUTY_TRANSFER = "ON_DUTY_TRANSFER"
    LIVING_QUARTERS = "LIVING_QUARTERS"
    COMMUTE = "COMMUTE"
    OFF_DUTY_SAME_MUNICIPALITY = "OFF_DUTY_SAME_MUNICIPALITY"
    OFF_DUTY_ELSEWHERE = "OFF_DUTY_ELSEWHERE"
    UNKNOWN = "UNKNOWN"
    NOT_REPORTED = "NOT_REPORTED"
    NOT_APPLICABLE = "NOT_APPLICABLE"


STRICT_NEXUS = frozenset(
    {Nexus.ON_DUTY_AT_SITE, Nexus.ON_DUTY_TRANSFER, Nexus.LIVING_QUARTERS, Nexus.COMMUTE}
)


class VictimRole(StrEnum):
    PASANTE_MEDICINE = "PASANTE_MEDICINE"
    PASANTE_OTHER = "PASANTE_OTHER"
    INTERN = "INTERN"
    STAFF = "STAFF"
    PATIENT = "PATIENT"
    FAMILY = "FAMILY"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"
    NOT_REPORTED = "NOT_REPORTED"


IN_SCOPE = VictimRole.PASANTE_MEDICINE
"""The register counts medical students in social service; other victims are kept and never counted."""


class SourceType(StrEnum):
    UNIVERSITY = "UNIVERSITY"
    MINISTRY_HEALTH = "MINISTRY_HEALTH"
    PROSECUTOR = "PROSECUTOR"
    PRESS = "PRESS"
    ASSOCIATION = "ASSOCIATION"
    VICTIM_OR_FAMILY = "VICTIM_OR_FAMILY"
    OTHER_AUTHORITY = "OTHER_AUTHORITY"


INSTITUTIONAL_SOURCES = frozenset(
    {SourceType.UNIVERSITY, SourceType.MINISTRY_HEALTH, SourceType.PROSECUTOR, SourceType.OTHER_AUTHORITY}
)


class TriageDecision(StrEnum):
    """What a reviewer decides about a report that waits: part of an incident, none of the register's, or ask back."""

    LINK = "LINK"
    OUT_OF_SCOPE = "OUT_OF_SCOPE"
    PENDING_INFO = "PENDING_INFO"


class Directness(StrEnum):
    """A press report is direct when it names a witness or a document."""

    DIRECT = "DIRECT"
    INDIRECT = "INDIRECT"


class DatePrecision(StrEnum):
    TIME = "TIME"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    YEAR = "YEAR"
    INTERVAL = "INTERVAL"


class PlacePrecision(Ordered):
    """Finest first; never a made-up centroid."""

    SITE = "SITE"
    LOCALITY = "LOCALITY"
    MUNICIPALITY = "MUNICIPALITY"
    STATE = "STATE"
    COUNTRY = "COUNTRY"


class Sex(StrEnum):
    FEMALE = "FEMALE"
    MALE = "MALE"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"
    NOT_REPORTED = "NOT_REPORTED"


class InstitutionKind(StrEnum):
    UNIVERSITY = "UNIVERSITY"
    MINISTRY_HEALTH = "MINISTRY_HEALTH"
    PROSECUTOR = "PROSECUTOR"
    PRESS = "PRESS"
    ASSOCIATION = "ASSOCIATION"
    OTHER = "OTHER"


class SiteLevel(StrEnum):
    FIRST = "FIRST"
    SECOND = "SECOND"
    THIRD = "THIRD"


class PlazaType(StrEnum):
    A = "A"
    B = "B"
    C = "C"
    CC = "CC"
    RESEARCH = "RESEARCH"
    OTHER = "OTHER"


class RelocationAction(StrEnum):
    """What a source says was done, or asked for, about many students."""

    RELOCATED = "RELOCATED"
    NOT_SENT = "NOT_SENT"
    WITHDRAWN = "WITHDRAWN"
    REQUESTED = "REQUESTED"
    CLOSED = "CLOSED"
    RETURN_ORDERED = "RETURN_ORDERED"


class RelocationUnit(StrEnum):
    STUDENTS = "STUDENTS"
    PLACES = "PLACES"
    MUNICIPALITIES = "MUNICIPALITIES"
    PERCENT = "PERCENT"


class RelocationReason(StrEnum):
    """Why an assignment moved. The codes are the project's: the source material names no list."""

    THREAT = "THREAT"
    ATTACK = "ATTACK"
    INSECURITY = "INSECURITY"
    HEALTH = "HEALTH"
    PERSONAL = "PERSONAL"
    ADMINISTRATIVE = "ADMINISTRATIVE"
    OTHER = "OTHER"


class RelocationRequester(StrEnum):
    """On whose behalf a change of site was asked for."""

    STUDENT = "STUDENT"
    INSTITUTION = "INSTITUTION"
    SITE = "SITE"
    FAMILY = "FAMILY"


class RelocationDecision(StrEnum):
    GRANTED = "GRANTED"
    DENIED = "DENIED"
    PARTIAL = "PARTIAL"


class SuspensionReason(StrEnum):
    """Why a student's service pauses. The codes are the project's: the source material names no list."""

    THREAT = "THREAT"
    ATTACK = "ATTACK"
    INSECURITY = "INSECURITY"
    HEALTH = "HEALTH"
    PERSONAL = "PERSONAL"
    ADMINISTRATIVE = "ADMINISTRATIVE"
    OTHER = "OTHER"


class SiteSuspensionReason(StrEnum):
    """Why no student may be sent to a site. The codes are the project's: the source material names no list."""

    THREAT = "THREAT"
    ATTACK = "ATTACK"
    INSECURITY = "INSECURITY"
    CONDITIONS = "CONDITIONS"
    ADMINISTRATIVE = "ADMINISTRATIVE"
    OTHER = "OTHER"


class Connectivity(StrEnum):
    """The best way to call for help from a site."""

    NONE = "NONE"
    RADIO = "RADIO"
    TELEPHONE = "TELEPHONE"
    INTERNET = "INTERNET"
    UNKNOWN = "UNKNOWN"
    NOT_REPORTED = "NOT_REPORTED"


class StaffAlone(StrEnum):
    """Whether the student is the only staff at a site."""

    YES = "YES"
    NO = "NO"
    UNKNOWN = "UNKNOWN"
    NOT_REPORTED = "NOT_REPORTED"


class Supervision(StrEnum):
    """How somebody of more experience stands by at a site."""

    NONE = "NONE"
    REMOTE = "REMOTE"
    VISITS = "VISITS"
    ON_SITE = "ON_SITE"
    UNKNOWN = "UNKNOWN"
    NOT_REPORTED = "NOT_REPORTED"


class AssignmentEnd(StrEnum):
    COMPLETED = "COMPLETED"
    RESIGNED = "RESIGNED"
    DEATH = "DEATH"
    TRANSFERRED = "TRANSFERRED"
    CANCELLED = "CANCELLED"


class Certainty(Ordered):
    """How well an incident is established. REFUTED is terminal and outside the order of the others."""

    RUMOUR = "RUMOUR"
    POSSIBLE = "POSSIBLE"
    PROBABLE = "PROBABLE"
    CONFIRMED = "CONFIRMED"
    REFUTED = "REFUTED"


class IncidentStatus(StrEnum):
    """Where an incident stands: derived from what was decided about it, never stored. That it is disputed is a flag."""

    UNDER_REVIEW = "UNDER_REVIEW"
    PROVISIONAL = "PROVISIONAL"
    VERIFIED = "VERIFIED"
    RETRACTED = "RETRACTED"
    MERGED = "MERGED"
    REFUTED = "REFUTED"


class DisputeGround(StrEnum):
    """What an institution contests about an incident. The codes are the project's: its sources name no list."""

    DID_NOT_HAPPEN = "DID_NOT_HAPPEN"
    WHEN = "WHEN"
    WHERE = "WHERE"
    KIND = "KIND"
    VICTIMS = "VICTIMS"
    OUTCOME = "OUTCOME"
    CAUSE_OF_DEATH = "CAUSE_OF_DEATH"
    NEXUS = "NEXUS"
    PERPETRATOR = "PERPETRATOR"
    CERTAINTY = "CERTAINTY"
    DUPLICATE = "DUPLICATE"
    OTHER = "OTHER"


class DisputeOutcome(StrEnum):
    """UPHELD: whoever disputed is right, and a correction follows. DISMISSED: the record stands."""

    UPHELD = "UPHELD"
    DISMISSED = "DISMISSED"


class CertaintyBasis(StrEnum):
    """What a reviewer cites for a certainty, beyond the linked reports themselves."""

    LINKED_REPORTS = "LINKED_REPORTS"
    OFFICIAL_DOCUMENT = "OFFICIAL_DOCUMENT"
    FORENSIC_DOCUMENT = "FORENSIC_DOCUMENT"
    JUDICIAL_DOCUMENT = "JUDICIAL_DOCUMENT"
    SEALED_EVIDENCE = "SEALED_EVIDENCE"


class AcquisitionMethod(StrEnum):
    """How a file came to whoever attaches it. The codes are the project's: the source material names no list."""

    RECEIVED = "RECEIVED"
    DOWNLOADED = "DOWNLOADED"
    SCREENSHOT = "SCREENSHOT"
    PHOTOGRAPHED = "PHOTOGRAPHED"
    SCANNED = "SCANNED"
    RECORDED = "RECORDED"
    OTHER = "OTHER"


class SubjectRequestType(StrEnum):
    """What people ask about their own data, or their family's."""

    ACCESS = "ACCESS"
    RECTIFICATION = "RECTIFICATION"
    ERASURE = "ERASURE"
    OBJECTION = "OBJECTION"
    FAMILY_OBJECTION = "FAMILY_OBJECTION"


class SubjectRequestOutcome(StrEnum):
    GRANTED = "GRANTED"
    REFUSED = "REFUSED"


class RefusalReason(StrEnum):
    """Why a request about somebody's data may be refused (LFPDPPP)."""

    IDENTITY_NOT_PROVEN = "IDENTITY_NOT_PROVEN"
    NO_DATA = "NO_DATA"
    THIRD_PARTY_RIGHTS = "THIRD_PARTY_RIGHTS"
    LEGAL_IMPEDIMENT = "LEGAL_IMPEDIMENT"
    DONE_BEFORE = "DONE_BEFORE"


class SubjectRequestState(StrEnum):
    """Where a request stands: derived, never stored."""

    RECEIVED = "RECEIVED"
    ANSWERED = "ANSWERED"
    CARRIED_OUT = "CARRIED_OUT"


class ReadPurpose(StrEnum):
    """Why somebody reads what is not public. Codes, so that the audit of reads holds nobody's words."""

    RECORD_KEEPING = "RECORD_KEEPING"
    STUDENT_SUPPORT = "STUDENT_SUPPORT"
    ADJUDICATION = "ADJUDICATION"
    STATISTICS = "STATISTICS"
    DATA_SUBJECT_REQUEST = "DATA_SUBJECT_REQUEST"
    LEGAL_ORDER = "LEGAL_ORDER"
    AUDIT = "AUDIT"


class CorrectionReason(StrEnum):
    DATA_ENTRY = "DATA_ENTRY"
    NEW_EVIDENCE = "NEW_EVIDENCE"
    DUPLICATE = "DUPLICATE"
    OUT_OF_SCOPE = "OUT_OF_SCOPE"
    MISIDENTIFICATION = "MISIDENTIFICATION"
    RECLASSIFICATION = "RECLASSIFICATION"
    CODEBOOK_CHANGE = "CODEBOOK_CHANGE"
    LEGAL_ORDER = "LEGAL_ORDER"
    DATA_SUBJECT_REQUEST = "DATA_SUBJECT_REQUEST"
    SOURCE_WITHDRAWN = "SOURCE_WITHDRAWN"

    @property
    def public(self) -> str:
        """The reason as the public sees it: who asked, or who withdrew, is protected."""
        protected = {CorrectionReason.DATA_SUBJECT_REQUEST, CorrectionReason.SOURCE_WITHDRAWN}
        return "PROTECTED" if self in protected else self.value


STATES: tuple[str, ...] = tuple(f"{number:02d}" for number in range(1, 33))
"""INEGI's codes of the 32 states."""
