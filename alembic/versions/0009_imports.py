"""Imports that take longer than a request."""

from registry.database import run_script

revision = "0009_imports"
down_revision = "0008_matching"


def upgrade() -> None:
    run_script(__file__)
