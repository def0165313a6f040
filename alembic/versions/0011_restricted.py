"""Restricted counts."""

from registry.database import run_script

revision = "0011_restricted"
down_revision = "0010_imports"


def upgrade() -> None:
    run_script(__file__)
