"""The scalars of the schema that GraphQL itself does not have."""

from datetime import date
from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

LogSize = NewType("LogSize", int)
Month = NewType("Month", str)
Date = NewType("Date", date)

_MAX_LOG_SIZE = 2**53


def _log_size(value: object) -> LogSize:
    # bool is an int to Python, and no number to JSON.
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MAX_LOG_SIZE:
        raise GraphQLError("A LogSize is a JSON integer from 0 to 2^53 - 1.")
    return LogSize(value)


def _month(value: object) -> Month:
    if not isinstance(value, str):
        raise GraphQLError('A Month is a text of year and month: "2026-02".')
    return Month(value)


def _written(value: object) -> str:
    if not isinstance(value, date):
        raise GraphQLError("A Date is a calendar day.")
    return value.isoformat()


def _date(value: object) -> Date:
    try:
        return Date(date.fromisoformat(str(value)))
    except ValueError:
        raise GraphQLError('A Date is a calendar day, "2026-02-28".') from None


SCALARS: dict[object, ScalarDefinition] = {
    LogSize: strawberry.scalar(
        name="LogSize",
        description="JSON integer below 2^53: a number of leaves of the log.",
        serialize=_log_size,
        parse_value=_log_size,
    ),
    Date: strawberry.scalar(
        name="Date", description='Calendar day, "2026-02-28".', serialize=_written, parse_value=_date
    ),
    Month: strawberry.scalar(
        name="Month", description='Calendar month, "2026-02".', serialize=_month, parse_value=_month
    ),
}
