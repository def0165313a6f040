"""The event store."""

from registry.database import run_script

revision = "0001_store"
down_revision = None


def upgrade() -> None:
    run_script(__file__)
