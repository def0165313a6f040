"""The synthetic register behind ``constancia up --demo``: people, places and events that never were."""

from api.demo.seed import seed

__all__ = ["seed"]
