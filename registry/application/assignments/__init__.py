"""Assignments: what an institution decides about its students' service, and what is shown of it."""

from registry.application.assignments.decisions import (
    correct,
    decide_relocation,
    end,
    register,
    relocate,
    request_relocation,
    resume,
    start,
    suspend,
)

__all__ = [
    "correct",
    "decide_relocation",
    "end",
    "register",
    "relocate",
    "request_relocation",
    "resume",
    "start",
    "suspend",
]
