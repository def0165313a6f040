"""What reports and incidents are matched by."""

from registry.database import run_script

revision = "0008_matching"
down_revision = "0007_access"


def upgrade() -> None:
    run_script(__file__)
