"""Imports that take longer than a request."""

from registry.database import run_script

revision = "0010_imports"
down_revision = "0009_catalogs"


def upgrade() -> None:
    run_script(__file__)
