"""The public log."""

from registry.database import run_script

revision = "0002_log"
down_revision = "0001_store"


def upgrade() -> None:
    run_script(__file__)
