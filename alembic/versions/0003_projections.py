"""Read models: where each projection stands, the public count, the incidents waiting for a release."""

from registry.database import run_script

revision = "0003_projections"
down_revision = "0002_log"


def upgrade() -> None:
    run_script(__file__)
