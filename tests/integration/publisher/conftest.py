"""A publisher over the database of a test."""

from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from registry.log.keys import LogKeys, load_or_create
from registry.log.publisher import Publisher
from tests.integration.publisher.leaves import ORIGIN


@pytest.fixture
def keys(tmp_path: Path) -> LogKeys:
    return load_or_create(tmp_path, ORIGIN)


@pytest.fixture
def start(pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path) -> Callable[[], Publisher]:
    """A publisher as a process has it that has just started."""
    return lambda: Publisher(pool, keys, ORIGIN, tmp_path)
