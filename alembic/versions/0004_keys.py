"""API keys, and requests for them."""

from registry.database import run_script

revision = "0004_keys"
down_revision = "0003_projections"


def upgrade() -> None:
    run_script(__file__)
