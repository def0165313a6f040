"""Private reads, data subjects' requests, evidence."""

from registry.database import run_script

revision = "0007_access"
down_revision = "0006_snapshots"


def upgrade() -> None:
    run_script(__file__)
