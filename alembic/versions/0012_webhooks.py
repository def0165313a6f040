"""Webhooks: where institutions want events sent, how far each has come, and what became of the last attempts."""

from registry.database import run_script

revision = "0012_webhooks"
down_revision = "0011_restricted"


def upgrade() -> None:
    run_script(__file__)
