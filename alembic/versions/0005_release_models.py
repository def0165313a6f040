"""Read models that releases and listings are made from."""

from registry.database import run_script

revision = "0005_release_models"
down_revision = "0004_keys"


def upgrade() -> None:
    run_script(__file__)
