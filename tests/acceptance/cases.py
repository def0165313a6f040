"""The published cases: what the sources of each agree on, and how they write their dates."""

from typing import Any, NamedTuple

Row = dict[str, str]
Json = dict[str, Any]


def day(on: str) -> Json:
    return {"earliest": on, "latest": on, "precision": "DAY"}


def between(earliest: str | None, latest: str) -> Json:
    return {"earliest": earliest, "latest": latest, "precision": "INTERVAL"}


def in_municipality(code: str) -> Json:
    return {"cvegeo": code, "precision": "MUNICIPALITY"}


def in_state(code: str) -> Json:
    return {"state": code, "precision": "STATE"}


def student(outcome: str = "NOT_REPORTED", nexus: str = "ON_DUTY_AT_SITE", **more: Any) -> Json:
    return {"role": "PASANTE_MEDICINE", "outcome": outcome, "nexus": nexus, **more}


def alike(number: int) -> Json:
    return {"low": number, "best": number, "high": number}


KILLED = {"outcome": "KILLED", "manner": "HOMICIDE"}


class Case(NamedTuple):
    """What the sources of one case agree on. ``when``: for those that give no calendar date."""

    kind: str
    when: Json
    where: Json
    victims: list[Json]
    incident_class: str = "ATTACK"
    direct: tuple[str, ...] = ()
    """The sources that name a witness or a document."""


CASES = {
    "DGO-2022-07-15": Case(
        "ARMED_ATTACK", between(None, "2022-07-21"), in_municipality("10023"), [student(**KILLED, sex="MALE")]
    ),
    "CHIS-2021-01-28": Case(
        "DEATH_UNDETERMINED",
        between(None, "2021-01-31"),
        in_municipality("07059"),
        [student("KILLED", "LIVING_QUARTERS", sex="FEMALE", manner="SUICIDE_REPORTED")],
        direct=("1", "5", "7"),
    ),
    "ZAC-2021-06-30": Case(
        "ARMED_ATTACK",
        between(None, "2021-07-05"),
        in_municipality("32049"),
        [student(**KILLED, nexus="ON_DUTY_TRANSFER", sex="MALE")],
    ),
    "SON-2013": Case(
        "DEATH_UNDETERMINED",
        {"earliest": "2013-01-01", "latest": "2013-12-31", "precision": "YEAR"},
        in_municipality("26061"),
        [student("KILLED", "UNKNOWN", sex="FEMALE", manner="UNDETERMINED")],
    ),
    "OAX-2015-10": Case(
        "SEXUAL_VIOLENCE", between("2015-10-19", "2015-10-31"), in_municipality("20305"), [student()]
    ),
    "MEX-2013-11": Case(
        "SITE_ATTACK", between("2013-11-01", "2013-11-30"), in_state("15"), [student(count=alike(2))]
    ),
    "MICH-2020-spring": Case(
        "COERCED_CARE",
        between("2020-03-01", "2020-06-20"),
        in_state("16"),
        [student()],
        direct=("1", "2"),
    ),
    "MICH-2022-08-24": Case(
        "ARMED_INTIMIDATION",
        day("2022-08-24"),
        in_municipality("16099"),
        [student(count={"low": 1, "best": 1, "high": 2})],
        incident_class="THREAT",
    ),
    "MICH-2021-07-11": Case(
        "ORDER_TO_LEAVE",
        between("2021-07-11", "2021-07-13"),
        in_municipality("16012"),
        [student(nexus="UNKNOWN", count=alike(2))],
        incident_class="THREAT",
        direct=("1",),
    ),
    "CHIH-2021-06": Case("COERCED_CARE", between("2021-06-01", "2021-06-30"), in_state("08"), [student()]),
    "CHIH-2015-07": Case(
        "UNKNOWN",
        between("2015-07-01", "2015-07-31"),
        in_state("08"),
        [student()],
        incident_class="THREAT",
        direct=("1",),
    ),
    "CHIS-2020-06-10": Case(
        "ABDUCTION",
        day("2020-06-10"),
        in_municipality("07052"),
        [{"role": "STAFF", "nexus": "NOT_APPLICABLE"}],
    ),
    "PUE-2020-02-23": Case(
        "NOT_REPORTED",
        day("2020-02-23"),
        in_municipality("21074"),
        [
            student("KILLED", "OFF_DUTY_ELSEWHERE", manner="HOMICIDE"),
            {"role": "OTHER", **KILLED, "nexus": "NOT_APPLICABLE", "count": alike(3)},
        ],
    ),
    "NL-2011": Case(
        "ABDUCTION", between(None, "2011-03-31"), in_state("19"), [student(nexus="UNKNOWN", count=alike(10))]
    ),
}

DATES = {
    "15 de julio": "2022-07-15",
    "viernes 15 de julio": "2022-07-15",
    "15 julio": "2022-07-15",
    "July 15": "2022-07-15",
    "15 de junio": "2022-06-15",
    "28 de enero": "2021-01-28",
    "jueves 28 de enero": "2021-01-28",
    "29 de enero": "2021-01-29",
    "30 de junio": "2021-06-30",
    "1 de julio": "2021-07-01",
    "jueves pasado [1 de julio]": "2021-07-01",
}
"""Calendar days as sources write them; all other words leave the interval of the case."""

LA_TIMES = "Los Angeles Times"
NEWSROOMS = {"Sun Sentinel (LA Times)": LA_TIMES, "seed article": LA_TIMES}
COPIES = {("ZAC-2021-06-30", "4"): "3", ("MICH-2020-spring", "1"): "2"}
"""Pieces that repeat another of the same case."""
