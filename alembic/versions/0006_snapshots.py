"""Snapshots of long streams."""

from registry.database import run_script

revision = "0006_snapshots"
down_revision = "0005_release_models"


def upgrade() -> None:
    run_script(__file__)
