"""The same tests on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.store.platform.ground import Ground
from tests.servers.postgres import fresh_database


@pytest.fixture(params=["sqlite", "postgres"])
def setting(request: pytest.FixtureRequest) -> str:
    """What AISTER_DATABASE_URL would say."""
    return fresh_database() if request.param == "postgres" else ""


@pytest.fixture
def ground(tmp_path: Path, setting: str) -> Iterator[Ground]:
    one = Ground(tmp_path, setting)
    yield one
    one.close()
