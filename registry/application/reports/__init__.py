"""Reports: what institutions say that sources said, what reviewers make of it, what is shown."""

from registry.application.reports.decisions import (
    amend,
    nil,
    submit,
    withdraw,
    withdraw_nil,
)

__all__ = [
    "amend",
    "nil",
    "submit",
    "withdraw",
    "withdraw_nil",
]
