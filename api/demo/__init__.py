"""The synthetic register behind ``constancia up --demo``: people, places and events that never were."""

from api.demo.seed import is_invented, seed

__all__ = ["is_invented", "seed"]
