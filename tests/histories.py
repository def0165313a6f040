"""Hypothesis strategies: histories of disclosed leaves, and questions about them. Synthetic throughout.

Few incidents, places and months, so that corrections, merges and equal cells happen often.
"""

from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from projections.counting.query import CountQuery, Dimension, Unit, ask
from registry.domain.codes import UNKNOWN, IncidentClass

Public = dict[str, Any]

INCIDENTS = [str(UUID(int=(0x4000 << 64) + (0x8 << 60) + number, version=4)) for number in range(1, 5)]
SEALED = {"sealed": "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
KINDS = {
    "ATTACK": ["ROBBERY", "ABDUCTION", "UNKNOWN", "NOT_REPORTED"],
    "THREAT": ["VERBAL", "MESSAGE", "UNKNOWN", "NOT_REPORTED"],
}

_numbers = st.tuples(*[st.integers(0, 2)] * 3).map(lambda steps: [steps[0], steps[0] + steps[1], sum(steps)])


def _plus(one: list[int], other: list[int]) -> list[int]:
    return [left + right for left, right in zip(one, other, strict=True)]


@st.composite
def _people(draw: st.DrawFn) -> tuple[Public, Any]:
    """A tally, and the sex of its dead that sums to it."""
    sexes = ["FEMALE", "MALE", "UNKNOWN"]
    strict = draw(st.dictionaries(st.sampled_from(sexes), _numbers, max_size=2))
    extra = draw(st.dictionaries(st.sampled_from(sexes), _numbers, max_size=1))
    broad = {sex: _plus(strict.get(sex, [0, 0, 0]), extra.get(sex, [0, 0, 0])) for sex in {*strict, *extra}}
    survivors, elsewhere = draw(_numbers), draw(_numbers)
    deaths = {
        name: [sum(part) for part in zip([0, 0, 0], *by_sex.values(), strict=True)]
        for name, by_sex in (("strict", strict), ("broad", broad))
    }
    strict_victims = _plus(deaths["strict"], survivors)
    # Those that died elsewhere are victims of the broad nexus too.
    broad_victims = [
        max(pair) for pair in zip(_plus(strict_victims, elsewhere), deaths["broad"], strict=True)
    ]
    tally = {
        "strict": {"victims": strict_victims, "deaths": deaths["strict"]},
        "broad": {"victims": broad_victims, "deaths": deaths["broad"]},
    }
    return tally, {"strict": strict, "broad": broad} if broad else "NOT_APPLICABLE"


@st.composite
def publics(draw: st.DrawFn) -> Public:
    """The ``public`` object of one ``incident.disclosed`` leaf: any facets open, each consistent with the others."""
    incident_class = draw(st.sampled_from([code.value for code in IncidentClass]))
    tally, sex = draw(_people())
    year = draw(st.sampled_from(["2019", "2020", UNKNOWN]))
    month = UNKNOWN if year == UNKNOWN else draw(st.sampled_from([f"{year}-04", f"{year}-12", UNKNOWN]))
    state = draw(st.sampled_from(["14", "16", UNKNOWN]))
    municipality = (
        UNKNOWN if state == UNKNOWN else draw(st.sampled_from([f"{state}012", f"{state}053", UNKNOWN]))
    )
    values = {
        "tally": tally,
        "year": year,
        "state": state,
        "kind": draw(st.sampled_from(KINDS[incident_class])),
        "municipality": municipality,
        "month": month,
        "sex": sex,
    }
    facets = {name: {"value": value} if draw(st.integers(0, 3)) else SEALED for name, value in values.items()}
    waived = draw(st.sets(st.sampled_from(sorted(values)), max_size=2))
    status = draw(st.sampled_from(["ACTIVE"] * 6 + ["MERGED", "RETRACTED"]))
    return {
        "incident": draw(st.sampled_from(INCIDENTS)),
        "status": status,
        "merged_into": INCIDENTS[0] if status == "MERGED" else None,
        "certainty": draw(
            st.sampled_from(["POSSIBLE", "PROBABLE", "CONFIRMED", "CONFIRMED", "REFUTED", "RUMOUR"])
        ),
        "disputed": draw(st.booleans()),
        "class": incident_class,
        "reason": None,
        "waived": sorted(name for name in waived if "value" in facets[name]),
        "facets": facets,
    }


histories = st.lists(publics(), max_size=12)
"""What the leaves of a short log disclose, in order; incidents come again."""


@st.composite
def queries(draw: st.DrawFn) -> CountQuery:
    """Any question about such a history."""
    asked = draw(st.sampled_from(Unit))
    dimensions = [code for code in Dimension if code is not Dimension.SEX or asked is Unit.DEATHS]
    months = sorted(
        draw(
            st.lists(
                st.sampled_from(["2019-01", "2019-04", "2019-12", "2020-05", "2020-12"]),
                min_size=2,
                max_size=2,
            )
        )
    )

    def some(*values: str) -> list[str] | None:
        # Mostly not filtered by: filters that all apply at once rule nearly everything out.
        return draw(
            st.one_of(st.none(), st.none(), st.lists(st.sampled_from(values), min_size=1, max_size=2))
        )

    return ask(
        asked,
        nexus=draw(st.sampled_from(["STRICT", "BROAD"])),
        classes=some("ATTACK", "THREAT"),
        kinds=some("ROBBERY", "VERBAL", "UNKNOWN", "NOT_REPORTED"),
        states=some("14", "16", "09", "UNKNOWN"),
        municipalities=some("14012", "16053", "UNKNOWN"),
        period=draw(st.none() | st.just((months[0], months[1]))),
        group_by=draw(st.lists(st.sampled_from(dimensions), unique=True, max_size=3)),
    )
