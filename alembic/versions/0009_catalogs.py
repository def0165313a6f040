"""Catalogues of official codes."""

from registry.database import run_script

revision = "0009_catalogs"
down_revision = "0008_matching"


def upgrade() -> None:
    run_script(__file__)
