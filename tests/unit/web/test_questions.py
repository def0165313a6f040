"""Every question is an address, and the address is that question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from api.web.questions import Asked, read, write
from projections.counting.disclosure import NexusScope
from projections.counting.query import CountQuery, Dimension, Unit, ask
from projections.errors import InvalidQuery
from registry.domain.codes import KINDS, STATES, IncidentClass


def some(*values: str) -> st.SearchStrategy[list[str] | None]:
    return st.none() | st.lists(st.sampled_from(values), min_size=1, max_size=4)


months = st.tuples(st.integers(1990, 2030), st.integers(1, 12)).map(
    lambda month: f"{month[0]}-{month[1]:02d}"
)
questions = st.builds(
    ask,
    st.sampled_from(Unit),
    nexus=st.sampled_from(NexusScope),
    classes=some(*IncidentClass),
    kinds=some(*sorted(KINDS[IncidentClass.ATTACK])),
    states=some(*STATES, "UNKNOWN"),
    municipalities=some("16012", "01001", "UNKNOWN"),
    period=st.none() | st.tuples(months, months).map(lambda ends: (min(ends), max(ends))),
    group_by=st.lists(st.sampled_from([one for one in Dimension if one is not Dimension.SEX]), unique=True),
)


@given(questions, st.none() | st.integers(1, 10**9))
def test_what_is_written_is_read_again(query: CountQuery, size: int | None) -> None:
    assert read(QueryParams(write(query, size))) == Asked(query, size)


@pytest.mark.parametrize(
    ("address", "period"),
    [
        ("from=2020&to=2021", ("2020-01", "2021-12")),
        ("from=2020-05&to=", ("2020-05", "2020-05")),
        ("from=&to=2021", ("2021-01", "2021-12")),
        ("from=&to=&state=&by=", None),
    ],
)
def test_a_form_may_name_years_one_end_alone_or_nothing(address: str, period: tuple[str, str] | None) -> None:
    assert read(QueryParams(address)).query == ask(period=period)


@pytest.mark.parametrize(
    "address", ["as_of=x", "as_of=-1", "unit=X", "unit=DEATHS&unit=INCIDENTS", "by=SEX", "from=2", "state=99"]
)
def test_what_is_no_question_is_refused(address: str) -> None:
    with pytest.raises(InvalidQuery):
        read(QueryParams(address))
